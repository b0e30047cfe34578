import asyncio
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from cellops.errors import CellopsError, NoNotebookError, NotebookError, NotFoundError, ParameterError, UsageError
from cellops.pipeline.engine import execute
from cellops.pipeline.notebook import read, sign
from cellops.records.execution import CellProgress, CellState, ExecutedNotebook


def cells_of(path: Path) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook.cells  # type: ignore[no-any-return]


def printed(cell: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


PARAMETERS = """%%mlops parameters
months: list[int] = [1]
rate: float = 0.1
text: str = ""
limit: int | None = 3
flag: bool = False
weights: dict[str, float] = {}
"""


def test_parameters_of_all_types_arrive(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook("%load_ext cellops", PARAMETERS, "print(repr((months, rate, text, limit, flag, weights)))")
    output = tmp_path / "new" / "executed.ipynb"
    given = {
        "months": "[2, 3]",
        "rate": "-inf",
        "text": "a = 'b'\nü \"c\"",
        "limit": None,
        "flag": "true",
        "weights": {"x": 1},
    }
    executed = execute(notebook, output, given)
    cells = cells_of(output)
    assert printed(cells[3]) == repr(([2, 3], -math.inf, "a = 'b'\nü \"c\"", None, True, {"x": 1.0})) + "\n"
    assert cells[2].metadata.tags == ["injected-parameters"]
    assert executed == ExecutedNotebook(
        notebook=str(notebook),
        output=str(output),
        execution=executed.execution,
        kernel="python3",
        parameters={**given, "months": [2, 3], "rate": -math.inf, "flag": True, "weights": {"x": 1.0}},
        places=dict.fromkeys(given, "-p"),
        cells=4,
        seconds=executed.seconds,
    )
    stored = json.loads(output.read_text(), parse_constant=pytest.fail)["metadata"]["papermill"]
    assert stored["parameters"]["months"] == [2, 3]
    assert stored["default_parameters"]["limit"] == 3


def test_the_kernel_knows_notebook_execution_cell_and_folder(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook(
        "get_ipython().events.register('pre_run_cell', lambda info: print(info.cell_id))",
        "import os; print(os.environ['CELLOPS_NOTEBOOK'], os.environ['CELLOPS_EXECUTION'], os.getcwd())",
    )
    events: list[CellProgress] = []
    executed = execute(notebook, tmp_path / "out.ipynb", {}, on_progress=events.append)
    assert printed(cells_of(tmp_path / "out.ipynb")[1]).split() == [
        "step-1",
        str(notebook),
        executed.execution,
        str(tmp_path),
    ]
    assert [(event.index, event.total, event.state) for event in events] == [
        (0, 2, CellState.RUNNING),
        (0, 2, CellState.DONE),
        (1, 2, CellState.RUNNING),
        (1, 2, CellState.DONE),
    ]


def test_a_given_execution_and_folder_are_kept(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook("import os; print(os.environ['CELLOPS_EXECUTION'], os.getcwd())")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    execute(notebook, tmp_path / "out.ipynb", {}, environment={"CELLOPS_EXECUTION": "abc"}, cwd=folder)
    assert printed(cells_of(tmp_path / "out.ipynb")[0]).split() == ["abc", str(folder)]


def test_the_executed_notebook_is_trusted(make_notebook, tmp_path: Path) -> None:
    execute(make_notebook("1"), tmp_path / "out.ipynb", {})
    assert NotebookNotary().check_signature(nbformat.read(tmp_path / "out.ipynb", as_version=4))


def test_widget_state_is_saved(make_notebook, tmp_path: Path) -> None:
    execute(make_notebook("import ipywidgets; ipywidgets.IntSlider(3)"), tmp_path / "out.ipynb", {})
    widgets = nbformat.read(tmp_path / "out.ipynb", as_version=4).metadata.widgets
    states = widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    assert {"IntSliderModel"} <= {state["model_name"] for state in states}


def test_the_colours_of_a_message_are_left_out(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook(r"raise ValueError('\x1b[1;31mred\x1b[0m and \x1b[2Kplain')")
    with pytest.raises(NotebookError, match=r"line 1: ValueError: red and plain"):
        execute(notebook, tmp_path / "out.ipynb", {})


def test_a_failing_cell_is_named_and_saved(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook("a = 1", "b = 2", "c = 3", "d = 4", "e = 5", "print('so far')\n1 / 0", "print('never')")
    output = tmp_path / "out.ipynb"
    events: list[CellProgress] = []
    with pytest.raises(
        NotebookError, match=r"notebook.ipynb failed in cell 6 of 7, In \[6\], line 2: ZeroDivisionError"
    ) as caught:
        execute(notebook, output, {}, on_progress=events.append)
    data = caught.value.data
    assert data["cell_index"] == 5
    assert data["line"] == 2
    assert data["cell_id"] == "step-5"
    assert data["execution_count"] == 6
    assert (data["ename"], data["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert data["output"] == str(output)
    assert "1 / 0" in "".join(data["traceback"]).replace("\x1b[32m", "").replace("\x1b[39m", "")
    cells = cells_of(output)
    assert printed(cells[5]) == "so far\n"
    assert cells[5].outputs[-1].ename == "ZeroDivisionError"
    assert [cell.metadata.papermill.status for cell in cells[4:]] == ["completed", "failed", "pending"]
    assert cells[6].outputs == []
    assert events[-1].state is CellState.FAILED


def test_cells_are_counted_as_in_the_notebook_that_was_given(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook("%%mlops parameters\nx: int = 1", "def f():\n    1 / 0", "x\nf()").rename(
        tmp_path / "n.ipynb"
    )
    content = nbformat.read(notebook, as_version=4)
    content.cells.insert(0, nbformat.v4.new_code_cell("%load_ext cellops"))
    nbformat.write(content, notebook)
    events: list[CellProgress] = []
    with pytest.raises(NotebookError, match=r"n.ipynb failed in cell 4 of 4, In \[5\], line 2: Zero") as caught:
        execute(notebook, tmp_path / "out.ipynb", {"x": 2}, on_progress=events.append)
    assert caught.value.data["cell_index"] == 3
    assert [(e.index, e.total) for e in events if e.state is not CellState.RUNNING] == [
        (0, 4),
        (1, 4),
        (None, 4),
        (2, 4),
        (3, 4),
    ]


def test_a_cell_that_may_fail_does_not_end_the_notebook(make_notebook, tmp_path: Path) -> None:
    path = make_notebook("1 / 0", "print('on')")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].metadata["tags"] = ["raises-exception"]
    nbformat.write(notebook, path)
    assert execute(path, tmp_path / "out.ipynb", {}).cells == 2


def test_leaving_on_purpose_is_no_failure(make_notebook, tmp_path: Path) -> None:
    execute(make_notebook("import sys; sys.exit()", "print('never')"), tmp_path / "out.ipynb", {})
    assert cells_of(tmp_path / "out.ipynb")[1].outputs == []


def test_a_notebook_is_signed_where_jupyter_has_its_data_by_now(make_notebook, tmp_path, monkeypatch) -> None:
    notebook = make_notebook("1")
    for name in ("one", "other"):
        monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / name))
        (tmp_path / name).mkdir()
        sign(notebook)
        assert NotebookNotary().check_signature(nbformat.read(notebook, as_version=4))


def test_a_killed_kernel_is_told_with_its_signal(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook("print('before')", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(NotebookError, match=r"killed by signal 9 \(SIGKILL\), often for want of memory") as caught:
        execute(notebook, tmp_path / "out.ipynb", {})
    assert caught.value.data["cell_index"] == 1
    cells = cells_of(tmp_path / "out.ipynb")
    assert printed(cells[0]) == "before\n"
    assert cells[1].outputs[-1].ename == "DeadKernelError"


@pytest.fixture
def little_memory() -> Iterator[Path]:
    """A control group whose processes may have 200 MB together, where this machine lets one be made."""
    versions = {Path("/sys/fs/cgroup/memory"): "memory.limit_in_bytes", Path("/sys/fs/cgroup"): "memory.max"}
    folder = next((folder for folder in versions if (folder / "cgroup.procs").exists()), None)
    if folder is None or not os.access(folder, os.W_OK):
        pytest.skip("control groups of memory cannot be made here")
    group = folder / f"cellops-test-{os.getpid()}"
    group.mkdir()
    try:
        if not (group / versions[folder]).exists():
            pytest.skip("control groups have no limit of memory here")
        (group / versions[folder]).write_text(str(200 * 2**20))
        yield group
    finally:
        group.rmdir()


def test_a_kernel_that_used_up_the_memory_is_told_so(make_notebook, tmp_path: Path, little_memory: Path) -> None:
    joins = f"import os\nopen({str(little_memory / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))"
    notebook = make_notebook(joins, "held = [bytearray(b'x' * 2**20) for _ in range(2000)]")
    with pytest.raises(NotebookError, match="out of memory: the kernel was killed by signal 9") as caught:
        execute(notebook, tmp_path / "out.ipynb", {})
    assert caught.value.data["cell_index"] == 1


def test_a_kernel_that_ends_itself_is_told_with_its_code(make_notebook, tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="ended by itself with exit code 3"):
        execute(make_notebook("import os; os._exit(3)"), tmp_path / "out.ipynb", {})


def test_a_cell_over_its_time_is_interrupted(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook("import threading; threading.Event().wait()")
    with pytest.raises(NotebookError, match=r"cell took longer than 0\.2 s, the longest for one cell \(--timeout\)"):
        execute(notebook, tmp_path / "out.ipynb", {}, cell_timeout=0.2)
    enames = [output.ename for output in cells_of(tmp_path / "out.ipynb")[0].outputs]
    assert enames == ["KeyboardInterrupt", "TimeoutError"]


def test_much_output_arrives_whole_and_in_order(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook("for i in range(50_000): print(i)\ndisplay('between')\nprint('end')")
    execute(notebook, tmp_path / "out.ipynb", {})
    outputs = cells_of(tmp_path / "out.ipynb")[0].outputs
    assert [output.output_type for output in outputs] == ["stream", "display_data", "stream"]
    assert outputs[0].text == "".join(f"{i}\n" for i in range(50_000))


def test_the_notebook_is_saved_while_it_runs(make_notebook, tmp_path: Path) -> None:
    output = tmp_path / "out.ipynb"
    look = f"""
import pathlib, time
saved = pathlib.Path({str(output)!r})
while not saved.exists():
    time.sleep(0.01)
print("the first cell" in saved.read_text())
"""
    execute(make_notebook("print('the', 'first cell')", look), output, {}, save_interval=0.05)
    assert printed(cells_of(output)[1]) == "True\n"
    assert [path.name for path in tmp_path.glob(".*.part")] == []


def test_an_executed_notebook_runs_again_with_other_values(make_notebook, tmp_path: Path) -> None:
    first, second = tmp_path / "first.ipynb", tmp_path / "second.ipynb"
    path = make_notebook("x = 1", "print(x)")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    execute(path, first, {"x": 2})
    execute(first, second, {"x": 3})
    assert [cell.source for cell in cells_of(second)] == ["x = 1", "x = 3", "print(x)"]
    assert printed(cells_of(second)[2]) == "3\n"


def test_it_works_inside_a_running_event_loop(make_notebook, tmp_path: Path) -> None:
    async def in_a_loop() -> ExecutedNotebook:
        return execute(make_notebook("await __import__('asyncio').sleep(0)"), tmp_path / "out.ipynb", {})

    assert asyncio.run(in_a_loop()).cells == 1


def test_an_older_notebook_gets_the_same_cell_ids_each_time(make_notebook, tmp_path: Path) -> None:
    path = make_notebook("1", "2")
    content = json.loads(path.read_text())
    content["nbformat_minor"] = 4
    for cell in content["cells"]:
        del cell["id"]
    path.write_text(json.dumps(content))
    execute(path, tmp_path / "out.ipynb", {})
    assert [cell.id for cell in cells_of(tmp_path / "out.ipynb")] == ["cell-0", "cell-1"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON"),
        ("\x89PNG", "is no text in UTF-8"),
        ("[1]", "its nbformat is None"),
        ('{"nbformat": 3, "nbformat_minor": 0, "worksheets": [], "metadata": {}}', "its nbformat is 3"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "not a valid notebook"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}', "not a valid notebook"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 7}', "not a valid notebook"),
    ],
)
def test_what_is_no_notebook_is_refused(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(NotebookError, match=said):
        execute(path, tmp_path / "out.ipynb", {})
    assert not (tmp_path / "out.ipynb").exists()


def test_a_notebook_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no notebook .*missing.ipynb"):
        execute(tmp_path / "missing.ipynb", tmp_path / "out.ipynb", {})


def test_an_unknown_kernel_is_refused_naming_the_installed(make_notebook, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no kernel named julia.*python3"):
        execute(make_notebook("1", kernel="julia"), tmp_path / "out.ipynb", {})


def test_a_kernel_that_cannot_start_leaves_nothing(make_notebook, tmp_path: Path) -> None:
    folder = tmp_path / "jupyter" / "kernels" / "broken"
    folder.mkdir(parents=True)
    argv = ["python", "-c", "raise SystemExit(4)", "{connection_file}"]
    spec = {"argv": argv, "display_name": "broken", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    with pytest.raises(NotebookError, match="The kernel broken did not start"):
        execute(make_notebook("1"), tmp_path / "out.ipynb", {}, kernel="broken")
    assert not (tmp_path / "out.ipynb").exists()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"output": "notebook.ipynb"}, UsageError),
        ({"output": "."}, UsageError),
        ({"cwd": "nowhere"}, NotFoundError),
        ({"values": {"x": 1}}, ParameterError),
    ],
)
def test_wrong_arguments_are_refused_before_a_kernel_starts(
    make_notebook, tmp_path: Path, wrong: dict[str, Any], error: type[CellopsError]
) -> None:
    notebook, output = make_notebook("1"), tmp_path / wrong.get("output", "out.ipynb")
    before = notebook.read_bytes()
    events: list[CellProgress] = []
    with pytest.raises(error):
        execute(
            notebook,
            output,
            wrong.get("values", {}),
            cwd=tmp_path / wrong["cwd"] if "cwd" in wrong else None,
            on_progress=events.append,
        )
    assert events == []
    assert not (tmp_path / "out.ipynb").exists()
    assert notebook.read_bytes() == before


def test_a_verb_that_no_cell_has_is_told_before_a_kernel_starts(make_notebook, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    notebook = make_notebook(f"open({str(marker)!r}, 'w').close()", "%%mlops stpe train\nx = 1")
    with pytest.raises(
        NotebookError, match=r"Cell 2: %%mlops stpe: no cell has this verb\. Write %%mlops step"
    ) as caught:
        execute(notebook, tmp_path / "executed.ipynb", {})
    assert caught.value.data["cell_index"] == 1
    assert not marker.exists()


def test_a_notebook_of_a_folder_above_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.ipynb").touch()
    (tmp_path / "sub" / "deeper").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "sub" / "deeper")
    with pytest.raises(NoNotebookError, match=r"Did you mean \.\./\.\./train\.ipynb\?"):
        read(Path("train.ipynb"))
