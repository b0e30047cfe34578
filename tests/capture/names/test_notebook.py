"""How the notebook stands: what a page tells counts until a newer file does, and what does not fit is not heard."""

import os

import pytest

from cellops.capture.names.notebook import Notebook
from cellops.records.notebook import NotebookShown, ShownCell
from support import notebooks
from support.kernel import TIMEOUT, Kernel

RUN = "%%mlops run\ntotal = rate * 2"


def _tell(kernel: Kernel, data: object) -> None:
    """Say something over the comm that the kernel has opened, as a page does before it has a cell executed."""
    kernel.client.comm_info("cellops")
    comms: dict[str, object] = {}
    while "comms" not in comms:
        comms = kernel.client.get_shell_msg(timeout=TIMEOUT)["content"]
    (comm,) = comms["comms"]
    message = kernel.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
    kernel.client.shell_channel.send(message)


def _show(kernel: Kernel, **sources: str) -> None:
    _tell(kernel, {"event": "notebook", "cells": [{"id": name, "source": text} for name, text in sources.items()]})


def _seen(kernel: Kernel) -> list[tuple[str, str]]:
    """The findings of the last run that speak of `rate`."""
    return [(f.code, f.seen) for f in kernel.closed()[-1].findings if "rate" in f.seen]


def test_a_cell_edited_on_the_page_and_not_saved(loaded: Kernel) -> None:
    loaded.run("rate = 3", cell_id="a")
    _show(loaded, a="rate = 4", b=RUN)
    loaded.run(RUN, cell_id="b")
    assert _seen(loaded) == [("cell-edited", "rate was bound by In [2], which has been edited since")]
    loaded.run("rate = 4", cell_id="a")
    loaded.run(RUN, cell_id="b")
    assert _seen(loaded) == []


def test_a_cell_deleted_on_the_page_and_not_saved(loaded: Kernel) -> None:
    loaded.run("rate = 3", cell_id="a")
    _show(loaded, b=RUN)
    loaded.run(RUN, cell_id="b")
    assert _seen(loaded) == [("cell-deleted", "rate was bound by In [2], which no longer stands in the notebook")]
    assert "rate was bound by In [2]" in loaded.run("%mlops status").streams


def test_cells_moved_on_the_page_and_not_saved(loaded: Kernel) -> None:
    loaded.run("rate = 3", cell_id="a")
    _show(loaded, b=RUN, a="rate = 3")
    loaded.run(RUN, cell_id="b")
    assert _seen(loaded) == [("out-of-order", "rate was bound by In [2], which stands below In [3] that reads it")]


def test_a_secret_in_a_cell_is_no_edit(loaded: Kernel) -> None:
    source = "password = 'correct horse'\nrate = 3"
    loaded.run(source, cell_id="a")
    _show(loaded, a=source, b=RUN)
    loaded.run(RUN, cell_id="b")
    assert _seen(loaded) == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        None,
        {"event": "news"},
        {"event": "notebook"},
        {"event": "notebook", "cells": [{"id": 7, "source": "x"}]},
    ],
)
def test_what_no_page_of_this_version_tells_is_not_heard(loaded: Kernel, data: object) -> None:
    loaded.run("rate = 3", cell_id="a")
    _tell(loaded, data)
    done = loaded.run(RUN, cell_id="b")
    assert (done.status, done.errors, _seen(loaded)) == ("ok", [], [])


def test_the_newer_of_page_and_file_counts(tmp_path) -> None:
    path = notebooks.write(tmp_path / "work.ipynb", "x = 1")
    notebook = Notebook(str(path))
    assert notebook.read().sources == {"cell-0": "x = 1"}
    notebook.show(NotebookShown(cells=(ShownCell(id="cell-0", source="x = 2"),)))
    os.utime(path, (1, 1))
    assert notebook.read().sources == {"cell-0": "x = 2"}
    later = notebook.read().when + 10
    os.utime(path, (later, later))
    assert notebook.read().sources == {"cell-0": "x = 1"}
    path.unlink()
    assert notebook.read().sources == {"cell-0": "x = 2"}


def test_a_file_without_cell_ids_says_nothing_of_its_cells(tmp_path) -> None:
    path = tmp_path / "old.ipynb"
    path.write_text('{"cells": [{"cell_type": "code", "source": "x = 1"}], "nbformat": 4, "nbformat_minor": 4}')
    assert Notebook(str(path)).read() is None


def test_ids_that_no_notebook_holds_are_not_missed_in_it(kernel: Kernel) -> None:
    """VS Code calls a cell by an address of its own while the notebook is open."""
    path = notebooks.write(kernel.project / "work.ipynb", "rate = 3", RUN)
    kernel.run(f"__vsc_ipynb_file__ = {str(path)!r}\n%load_ext cellops")
    kernel.run("rate = 3", cell_id="vscode-notebook-cell:/work.ipynb#W0")
    os.utime(path)
    kernel.run(RUN, cell_id="vscode-notebook-cell:/work.ipynb#W1")
    assert _seen(kernel) == []
