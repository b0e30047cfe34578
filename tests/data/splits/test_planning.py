"""What a person asks of a split is a whole plan, or one error with its remedy."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.data.splits.planning import plan_of
from cellops.data.splits.shares import apportioned, limits
from cellops.errors import UsageError


@pytest.mark.parametrize(
    ("fractions", "names", "shares"),
    [
        (None, ("train", "test"), (0.8, 0.2)),
        (0.1, ("train", "test"), (0.9, 0.1)),
        ((0.7, 0.3), ("train", "test"), (0.7, 0.3)),
        ([0.7, 0.1, 0.2], ("train", "validation", "test"), (0.7, 0.1, 0.2)),
        ({"fit": 0.5, "calibrate": 0.2, "judge": 0.3}, ("fit", "calibrate", "judge"), (0.5, 0.2, 0.3)),
    ],
)
def test_shares_have_names(fractions: Any, names: tuple[str, ...], shares: tuple[float, ...]) -> None:
    plan = plan_of(fractions=fractions)
    assert (plan.parts, plan.fractions) == (names, shares)


@pytest.mark.parametrize(
    "asked",
    [
        {"fractions": (0.8, 0.3)},
        {"fractions": (0.8, 0.1)},
        {"fractions": (1.2, -0.2)},
        {"fractions": (1.0,)},
        {"fractions": 1.0},
        {"fractions": (0.1,) * 10},
        {"fractions": ("0.8", "0.2")},
        {"fractions": {"train": 0.8, "the test": 0.2}},
        {"fractions": {"train": 0.8, "record": 0.2}},
        {"fractions": {"names": 0.8, "findings": 0.2}},
        {"fractions": {f"part_{number}": 0.005 for number in range(200)}},
        {"fractions": float("nan")},
        {"key": "id", "salt": 3},
        {"key": "id", "salt": "\ud800"},
        {"time": "day", "groups": "customer"},
        {"stratify": "label", "key": "id"},
        {"groups": "customer", "gap": "1 day"},
        {"cuts": "2024-01-01"},
        {"time": "day", "cuts": "2024-01-01", "fractions": 0.2},
        {"time": "day", "gap": "-1 day"},
        {"time": "day", "gap": "soon"},
        {"time": "day", "gap": True},
        {"time": "day", "cuts": ["2024", "2025", "2026"]},
        {"groups": []},
        {"groups": ["a", "a"]},
        {"key": 3},
        {"seed": -1},
        {"seed": 1.5},
        {"seed": True},
    ],
)
def test_what_does_not_fit_is_said_with_its_remedy(asked: dict[str, Any]) -> None:
    with pytest.raises((UsageError, TypeError)) as caught:
        plan_of(**asked)
    if isinstance(caught.value, UsageError):
        assert caught.value.remedy
    else:
        assert asked == {"key": 3}


@pytest.mark.parametrize("gap", ["7 days", timedelta(days=7), 7 * 86400])
def test_gaps(gap: Any) -> None:
    assert plan_of(time="day", gap=gap).gap == 604_800


def test_seed_and_salt_stand_where_they_count() -> None:
    assert (plan_of(seed=3).seed, plan_of(seed=3).salt) == (3, None)
    assert (plan_of(key="id", seed=3, salt="a").seed, plan_of(key="id", salt="a").salt) == (None, "a")


@given(st.integers(0, 10_000), st.lists(st.integers(1, 99), min_size=2, max_size=4))
def test_whole_numbers_of_rows_are_less_than_one_from_their_share(rows: int, weights: list[int]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    counts = apportioned(shares, rows)
    assert abs(sum(counts) - rows) == 0 or abs(sum(shares) - 1) > 0
    assert all(abs(count - share * rows) < 1 + 1e-6 for count, share in zip(counts, shares, strict=True))
    assert limits(shares, rows)[-1] == rows


def test_two_ways_are_named_as_they_were_asked_for() -> None:
    with pytest.raises(UsageError, match="'groups, stratify'"):
        plan_of(groups="plane", stratify="late", fractions=0.2, seed=0)
