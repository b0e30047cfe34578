"""Values of parameters as a record tells them."""

from datetime import UTC, date, datetime
from enum import Enum, IntEnum, StrEnum
from pathlib import Path

import pytest

from cellops.capture.results.results import values


class Hostile(Enum):
    RED = 1

    @property
    def name(self) -> str:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Path("data") / "raw", str(Path("data") / "raw")),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00+00:00"),
        (IntEnum("Level", "LOW HIGH").HIGH, "HIGH"),  # type: ignore[attr-defined]
        (StrEnum("Color", "RED GREEN").RED, "RED"),  # type: ignore[attr-defined]
        (Hostile.RED, "RED"),
        ([Path("a"), date(2026, 1, 31), Hostile.RED], ["a", "2026-01-31", "RED"]),
        ({"b", "a", "c"}, ["a", "b", "c"]),
        ({2, 1}, [1, 2]),
    ],
)
def test_paths_dates_and_members_are_told_as_text_and_sets_in_order(value: object, told: object) -> None:
    assert values(["x"], {"x": value}) == {"x": told}


def test_a_value_that_cannot_be_told_is_left_out() -> None:
    assert values(["x"], {"x": object()}) == {}
