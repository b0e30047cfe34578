"""Every strategy has one shape, and gives the same asker the same package for ever."""

import pytest

from cellops.records.rollout import Strategy as Name
from cellops.serving.strategies import STRATEGIES
from cellops.serving.strategies.strategy import Asker, Slot

ASKERS = [Asker(f"request {i}", f"user {i % 1000}") for i in range(4000)]
NOBODY = Asker("request")


def test_every_strategy_is_there() -> None:
    assert set(STRATEGIES) == set(Name)


@pytest.mark.parametrize("name", Name)
def test_a_strategy_chooses_one_of_two_and_always_the_same(name: Name) -> None:
    one, same = STRATEGIES[name](30, "salt"), STRATEGIES[name](30, "salt")
    for asker in ASKERS:
        assert one.choose(asker) in Slot
        assert (one.choose(asker), one.copies(asker)) == (same.choose(asker), same.copies(asker))


@pytest.mark.parametrize("name", Name)
def test_nothing_reaches_the_challenger_without_a_share(name: Name) -> None:
    none = STRATEGIES[name](0, "salt")
    assert not any(none.choose(asker) is Slot.CHALLENGER or none.copies(asker) for asker in ASKERS)


@pytest.mark.parametrize("name", [Name.SINGLE, Name.SHADOW])
def test_a_challenger_that_does_not_answer_never_does(name: Name) -> None:
    assert {STRATEGIES[name](100, "salt").choose(asker) for asker in ASKERS} == {Slot.CHAMPION}


@pytest.mark.parametrize("name", [Name.CANARY, Name.AB])
def test_a_share_of_users_is_near_what_was_asked_and_grows_without_moving_anyone(name: Name) -> None:
    users = {asker.user: asker for asker in ASKERS}.values()

    def taken(share: float, salt: str = "salt") -> set[str | None]:
        return {each.user for each in users if STRATEGIES[name](share, salt).choose(each) is Slot.CHALLENGER}

    assert taken(5) < taken(25) < taken(50) < taken(100)
    assert 200 < len(taken(25)) < 300  # of 1000; beyond 3.6 standard deviations
    assert taken(25) != taken(25, "other")


def test_nobody_known_has_the_champion_in_an_a_b_and_is_a_request_in_a_canary() -> None:
    assert STRATEGIES[Name.AB](99, "salt").choose(NOBODY) is Slot.CHAMPION
    canary = STRATEGIES[Name.CANARY](50, "salt")
    assert {canary.choose(Asker(f"request {i}")) for i in range(100)} == set(Slot)


def test_blue_green_is_all_or_nothing() -> None:
    assert {STRATEGIES[Name.BLUE_GREEN](100, "").choose(asker) for asker in ASKERS} == {Slot.CHALLENGER}


@pytest.mark.parametrize("name", Name)
def test_only_those_are_compared_whose_answer_did_not_depend_on_who_they_are(name: Name) -> None:
    strategy = STRATEGIES[name](50, "salt")
    assert all(strategy.compares(asker) for asker in ASKERS)
    assert strategy.compares(NOBODY) is (name is not Name.AB)
