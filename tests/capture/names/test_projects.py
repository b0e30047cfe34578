"""Objects of modules of the project: slices hold the cells that look at them, give them up and change their state."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kernel import Kernel
from support.trail import Trail

MODULE = """
log = []

class Shown:
    n = 0
    @property
    def value(self):
        self.n += 1
        return self.n

class Ending:
    def __del__(self):
        log.append(1)

def add(item):
    log.append(item)
"""
CELLS = {
    "property": ["import thing", "o = thing.Shown()", "o.value", "r = o.n"],
    "property in a list": ["from thing import Shown", "o = [Shown()]", "o[0].value", "r = o[0].n"],
    "last act": ["import thing", "o = [thing.Ending()]", "o = 0", "r = thing.log"],
    "state": ["import thing", "thing.add(1)", "thing.add(2)", "r = thing.log"],
    "state with a name": ["from thing import add, log", "add(1)", "add(2)", "r = log"],
}


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "thing.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("thing", None)


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_holds_what_changed_objects_of_a_module(cells: list[str]) -> None:
    trail = Trail()
    for cell in cells:
        trail.run(cell)
    assert trail.slice().cells == (1, 2, 3, 4)


def test_a_module_of_plain_functions_and_classes_is_not_changed_by_being_read(tmp_path: Path) -> None:
    (tmp_path / "thing.py").write_text("class Plain:\n    n = 1\n    def up(self): self.n += 1\n")
    trail = Trail()
    for cell in ("import thing", "o = thing.Plain()", "print(o.n)", "r = o.n"):
        trail.run(cell)
    assert trail.slice().cells == (1, 2, 4)


def test_files_that_a_module_writes_and_reads(loaded: Kernel) -> None:
    source = "def begin(path): return open(path, 'w')\ndef show(path): return open(path).read()"
    (loaded.project / "disk.py").write_text(source)
    for cell in ("import disk", "h = disk.begin('a.txt')", "unused = 1", "n = h.write('abc')", "h.close()",
                 "%%mlops run\nlength = len(disk.show('a.txt'))"):  # fmt: skip
        assert loaded.run(cell).status == "ok"
    closed = loaded.closed()[-1]
    assert closed.metrics["length"] == len("abc")
    assert closed.slice is not None
    assert closed.slice.cells == (1, 2, 4, 5, 6)
