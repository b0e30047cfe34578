"""What steps hand on: functions, arrays that share memory, and the trails of the values."""

from pathlib import Path

import pytest

from cellops.pipeline.stepwise.handing import joined
from cellops.pipeline.stepwise.options import Reuse
from cellops.records.cell import CellRecord, Outcome
from cellops.records.step_trail import StepTrail
from support.stepwise import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / ".cellops").mkdir()
    return Project(tmp_path)


def cell(session: str, order: int) -> CellRecord:
    return CellRecord(
        session=session,
        order=order,
        source="",
        started=0,
        duration=0,
        overhead=0,
        outcome=Outcome.OK,
        cell_id=f"{order}",
    )


def test_trails_are_joined_with_each_kernel_once_and_behind_those_that_it_needs() -> None:
    load = (cell("load", 1), cell("load", 3))
    grow = StepTrail(session="grow", cells=(*load, cell("grow", 4)), widened=("it may",))
    fit = StepTrail(session="fit", cells=(*load, cell("fit", 6), cell("fit", 7)), widened=("it may", "so may it"))
    both = joined([grow, StepTrail(session="load", cells=load), fit, grow])
    assert [(one.session, one.cell_id, one.order) for one in both.cells] == [
        ("load", "1", 1),
        ("load", "3", 2),
        ("grow", "4", 3),
        ("fit", "6", 4),
        ("fit", "7", 5),
    ]
    assert both.widened == ("it may", "so may it")


def test_a_lambda_of_an_earlier_step_is_defined_again(project: Project) -> None:
    project.write("%%mlops step a\nk = 2; times = lambda z: z * k; k = 3", "%%mlops step b\nprint(times(1))")
    project.execute(Reuse.NOTHING)
    assert project.printed() == "3\n"


def test_arrays_that_share_memory_share_it_in_the_next_step(project: Project) -> None:
    project.write(
        "import numpy as np",
        "%%mlops step a\nwhole = np.zeros(4)\npart = whole[:2]",
        "%%mlops step b\nwhole[0] = 7\nprint(part)",
    )
    project.execute(Reuse.NOTHING)
    assert project.reasons == {}
    assert project.printed() == "[7. 0.]\n"


def test_a_step_behind_the_same_object_is_not_executed_again(project: Project) -> None:
    cells = [
        "class Model:\n    kinds = {'a', 'b', 'c'}\n    def __init__(self, rate):\n        self.rate = rate",
        "%%mlops step fit\nmodel = Model(0.5)\nmodel.words = {'d', 'e', 'f'}",
        "%%mlops step use\nprint(model.rate, type(model) is Model)",
    ]
    project.write(*cells)
    project.execute()
    project.write(cells[0], cells[1].replace("0.5", "1 / 2"), cells[2])
    project.execute()
    assert (project.executed, project.reused) == (["fit"], ["use"])
    assert project.printed() == "0.5 True\n"
