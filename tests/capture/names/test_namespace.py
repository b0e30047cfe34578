"""Pictures of a namespace: what has been bound anew is seen, and nothing of the objects is called or held."""

import sys
import weakref
from typing import Any

import pytest

from cellops.capture.names.identities import WIDTH, identities, identity
from cellops.capture.names.namespace import STRETCH, Picture

IN_A_STRETCH = STRETCH // WIDTH
MANY = 4 * IN_A_STRETCH + 7


class Thing:
    """An object that can be watched, and that refuses every question."""

    def __eq__(self, _other: object) -> bool:
        raise AssertionError

    def __hash__(self) -> int:
        raise AssertionError


def many() -> dict[str, Any]:
    return {f"name_{number}": Thing() for number in range(MANY)}


def test_names_bound_anew_are_seen_wherever_they_stand() -> None:
    namespace = many()
    before = Picture(namespace)
    chosen = [f"name_{number}" for number in (0, IN_A_STRETCH - 1, IN_A_STRETCH, MANY - 1)]
    kept = {name: namespace[name] for name in chosen}  # else a new object could stand where the old one stood
    namespace.update({name: Thing() for name in chosen} | {"new": 1})
    after = Picture(namespace, before)
    assert after.changed_since(before) == [*chosen, "new"]
    assert after.missing_since(before) == []
    assert len(kept) == len(chosen)


def test_names_that_have_gone_away_are_seen() -> None:
    namespace = many()
    before = Picture(namespace)
    del namespace["name_3"]
    namespace["later"] = 1
    after = Picture(namespace, before)
    assert (after.changed_since(before), after.missing_since(before)) == (["later"], ["name_3"])


def test_a_name_that_was_deleted_and_bound_again_to_another_object_has_changed() -> None:
    namespace: dict[str, Any] = {"first": 1, "second": Thing()}
    before = Picture(namespace)
    kept = namespace.pop("first")
    namespace["first"] = Thing()
    after = Picture(namespace, before)
    assert (after.changed_since(before), after.missing_since(before)) == (["first"], [])
    assert kept == 1


def test_an_earlier_picture_does_not_have_what_came_later() -> None:
    namespace: dict[str, Any] = {"first": 1}
    before = Picture(namespace)
    namespace["second"] = 2
    after = Picture(namespace, before)
    assert (before.names, before.has("second"), after.has("second")) == (["first"], False, True)


def test_a_picture_several_cells_old_can_be_compared() -> None:
    namespace: dict[str, Any] = {"first": 1}
    pictures = [Picture(namespace)]
    for number in range(5):
        namespace[f"later_{number}"] = number
        pictures.append(Picture(namespace, pictures[-1]))
    assert pictures[-1].changed_since(pictures[1]) == [f"later_{number}" for number in range(1, 5)]


def test_nothing_is_held() -> None:
    namespace = many()
    there = weakref.ref(namespace["name_5"])
    picture = Picture(namespace)
    del namespace["name_5"]
    assert there() is None
    assert picture.has("name_5")


def test_no_audit_event_is_raised_for_each_name() -> None:
    events: list[str] = []
    listening = [True]
    sys.addaudithook(lambda event, _: events.append(event) if listening else None)
    namespace = many()
    Picture(namespace, Picture(namespace))
    seen = list(events)
    listening.clear()
    id(namespace)
    assert set(seen) <= {"ctypes.string_at"}
    assert len(seen) <= 2


@pytest.mark.parametrize("many", [3, 4000])
def test_few_and_many_objects_are_identified_alike(many: int) -> None:
    objects = (None, True, "text", *(Thing() for _ in range(many)))
    assert identities(objects) == b"".join(map(identity, objects))


def test_the_sources_that_ipython_keeps_are_left_out_and_its_results_are_not() -> None:
    namespace: dict[str, Any] = {"first": 1}
    before = Picture(namespace)
    namespace.update({"_i1": "first = 1", "_1": Thing(), "second": 2})
    after = Picture(namespace, before)
    assert after.changed_since(before) == ["_1", "second"]
    assert after.names == ["first", "_1", "second"]
