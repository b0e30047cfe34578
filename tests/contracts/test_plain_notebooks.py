"""Notebooks that nobody wrote for cellops print, display, return and raise the same with it."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

from support.kernel import TIMEOUT, Kernel

OWN = Path(__file__).parents[1] / "notebooks" / "plain"
FOREIGN = Path(papermill.__file__).parent / "tests" / "notebooks"
NOTEBOOKS = [
    *sorted(OWN.glob("*.ipynb")),
    *(
        FOREIGN / f"{name}.ipynb"
        for name in (
            "broken2",
            "complex_parameters",
            "line_magic_error",
            "report_mode_test",
            "simple_execute",
            "sysexit1",
            "test_logging",
        )
    ),
]
OF_THE_PROCESS = re.compile(r"0x[0-9a-f]{6,}|ipykernel_\d+|\d+(?=\.py:\d)")
"""What is another one in each process: addresses in memory and the names of temporary files."""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_gives_the_same_with_and_without(path: Path, tmp_path: Path) -> None:
    """Two kernels, each in a folder of the same length of name, where it finds what the other one finds."""
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    with ThreadPoolExecutor() as threads:
        plain = threads.submit(outputs, tmp_path / "plain", "pass", sources)
        loaded = threads.submit(outputs, tmp_path / "other", "%load_ext cellops", sources)
    for source, without, with_cellops in zip(sources, plain.result(), loaded.result(), strict=True):
        assert with_cellops == without, source


def outputs(folder: Path, first: str, sources: list[str]) -> list[dict[str, Any]]:
    """What each cell gives, once `first` has been executed."""
    folder.mkdir()
    kernel = Kernel(folder, {"CELLOPS_WRITER": "false", "CELLOPS_PROJECT": str(folder)})
    try:
        assert kernel.wait(kernel.send(first, history=False)).status == "ok"
        return [normal(given(kernel, source), folder) for source in sources]
    finally:
        kernel.stop()


def given(kernel: Kernel, source: str) -> dict[str, Any]:
    """All that a cell sends back: texts by stream, everything else in its order, and the reply."""
    sent = kernel.send(source)
    found: dict[str, Any] = {"stdout": "", "stderr": "", "shown": []}
    while True:
        message = kernel.client.get_iopub_msg(timeout=TIMEOUT)
        kind, content = message["msg_type"], message["content"]
        if message["parent_header"].get("msg_id") != sent:
            continue
        if kind == "stream":
            found[content["name"]] += content["text"]
        elif kind == "status" and content["execution_state"] == "idle":
            break
        elif kind not in ("status", "execute_input", "comm_open", "comm_msg"):  # our own channel to the page is none
            found["shown"].append((kind, content))
    reply = kernel.client.get_shell_msg(timeout=TIMEOUT)
    assert reply["parent_header"].get("msg_id") == sent
    return {**found, "reply": reply["content"]}


def normal(value: Any, folder: Path) -> Any:
    """Without what is another one in each process and folder."""
    match value:
        case str():
            return OF_THE_PROCESS.sub("…", value.replace(str(folder), "FOLDER"))
        case dict():
            return {name: normal(held, folder) for name, held in value.items() if name != "engine_info"}
        case list() | tuple():
            return [normal(held, folder) for held in value]
        case _:
            return value
