"""A fault of ours while a cell is captured: the record says so, and slices take the cell for one that does anything."""

import pytest

from support.kernel import Kernel

BEGIN = "import cellops.capture.names.watcher as watcher\nx = []"
CELLS = {
    "before the cell": (
        "kept, watcher.watch = watcher.watch, None",
        "watcher.watch = kept\nx = x\ndef f(): x.append(1)",
        "unused = 1",
    ),
    "behind the cell": (
        "kept = watcher.Names._effects",
        "watcher.Names._effects = None\ndef f(): x.append(1)",
        "watcher.Names._effects = kept",
    ),
}


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_later_slices_hold_a_cell_that_was_not_captured(loaded: Kernel, cells: tuple[str, ...]) -> None:
    for cell in (BEGIN, *cells, "f()", "%%mlops run\nlength = len(x)"):
        assert loaded.run(cell).status == "ok"
    missed, following = ([cell for cell in loaded.cells() if cell.source == source] for source in cells[1:])
    assert missed[0].effects is None
    assert following[0].effects is not None
    assert following[0].effects.unknown == ("a cell before it was not captured",)
    closed = loaded.closed()[-1]
    assert closed.metrics["length"] == 1
    assert closed.slice is not None
    orders = [cell.order for cell in loaded.cells()]
    assert set(closed.slice.cells) >= set(orders[-6:])
    assert any("it was not captured" in text for text in closed.slice.widened)


def test_a_cell_that_could_not_be_read_has_its_record_all_the_same(loaded: Kernel) -> None:
    cells = (
        "import cellops.capture.cell as capture\nx = []\nkept = capture.analyse\ncapture.analyse = None",
        "x.append(1)",
        "capture.analyse = kept",
    )
    for cell in (*cells, "%%mlops run\nlength = len(x)"):
        assert loaded.run(cell).status == "ok"
    (missed,) = (cell for cell in loaded.cells() if cell.source == cells[1])
    assert missed.effects is not None
    assert missed.effects.unknown == ("source not understood: a fault of cellops",)
    closed = loaded.closed()[-1]
    assert closed.metrics["length"] == 1
    assert closed.slice is not None
    assert missed.order in closed.slice.cells
