"""What counts for which of two packages: what chance gave it, and what it did with it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from cellops.errors import InputError
from cellops.records.rollout import Evidence
from cellops.serving.dataplane import Call, DataPlane
from cellops.serving.division import Division, Traffic
from cellops.serving.limits import Limits
from cellops.serving.metrics import Metrics
from cellops.serving.rollout.ledger import Ledger
from cellops.serving.strategies.ab import AB
from cellops.serving.strategies.canary import Canary
from cellops.serving.strategies.strategy import Asker, Slot, Strategy
from support.loaded import loaded

LONG = 'expect_column_values_to_be_between("distance", 100, 5000, action="reject")'
LONGER = 'expect_column_values_to_be_between("distance", 1000, 5000, action="reject")'
LIMITS = Limits(max_bytes=10_000, max_rows=10)


@dataclass(eq=False)
class Planed:
    """What a division asks of a model."""

    plane: DataPlane


def division(strategy: Strategy, champion: str = LONG, challenger: str = LONGER) -> tuple[Division, Ledger]:
    ledger = Ledger(60.0)
    models: list[Any] = [
        Planed(DataPlane(package, Metrics().of(package.manifest.name, package.digest), LIMITS))
        for package in (loaded(champion), loaded(challenger))
    ]
    return Division(Traffic("champion", "challenger", strategy, "", ledger), *models), ledger


def columns(distance: float) -> dict[str, Any]:
    values = {"carrier": np.array(["UA"], object), "hour": np.array([12]), "night": np.array([False])}
    return values | {"distance": np.array([distance])}


def ask(on: Division, slot: Slot, distance: float, number: int = 0, user: str | None = "ada") -> None:
    call = Call(prediction_id=f"{number}", request_id="", time=0, received=0, protocol="test")
    model = on.begin(Asker("", user), slot, call)
    try:
        model.plane.answer(columns(distance), call)
    except InputError as error:
        raise on.failed(slot, columns(distance), call, error) from error
    on.answered(slot, call)


@pytest.mark.parametrize(
    ("slot", "distance", "is_taken", "counts"),
    [
        (Slot.CHALLENGER, 2000.0, True, (1, 0)),
        (Slot.CHALLENGER, 500.0, False, (1, 1)),
        (Slot.CHALLENGER, 1.0, False, (0, 0)),
        (Slot.CHAMPION, 1.0, False, (0, 0)),
        (Slot.CHAMPION, 500.0, True, (1, 0)),
    ],
)
def test_a_package_that_refuses_what_the_other_takes_has_failed(
    slot: Slot, distance: float, is_taken: bool, counts: tuple[int, int]
) -> None:
    on, ledger = division(Canary(50, ""))
    if is_taken:
        ask(on, slot, distance)
    else:
        with pytest.raises(InputError, match="breaks expect_column_values"):
            ask(on, slot, distance)
    found = ledger.evidence()
    own = found.champion if slot is Slot.CHAMPION else found.challenger
    assert (own.requests, own.errors) == counts


def test_the_other_package_is_asked_as_its_policies_have_it() -> None:
    imputed = 'expect_column_values_to_not_be_null("distance", action="impute", default=500)'
    on, ledger = division(Canary(50, ""), champion=imputed)
    ask(on, Slot.CHAMPION, float("nan"))
    with pytest.raises(InputError):
        ask(on, Slot.CHALLENGER, 500.0)
    assert ledger.evidence().challenger.errors == 1


def test_an_a_b_counts_only_those_whom_it_divides() -> None:
    on, ledger = division(AB(50, ""))
    ask(on, Slot.CHAMPION, 2000.0, user=None)
    assert ledger.evidence() == Evidence()
    ask(on, Slot.CHAMPION, 2000.0)
    assert ledger.evidence().champion.requests == 1
