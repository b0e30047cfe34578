"""Typed parameters, from where they are given to the run, its proof and its restored notebook."""

import json
from pathlib import Path

import nbformat
import pytest

from cellops.flows.compare import compare
from cellops.flows.execute import execute
from cellops.flows.parameters import parameters
from cellops.flows.verify import verify
from cellops.records.parameter import BoundParameters
from cellops.records.proof import Verdict
from support.kernel import Kernel
from support.notebooks import LOAD, write
from support.proofs import in_short

IMPORTS = """from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Literal

from colors import Color"""
CELL = """%%mlops parameters
class Mode(Enum):
    FAST = 1
    EXACT = 2

folder: Path = Path("data")
day: date = date(2024, 1, 31)
moment: datetime | None = None
mode: Mode = Mode.FAST
color: Color = Color.RED
solver: Literal["sgd", "adam"] = "sgd"
sizes: tuple[int, ...] = (1, 2)
tags: set[str] = {"a"}
depth: int = 4  # of the trees"""
RUN = """%%mlops run --name typed
assert isinstance(folder, Path) and color is Color.GREEN and mode is Mode.EXACT
days = (date(2024, 3, 1) - day).days
score = days / (depth + len(sizes))
print(repr((folder, day, moment, mode, color, solver, sizes, sorted(tags))))"""
GIVEN = """
folder: raw/files
day: 2024-02-29
moment: 2024-02-29T12:00:00+01:00
mode: EXACT
color: GREEN
solver: adam
sizes: [3, 4, 5]
tags: [c, b]
"""


@pytest.fixture
def notebook(project: Path) -> Path:
    (project / "colors.py").write_text("from enum import Enum\n\nclass Color(Enum):\n    RED = 1\n    GREEN = 2\n")
    (project / "production.yaml").write_text(GIVEN)
    return write(project / "n.ipynb", LOAD, IMPORTS, CELL, RUN)


def test_typed_values_reach_the_kernel_the_metadata_the_run_and_its_proof(notebook: Path, project: Path) -> None:
    told: list[BoundParameters] = []
    output = project / "out.ipynb"
    done = execute(
        notebook,
        {"depth": "5"},
        parameters_file=project / "production.yaml",
        output=output,
        on_parameters=told.append,
    )
    executed = nbformat.read(output, as_version=4)
    assert executed.cells[3].source.splitlines() == [
        "%%mlops parameters",
        "folder = Path('raw/files')",
        "day = date(2024, 2, 29)",
        "moment = datetime.fromisoformat('2024-02-29T12:00:00+01:00')",
        "mode = Mode.EXACT",
        "color = Color.GREEN",
        "solver = 'adam'",
        "sizes = (3, 4, 5)",
        "tags = {'b', 'c'}",
        "depth = 5",
    ]
    places = {
        **dict.fromkeys(("folder", "day", "moment", "mode", "color", "solver", "sizes", "tags"), "production.yaml")
    }
    assert executed.metadata.cellops.parameters == places | {"depth": "-p"} == done.executed.places
    assert {one.name: one.place for one in told[0].parameters} == done.executed.places
    given = {
        "folder": "raw/files",
        "day": "2024-02-29",
        "moment": "2024-02-29T12:00:00+01:00",
        "mode": "EXACT",
        "color": "GREEN",
        "solver": "adam",
        "sizes": [3, 4, 5],
        "tags": ["b", "c"],
        "depth": 5,
    }
    assert executed.metadata.papermill.parameters == given == done.executed.parameters
    assert executed.metadata.papermill.default_parameters["mode"] == "FAST"
    (run,) = done.runs
    assert {name: run.parameters[name] for name in given} == {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()
    }
    made = verify(run.run)
    assert made.verdict is Verdict.IDENTICAL


def test_a_notebook_says_what_can_be_given(notebook: Path) -> None:
    found = {one.name: one for one in parameters(notebook)}
    assert found["color"].choices == ("one of RED, GREEN",)
    assert (found["depth"].kind, found["depth"].default, found["depth"].help) == ("int", "4", "of the trees")
    assert not any(one.required or one.problem for one in found.values())


def test_a_parameter_that_becomes_something_without_a_value_is_no_longer_recorded(loaded: Kernel) -> None:
    loaded.run("%%mlops parameters\nx = 1\nkept = 2")
    loaded.run("%%mlops parameters\nx = object()")
    loaded.run("%%mlops run\nscore = 1 / 2")
    assert loaded.closed()[0].parameters == {"kept": 2}


def test_parameters_by_papermills_tag_are_those_of_the_run_too(project: Path) -> None:
    path = write(project / "n.ipynb", LOAD, "rows = 4\nname = 'a'", "%%mlops run\nscore = 1 / rows")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    (first,) = execute(path).runs
    (run,) = execute(path, {"rows": "8"}).runs
    assert run.parameters == {"rows": "8", "name": "a"}
    found = compare(first.run, run.run)
    assert [(one.name, one.before, one.after) for one in found.parameters] == [("rows", "4", "8")]


def test_a_script_is_a_pipeline_with_a_run(project: Path) -> None:
    script = project / "train.py"
    script.write_text(
        "# %%\n# %load_ext cellops\n\n# %%\n# %%mlops parameters\nrows: int = 4\n\n"
        "# %%\n# %%mlops run --name scripted\nscore = 1 / rows\n"
    )
    (run,) = execute(script, {"rows": "8"}).runs
    assert (run.name, run.notebook, run.parameters, run.metrics) == (
        "scripted",
        str(script),
        {"rows": "8"},
        {"score": 0.125},
    )
    assert verify(run.run).verdict is Verdict.IDENTICAL


def test_a_run_is_proven_whatever_it_was_given_that_it_does_not_use(project: Path) -> None:
    declared = "%%mlops parameters\nfrom math import floor\nrate: float = 0.1\nrows: int = 3"
    told = "%load_ext cellops\nimport math\nprint('begun')"
    notebook = write(project / "n.ipynb", told, declared, "%%mlops run\nscore = floor(3.5)")
    run = execute(notebook, {"rate": "0.2"}).runs[0]
    assert run.parameters["rate"] == "0.2"
    made = verify(run.run)
    assert made.verdict is Verdict.IDENTICAL, in_short(made)
    names = {(one.kind, one.name) for cell in made.cells for one in cell.comparisons}
    assert ("parameter", "rate") not in names


def test_what_a_run_was_given_and_uses_is_compared(project: Path) -> None:
    declared = "%%mlops parameters\nrate: float = 0.1"
    notebook = write(project / "n.ipynb", LOAD, declared, "%%mlops run\nscore = rate * 2")
    made = verify(execute(notebook, {"rate": "0.2"}).runs[0].run)
    names = {(one.kind, one.name): one.verdict for cell in made.cells for one in cell.comparisons}
    assert names["parameter", "rate"] is Verdict.IDENTICAL
