"""Classes of the notebook are the same in every process, and as many as they were."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

UNSTABLE = """
from dataclasses import dataclass, field
class Base:
    kinds = {"a", "b", "c"}
    def __init__(self, held):
        self.held = held
class Model(Base):
    def give(self):
        return Base, Model, {"d", "e"}
@dataclass
class Options:
    names: set = field(default_factory=lambda: {"f", "g", "h"})
def local():
    class Local:
        pass
    return Local()
VALUES = {"model": Model([1]), "options": Options(), "local": local(), "function": lambda: Model, "class": Model}
"""
KEEPING = """
import os, sys
from pathlib import Path
from cellops.pipeline.values.store import ValueStore
exec(compile(SOURCE, f"/of/process/{os.getpid()}.py", "exec"))
store = ValueStore(Path(sys.argv[1]))
alone = [{name: value} for name, value in VALUES.items()]
print([one.digest for values in (VALUES, *alone) for one in store.keep(values)])
"""


def test_two_processes_write_the_same_for_the_same(tmp_path: Path) -> None:
    code = KEEPING.replace("SOURCE", repr(UNSTABLE))
    found = [
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / seed)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1]


STEP = """
import pickle, sys
from pathlib import Path
from cellops.pipeline.values.store import ValueStore
folder = Path(sys.argv[1])
store = ValueStore(folder / "values")
given, taken = folder / sys.argv[2], [folder / name for name in sys.argv[3:]]
VALUES = store.load(one for path in taken for one in pickle.loads(path.read_bytes()))
exec(SOURCE)
given.write_bytes(pickle.dumps(store.keep(VALUES)))
"""
"""Takes what other steps have given, and gives what it makes."""
CLASSES = """
def made():
    class Error(Exception):
        pass
    return Error
first, second, (third, fourth) = made(), made(), (made(), made())
errors = [first("a"), second("b"), third("c"), fourth("d")]
VALUES = {"made": made, "first": first, "errors": errors, "alone": third("e"), "other": made()("f")}
"""
COMPARED = """
kinds = [*map(type, VALUES["errors"]), VALUES["first"], type(VALUES["alone"]), type(VALUES["other"])]
print([kinds.index(kind) for kind in kinds])
"""
OF_LOCAL = """
def local():
    class Local:
        size = SIZE
    return Local()
VALUES = {"of_SIZE": local()}
"""


@pytest.fixture
def step(tmp_path: Path) -> Callable[..., str]:
    def said(source: str, *names: str) -> str:
        command = [sys.executable, "-c", STEP.replace("SOURCE", repr(source)), str(tmp_path), *names]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()

    return said


def test_classes_of_equal_source_stay_as_many_as_they_were(step: Callable[..., str]) -> None:
    assert step(CLASSES + COMPARED, "a") == "[0, 1, 2, 3, 0, 2, 6]"
    assert step("VALUES['first'] = VALUES['made']()" + COMPARED, "b", "a") == "[0, 1, 2, 3, 4, 2, 6]"
    assert step(COMPARED, "c", "b") == "[0, 1, 2, 3, 4, 2, 6]"


def test_classes_of_other_source_that_two_steps_make_are_two(step: Callable[..., str]) -> None:
    for size in ("1", "2"):
        step(OF_LOCAL.replace("SIZE", size), size)
    assert step("print([VALUES['of_1'].size, VALUES['of_2'].size])", "both", "1", "2") == "[1, 2]"
