"""What functions and classes of a notebook keep beside their source counts; the source is told by their cell."""

import random
import threading
from typing import Any

import pytest

from cellops.capture.values.allowance import Allowance
from cellops.capture.values.description import look_at
from cellops.records.value import Covered, ValueSeen
from support.kernel import Kernel


def made(source: str, **given: Any) -> ValueSeen:
    namespace: dict[str, Any] = {"__name__": "__main__", **given}
    exec(source, namespace)
    return look_at("made", namespace["made"], Allowance(0.005))


KEEPING = {
    "a default": "def made(x, k=now): return k",
    "a default by name": "def made(x, *, k=now): return k",
    "a closure": "def outer(k):\n    return lambda: k\nmade = outer(now)",
    "a closure of a function in a closure": (
        "def outer(k):\n    def inner(): return k\n    return lambda: inner()\nmade = outer(now)"
    ),
    "a default of a method": "class made:\n    def f(self, k=now): return k",
    "a default of a static method": "class made:\n    @staticmethod\n    def f(k=now): return k",
    "a default of __init__": "class made:\n    def __init__(self, k=now): self.k = k",
    "an attribute of a function": "def made(x): return made.k\nmade.k = now",
    "an attribute of a function that a function closes over": (
        "def outer():\n    def inner(): return inner.k\n    inner.k = now\n    return lambda: inner()\nmade = outer()"
    ),
    "a member of an enumeration": "import enum\nclass made(enum.Enum):\n    A = now",
    "an attribute of an enumeration": (
        "import enum\nclass made(enum.Enum):\n    A = 1\n    def f(self, k=now): return k"
    ),
    "an attribute of a protocol": "import typing\nclass made(typing.Protocol):\n    rate: float = now",
    "what a method belongs to": "made = [now].count",
    "an attribute of a class": "class made:\n    rate = now\n    def f(self): pass",
}


@pytest.mark.parametrize("source", KEEPING.values(), ids=KEEPING)
def test_what_code_keeps_is_compared(source: str) -> None:
    then, same, now = (made(source, now=moment) for moment in (1.5, 1.5, 2.5))
    assert then.covered is Covered.CODE
    assert then.digest == same.digest != now.digest
    assert then.parts.keys() == now.parts.keys()


@pytest.mark.parametrize(
    "source",
    [
        "def made(x): return x",
        "made = lambda: 1",
        "class made:\n    def f(self): pass",
        "def f(): pass\ndef made(x, k=f): return k",
        "def outer():\n    def made(n): return n and made(n - 1)\n    return made\nmade = outer()",
        "import abc\nclass made(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ...",
        "class made:\n    def f(self): return super().__init__()",
        "def outer(other):\n    return lambda: other\nmade = outer(outer)",
    ],
)
def test_code_that_keeps_nothing_is_told_by_its_source(source: str) -> None:
    seen = made(source)
    assert (seen.covered, seen.digest, seen.reason) == (Covered.CODE, None, None)


def test_a_function_of_a_library_is_kept_by_its_name() -> None:
    import numpy as np

    source = "def made(x, how=now): return how(x)"
    then, now = made(source, now=np.mean), made(source, now=np.median)
    assert then.covered is now.covered is Covered.CODE
    assert then.digest != now.digest


def test_a_secret_default_leaves_no_digest() -> None:
    seen = made("def made(x, *, password=now): return x", now="correct-horse-battery")
    assert (seen.covered, seen.digest, seen.parts) == (Covered.CODE, None, {})


def test_what_cannot_be_read_is_said() -> None:
    seen = made("def made(x, k=lock): return k", lock=threading.Lock())
    assert seen.covered is Covered.NOTHING
    assert seen.reason is not None


def test_methods_of_one_value_are_told_apart() -> None:
    one, other = made("made = 'a'.upper"), made("made = 'a'.lower")
    assert one.shown == "method of a value"
    assert one.digest != other.digest


@pytest.mark.parametrize(
    "source",
    [
        "class Meta(type): pass\nclass made(metaclass=Meta): rate = 1",
        "class Meta(type): pass\nclass Inner(metaclass=Meta): pass\ndef made(k=Inner): return k",
        "import enum\nclass Meta(enum.EnumMeta): pass\nclass made(enum.Enum, metaclass=Meta): A = 1",
    ],
)
def test_a_class_of_an_unusual_kind_is_said_not_to_be_read(source: str) -> None:
    seen = made(source)
    assert (seen.covered, seen.digest) == (Covered.NOTHING, None)
    assert seen.reason == "classes that Meta makes may keep more than their source says"


def test_what_a_cell_names_of_a_module_of_the_users_is_its_value(loaded: Kernel) -> None:
    (loaded.project / "features.py").write_text("K = 1\nT = [1]\ndef f(): return K\n")

    def values(source: str) -> dict[str, str]:
        assert loaded.run(source).status == "ok"
        return {value.name: value.shown for value in loaded.cells()[-1].values}

    assert values("import features, math\nfeatures.K = 2") == {
        "features": "features",
        "math": "math",
        "features.K": "2",
    }
    assert values("setattr(features, 'K', 3)") == {"features.K": "3"}
    assert values("features.T.append(2)") == {"features.T": "list of 2"}
    assert values("def patch():\n    features.K = 4\npatch()")["features.K"] == "4"
    assert values("x = features.f() + math.pi; other_features = features").keys() == {"x", "other_features"}
    assert values("features.f = lambda: 5") == {"features.f": "function of the notebook"}


def test_a_function_of_random_is_none_of_what_its_generator_has_drawn() -> None:
    for function in (random.random, random.seed, random.choice):
        before = look_at("f", function, Allowance(1.0))
        random.random()
        assert before.covered is Covered.CODE
        assert look_at("f", function, Allowance(1.0)) == before
    own = random.Random(1)
    before = look_at("f", own.random, Allowance(1.0))
    own.random()
    assert look_at("f", own.random, Allowance(1.0)).digest != before.digest


def test_a_widget_is_none_of_what_can_be_read() -> None:
    import ipywidgets

    assert look_at("rate", ipywidgets.FloatSlider(value=0.5), Allowance(1.0)).covered is Covered.NOTHING
