"""Nothing of a value's own code runs while it is read, and one odd value does not cost the others their record."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellops.capture.blobs import Blobs
from cellops.capture.values.allowance import Allowance
from cellops.capture.values.description import look_at
from cellops.capture.values.numbers import Room
from cellops.records.value import Covered
from support.kernel import Kernel

HOSTILE = """
import datetime, pathlib, re, threading, time
import numpy as np
def called(*_): raise SystemExit("code of the value has run")
class Key:
    __repr__ = __str__ = called
class Odd(type):
    __eq__ = __hash__ = __getattribute__ = called
    __mro__ = __module__ = __name__ = property(called)
class Unhashable(type):
    def __eq__(self, other): return self is other
class Zone(datetime.tzinfo):
    __repr__ = utcoffset = dst = tzname = called
    def utcoffset(self, when): return None
class OfOdd(metaclass=Odd): pass
class OfUnhashable(metaclass=Unhashable): pass
class Box:
    def __init__(self, held): self.held = held
values = {
    "key": {(Key(), 1): 0.5},
    "unread": Box({(Key(), 1): threading.Lock()}),
    "odd": OfOdd(),
    "unhashable": OfUnhashable(),
    "inside": [OfUnhashable()],
    "slice": slice(Key()),
    "zone": datetime.datetime(2020, 1, 1, tzinfo=Zone()),
    "void": np.array([(Key(),)], [("a", object)])[0],
    "array": np.array([OfUnhashable(), 1], object),
    "integer": 10**5000,
}
"""


def values() -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(HOSTILE, space)
    found: dict[str, Any] = space["values"]
    return found


@pytest.mark.parametrize("kind", values())
def test_no_code_of_a_value_runs(kind: str, tmp_path: Path) -> None:
    assert look_at("x", values()[kind], Allowance(10), Room(Blobs(tmp_path))).name == "x"


def test_a_key_that_is_no_plain_value_is_named_by_its_number() -> None:
    box = type("Box", (), {})()
    inner = type("Box", (), {})()
    inner.lock = threading.Lock()
    box.held = {("a", 1): 1, ("b", 2): inner, "c": inner, 3: inner}
    seen = look_at("x", box, Allowance(10))
    assert seen.reason is not None
    assert seen.reason.startswith("without held[key 1].lock")


def test_an_integer_too_long_to_be_written_is_shown_by_its_length() -> None:
    seen = look_at("x", 10**5000, Allowance(10))
    assert (seen.covered, seen.shown) == (Covered.FULL, "int of 16,610 bits")
    assert seen.digest != look_at("x", 10**5000 + 1, Allowance(10)).digest


def test_numbers_under_keys_of_a_class_of_the_notebook_are_not_kept(tmp_path: Path) -> None:
    seen = look_at("x", {np.array([1]).tobytes: 0.5, "a": 1.0}, Allowance(10), Room(Blobs(tmp_path)))
    assert seen.numbers is None


def test_one_odd_value_does_not_cost_the_others_their_record(kernel: Kernel) -> None:
    kernel.run("%load_ext cellops")
    assert kernel.run(HOSTILE).streams == ""
    done = kernel.run(
        "a = 1\nkey, unread, zone, integer = (values[n] for n in ('key', 'unread', 'zone', 'integer'))\nb = 2"
    )
    assert (done.status, done.streams) == ("ok", "")
    seen = {value.name: value for value in kernel.cells()[-1].values}
    assert {"a", "b", "key", "unread", "zone", "integer"} <= set(seen)
    assert seen["a"].covered is seen["b"].covered is Covered.FULL


def test_a_class_that_prints_its_name_is_not_asked_for_it(kernel: Kernel) -> None:
    kernel.run("%load_ext cellops")
    source = (
        "class Telling(type):\n    @property\n    def __name__(self): print('asked')\n"
        "class Told(metaclass=Telling): pass\ntold = Told(); many = [told]"
    )
    assert kernel.run(source).streams == ""
    assert {value.name for value in kernel.cells()[-1].values} == {"Telling", "Told", "told", "many"}
