"""Small notebooks, made where they are needed, and folders that nothing else uses."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

MakeNotebook = Callable[..., Path]


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("CELLOPS_PROJECT", str(tmp_path))
    monkeypatch.setenv("CELLOPS_WRITER", "false")
    monkeypatch.delenv("CELLOPS_EXECUTION", raising=False)


@pytest.fixture
def make_notebook(tmp_path: Path) -> MakeNotebook:
    """Write a notebook of these code cells; their ids are `step-0`, `step-1` …"""

    def make(*sources: str, kernel: str = "python3") -> Path:
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
        for index, source in enumerate(sources):
            cell = nbformat.v4.new_code_cell(source)
            cell.id = f"step-{index}"
            notebook.cells.append(cell)
        path = tmp_path / "notebook.ipynb"
        nbformat.write(notebook, path)
        return path

    return make
