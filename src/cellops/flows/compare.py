"""What differs between two runs."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from cellops.capture.temporary import temporary_folder
from cellops.flows.recorded import Held, recorded
from cellops.pipeline.compare import code, environment
from cellops.pipeline.compare.cells import cell_changes
from cellops.pipeline.compare.code import code_differences, module_changes
from cellops.pipeline.compare.data import Found, file_differences, table_differences
from cellops.pipeline.compare.results import generator_differences, metric_differences, parameter_differences
from cellops.pipeline.compare.written import once
from cellops.records.recorded import RecordedRun
from cellops.records.run import RunClosed
from cellops.records.run_comparison import Difference, RunComparison, Side
from cellops.settings import Settings, load


def compare(before: str, after: str, *, settings: Settings | None = None) -> RunComparison:
    """Hold two runs against each other by their records: code, parameters, data, environment and metrics.

    Nothing is executed. Code is what both runs depended on: the cells of their slices, which nbdime aligns, and the
    project's modules.

    Parameters
    ----------
    before, after
        Each the start of a run's key, its name, its MLflow id, or `last`.

    Raises
    ------
    NotFoundError
        When there is no such run.
    RecordError
        When a run has not ended, or its record is not whole.
    TrackingError
        When the tracking store has to be asked and does not answer.
    """
    settings = settings or load()
    with temporary_folder() as folder:
        return _compared(
            *(recorded(run, settings, partial(_folder, folder, i)) for i, run in enumerate((before, after)))
        )


def _folder(parent: Path, number: int) -> Path:
    found = parent / str(number)
    found.mkdir()
    return found


def _compared(one: Held, other: Held) -> RunComparison:
    before, after = one.run, other.run
    cells, other_cells = before.slice(), after.slice()
    then, now = before.closed, after.closed
    tables = table_differences(then.data, now.data, cells, other_cells)
    data, of_data = _apart([*file_differences(then.files, now.files), *tables])
    in_what, of_environment = _environment(then, now)
    of_slices = [
        f"The slice of {run.name} ({run.run[:8]}) is not known, so its whole trail was compared"
        for run in (before, after)
        if run.closed.slice is None
    ]
    untracked = code.others(then, now)
    of_code = [f"Files that git does not know and neither run has used differ: {untracked}"] if untracked else []
    return RunComparison(
        before=_side(before),
        after=_side(after),
        sources=(
            *cell_changes(cells, other_cells, (before.trail, after.trail)),
            *module_changes(then, now, one.source, other.source),
        ),
        code=tuple(code_differences(then, now)),
        parameters=(*parameter_differences(before, after), *generator_differences(cells, other_cells)),
        data=tuple(data),
        environment=tuple(in_what),
        metrics=tuple(metric_differences(before, after)),
        compared=_counts(before, after),
        notes=(*of_slices, *of_code, *of_data, *of_environment),
    )


def _environment(before: RunClosed, after: RunClosed) -> tuple[list[Difference], list[str]]:
    """The differences of the environments, and what is to be said of the comparison."""
    if before.environment is None or after.environment is None:
        return [], ["The environments were not compared: not both runs have one on their record"]
    more = environment.others(before.environment, after.environment)
    notes = [f"{more} more distributions differ, which neither run had imported"] if more else []
    return list(environment.environment_differences(before.environment, after.environment)), notes


def _apart(found: Iterable[Found]) -> tuple[list[Difference], list[str]]:
    held = list(found)
    return [one for one in held if isinstance(one, Difference)], [one for one in held if isinstance(one, str)]


def _side(run: RecordedRun) -> Side:
    return Side(run=run.run, name=run.name, status=run.closed.status, started=run.started, notebook=run.notebook)


def _counts(before: RecordedRun, after: RecordedRun) -> dict[str, int]:
    """How many things the larger of both runs has of each kind."""
    both = (before, after)
    environments = [run.closed.environment for run in both if run.closed.environment is not None]
    return {
        "code": max(len(once(run.slice())) + len(run.closed.modules) for run in both),
        "parameters": max(len(run.closed.parameters) for run in both),
        "data": max(len(run.closed.files) + len(run.closed.data) for run in both),
        "environment": max((len(found.imported) for found in environments), default=0),
        "metrics": max(len(run.closed.metrics) for run in both),
    }
