"""Output that cells have redirected: what later cells print is in the slices of what reads it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kernel import Kernel
from support.trail import Trail, results

SHOW = "x = 3\nprint(x)"
READ = "r = f.getvalue()"
CELLS = {
    "text": ["import io, sys", "f = io.StringIO()\nsys.stdout = f", SHOW, READ],
    "file": ["import sys", "f = open('a.txt', 'w')\nsys.stdout = f", SHOW, "f.flush()", "r = open('a.txt').read()"],
    "errors": ["import io, sys", "f = io.StringIO()\nsys.stderr = f", "print(3, file=sys.stderr)", READ],
    "context": ["import contextlib, io\nf = io.StringIO()", "c = contextlib.redirect_stdout(f)\nc.__enter__()", SHOW,
                READ],
    "context without a name": ["import contextlib, io\nf = io.StringIO()", "contextlib.redirect_stdout(f).__enter__()",
                               SHOW, READ],
    "function": ["import io, sys\nf = io.StringIO()\ndef begin(): sys.stdout = f", "begin()", SHOW, READ],
    "attribute": ["import io, sys\nclass L: f = io.StringIO()", "sys.stdout = L.f", SHOW, "r = L.f.getvalue()"],
    "library that prints": ["import io, sys, pprint", "f = io.StringIO()\nsys.stdout = f", "pprint.pprint([1])", READ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def output() -> Iterator[None]:
    kept = sys.stdout, sys.stderr
    yield
    sys.stdout, sys.stderr = kept


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_slice_gives_what_was_printed(cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = results(cells, tmp_path, monkeypatch)
    assert again == first


def test_printing_is_no_change_of_anything_while_output_stays_where_it_was() -> None:
    trail = Trail()
    for cell in ("import io, sys\nf = io.StringIO()\nkept = sys.stdout\nsys.stdout = f", "print(1)",
                 "sys.stdout = kept", "print(2)", "r = f.getvalue()"):  # fmt: skip
        trail.run(cell)
    assert trail.slice().cells == (1, 2, 3, 5)


def test_output_of_a_real_kernel(loaded: Kernel) -> None:
    for cell in (
        "import io, sys\nf = io.StringIO()",
        "unused = 1",
        "kept = sys.stdout\nsys.stdout = f",
        SHOW,
        "sys.stdout = kept",
        "print('elsewhere')",
        "%%mlops run\nlength = len(f.getvalue())",
    ):
        loaded.run(cell)
    closed = loaded.closed()[-1]
    assert closed.metrics["length"] == len("3\n")
    assert closed.slice is not None
    assert closed.slice.cells == (1, 3, 4, 5, 7)
