"""Names and classes that no sane notebook has: capture goes on behind them, and runs none of their code."""

from pathlib import Path
from typing import Any

import pytest

from cellops.capture.names.kinds import Kind, describe
from cellops.capture.names.memory import places_of
from cellops.capture.names.types import Kinds, name_of
from support.trail import Trail

METACLASS = """
class Meta(type):
    def __eq__(self, other): return ran('eq')
    def __getattribute__(self, name): return ran(name)
    __mro__ = property(lambda self: ran('mro'))
    __module__ = property(lambda self: ran('module'))
    __qualname__ = property(lambda self: ran('qualname'))
"""
PLAIN = "    def __hash__(self): return ran('hash')\n"
CLASSES = {
    "unhashable": f"{METACLASS}class Odd(metaclass=Meta): pass\nodd = Odd()",
    "talkative": f"{METACLASS}{PLAIN}class Odd(metaclass=Meta): pass\nodd = Odd()",
    "no module": "class Odd: __module__ = None\nodd = Odd()",
    "module property": "class Odd: __module__ = property(lambda self: ran('module'))\nodd = Odd()",
    "module of another type": (
        "class Text(str):\n    def partition(self, sep): return ran('partition')\n"
        "    def __eq__(self, other): return ran('eq')\n    __hash__ = str.__hash__\n"
        "class Odd: __module__ = Text('numpy')\nodd = Odd()"
    ),
}
NAMES = [
    "globals()[5] = 1",
    "globals()[None] = [1]",
    "globals()[('a', 1)] = 2",
    "import random; globals()[5] = random.Random(3)",
]


def _trail(folder: Path) -> tuple[Trail, list[str]]:
    called: list[str] = []

    def ran(what: str) -> bool:
        called.append(what)
        return True

    return Trail(folder, ran=ran), called


@pytest.mark.parametrize("source", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("held", ["odd", "[odd]", "{'a': odd}", "{1: Odd}", "(Odd, 1)"])
def test_an_odd_class_is_captured_and_none_of_its_code_runs(source: str, held: str, tmp_path: Path) -> None:
    trail, called = _trail(tmp_path)
    trail.run(source)
    trail.run(f"held = {held}")
    called.clear()
    record = trail.run("same = held; more = [held]; odd = odd")
    trail.run("r = held")
    assert called == []
    assert record.effects is not None
    assert {1, 2, 4} <= {*trail.slice().cells}


@pytest.mark.parametrize("source", NAMES)
def test_a_name_that_is_no_text_stops_nothing(source: str, tmp_path: Path) -> None:
    trail, _ = _trail(tmp_path)
    trail.run("x = [1]")
    trail.run(source)
    trail.run("x.append(2)")
    trail.run("del globals()[next(iter(set(globals()) - {n for n in globals() if type(n) is str}))]")
    trail.run("z = 3")
    record = trail.run("y = x")
    assert (record.writes, trail.slice().cells) == (("y",), (1, 2, 3, 4, 6))


def test_types_are_compared_by_identity() -> None:
    class Meta(type):
        def __eq__(cls, other: object) -> bool:
            return True

        def __hash__(cls) -> int:
            return hash(int)

    class Odd(metaclass=Meta):
        pass

    kinds = Kinds({int})
    assert (int in kinds, Odd in kinds) == (True, False)
    assert (kinds.hold_all([1, 2]), kinds.hold_all([1, Odd()]), kinds.hold_none([Odd()])) == (True, False, True)
    odd: Any = Odd()
    assert (describe(odd).kind, name_of(Odd)[0], list(places_of(odd))) == (Kind.ACTIVE, __name__, [])
