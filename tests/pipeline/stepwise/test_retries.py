"""A step that fails is executed again, each time after a longer pause, and a stop does not wait for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cellops.errors import NotebookError
from cellops.pipeline.stepwise.options import Reuse
from cellops.records.step_progress import StepState
from support.stepwise import Project

FAILS = "%%mlops step own --retries 3\nwith open('tries', 'a') as file:\n    file.write('x')\nraise OSError('busy')"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    (folder / ".cellops").mkdir(parents=True)
    return Project(folder)


def test_a_step_is_tried_as_often_as_it_may_and_each_pause_is_told(project: Project) -> None:
    asked: list[float] = []

    def pauses() -> Iterator[float]:
        for pause in (0.001, 0.002, 0.004, 0.008):
            asked.append(pause)
            yield pause

    project.write(FAILS)
    with pytest.raises(NotebookError, match="busy"):
        project.execute(Reuse.NOTHING, pauses=pauses)
    states = [state for _, state in project.states]
    assert states == [StepState.RUNNING, *[StepState.AGAIN] * 3, StepState.FAILED]
    assert [text.rpartition("; ")[2] for text in project.told[1:4]] == [
        "the next of 3 more tries in 0.001 s",
        "the next of 2 more tries in 0.002 s",
        "the next of 1 more try in 0.004 s",
    ]
    assert (project.folder / "tries").read_text() == "xxxx"
    assert asked == [0.001, 0.002, 0.004, 0.008]


def test_a_stop_does_not_wait_for_the_next_try(project: Project) -> None:
    project.write(FAILS)
    project.stop_at = StepState.AGAIN
    with pytest.raises(KeyboardInterrupt):
        project.execute(Reuse.NOTHING, pauses=lambda: iter([3600.0]))
    assert (project.folder / "tries").read_text() == "x"
