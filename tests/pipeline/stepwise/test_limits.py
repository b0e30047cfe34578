"""Steps that take too long, that are executed in part, and what their kernels leave on the terminal."""

from pathlib import Path

import nbformat
import pytest

from cellops.errors import NotebookError
from cellops.pipeline.engine import execute
from cellops.pipeline.reports.gather import cells
from cellops.pipeline.stepwise.options import Reuse
from cellops.records.execution import CellState
from cellops.records.step_progress import StepState
from support.stepwise import Project

WAITS = "import threading\nthreading.Event().wait()"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / ".cellops").mkdir()
    return Project(tmp_path)


def test_a_notebook_over_its_time_is_stopped_and_its_cell_named(project: Project) -> None:
    project.write("print('first')", WAITS)
    said = r"notebook\.ipynb took longer than 5 s in all, and was stopped at cell 2 of 2 \(import threading\)"
    with pytest.raises(NotebookError, match=said) as caught:
        execute(project.path, project.output, {}, total_timeout=5)
    assert caught.value.data["cells"] == [1]
    assert project.printed() == "first\n"


def test_steps_over_the_time_of_all_are_stopped_and_resumed(project: Project) -> None:
    project.write("%%mlops step first\nprint('first')", f"%%mlops step second\n{WAITS}")
    with pytest.raises(NotebookError, match=r"stopped at cell 2 of 2 \(step second\)"):
        execute(project.path, project.output, {}, steps=project.asked(Reuse.NOTHING), total_timeout=30)
    assert project.printed() == "first\n"
    project.write("%%mlops step first\nprint('first')", "%%mlops step second\nprint('second')")
    project.execute(Reuse.LAST)
    assert (project.reused, project.executed) == (["first"], ["second"])


def test_what_stands_behind_a_resumed_step_can_be_resumed_too(project: Project) -> None:
    project.write("print('shared')", "%%mlops step a\nx = 1", "%%mlops step b\nprint(x)", "%%mlops step c\nprint('c')")
    project.execute(Reuse.NOTHING)
    project.execute(Reuse.LAST, only="a")
    project.execute(Reuse.LAST)
    assert (project.reused, project.executed) == (["a", "b", "c"], [])


def test_the_output_of_shared_cells_stays_when_all_steps_are_reused(project: Project) -> None:
    project.write("n = 2\nprint('shared')", "%%mlops step a\nx = n", "%%mlops step b\nprint(x + n)")
    project.execute()
    assert project.printed() == "shared\n4\n"
    project.execute()
    assert project.executed == []
    assert project.printed() == "shared\n4\n"


def test_a_shared_cell_that_a_step_executes_is_not_told_as_one_that_was_kept(project: Project) -> None:
    fails = "%%mlops step b\nassert open('ready').read() == str(x + n)"
    project.write("n = 2\nprint('shared')", "%%mlops step a\nx = n", fails)
    for _ in range(2):
        with pytest.raises(NotebookError):
            project.execute()
    assert project.states[-1] == ("b", StepState.FAILED)
    assert project.reused == ["a"]
    given, done = (nbformat.read(path, as_version=4) for path in (project.path, project.output))  # type: ignore[no-untyped-call]
    assert [(cell.state, cell.reused) for cell in cells(done, given)] == [
        (CellState.DONE, False),
        (None, True),
        (CellState.FAILED, False),
    ]
    assert project.printed() == "shared\n"


def test_ending_a_kernel_says_nothing(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    slow = """import time
session = get_ipython().kernel.session
send = session.send
def slowly(stream, message, *rest, **more):
    sent = send(stream, message, *rest, **more)
    if message == 'execute_reply':
        time.sleep(1)
    return sent
session.send = slowly"""
    project.write(f"%%mlops step a\n{slow}")
    project.execute(Reuse.NOTHING)
    assert "KeyboardInterrupt" not in capfd.readouterr().err
