"""Kernels that are started ahead: no more than are needed, none left behind, and like any other for their notebook."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from cellops.pipeline.in_kernel import in_kernel, started_ahead
from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.spare_kernels import SpareKernels

LOOK = """
import os
print(os.environ["OWN"], os.environ["OF_ALL"])
print(In, [name for name in list(globals()) if not name.startswith("_")])
"""


class Kernel:
    """Stands for what drives one."""

    def __init__(self) -> None:
        self.has_ended = False

    def leave(self) -> None:
        self.has_ended = True


@pytest.fixture
def started() -> Iterator[list[Kernel]]:
    yield (found := [])
    assert all(kernel.has_ended for kernel in found)


def spares(started: list[Kernel], most: int, needed: int | None) -> SpareKernels:
    def start() -> Kernel:
        started.append(Kernel())
        return started[-1]

    return SpareKernels(start, most, needed)  # type: ignore[arg-type]


def test_there_are_as_many_as_may_be_at_once(started: list[Kernel]) -> None:
    found = spares(started, 2, None)
    for _ in range(3):
        found.prepare()
    one = found.take()
    assert one is started[0]
    found.prepare()
    found.close()
    assert len(started) <= 3
    assert not started[0].has_ended
    started[0].leave()  # by whoever has taken it


def test_no_more_are_started_than_are_needed(started: list[Kernel]) -> None:
    found = spares(started, 2, 1)
    for _ in range(3):
        found.prepare()
        if (one := found.take()) is not None:
            one.leave()
    found.close()
    assert len(started) == 1


def test_one_that_does_not_start_is_none() -> None:
    found = SpareKernels(lambda: 1 / 0, 1, None)  # type: ignore[arg-type, return-value]
    found.prepare()
    assert found.take() is None
    found.prepare()
    found.close()
    found.prepare()
    assert found.take() is None


def test_a_kernel_that_was_started_ahead_is_like_any_other(tmp_path: Path) -> None:
    of_all = {**os.environ, "OF_ALL": "1", "OWN": "not yet"}
    found = SpareKernels(
        lambda: started_ahead(KernelOptions(name="python3", folder=tmp_path, environment=of_all)), 1, 1
    )
    found.prepare()
    notebook = new_notebook(cells=[new_code_cell(LOOK, metadata={"papermill": {}})], metadata={"papermill": {}})
    options = KernelOptions(name="python3", folder=tmp_path, environment={**of_all, "OWN": "2"}, spares=found)
    use = KernelRun(
        kernel=options, places={}, output=tmp_path / "o.ipynb", stop=Future(), tell=lambda _: None, save=lambda: None
    )
    assert in_kernel(notebook, use)
    found.close()
    said, names = notebook.cells[0].outputs[0].text.splitlines()
    assert said == "2 1"
    assert names.startswith("['', 'import os")
    assert names.endswith("['In', 'Out', 'get_ipython', 'exit', 'quit', 'open', 'os']")
    assert notebook.cells[0].execution_count == 1
    assert notebook.metadata.language_info.name == "python"
