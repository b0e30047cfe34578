"""What differs between two runs."""

import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from cellops.flows.recorded import Held, recorded
from cellops.pipeline.compare import environment
from cellops.pipeline.compare.cells import cell_changes
from cellops.pipeline.compare.code import code_differences, module_changes
from cellops.pipeline.compare.data import Found, file_differences, table_differences
from cellops.pipeline.compare.results import generator_differences, metric_differences, parameter_differences
from cellops.records.recorded import RecordedRun
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
    with tempfile.TemporaryDirectory(prefix="cellops-") as folder:
        return _compared(
            *(recorded(run, settings, partial(_folder, folder, i)) for i, run in enumerate((before, after)))
        )


def _folder(parent: str, number: int) -> Path:
    found = Path(parent) / str(number)
    found.mkdir()
    return found


def _compared(one: Held, other: Held) -> RunComparison:
    before, after = one.run, other.run
    cells, other_cells = before.slice(), after.slice()
    then, now = before.closed, after.closed
    data, notes = _apart(
        [
            *file_differences(then.files, now.files),
            *table_differences(then.data, now.data, cells, other_cells),
        ]
    )
    notes += [
        f"The slice of {run.name} ({run.run[:8]}) is not known, so its whole trail was compared"
        for run in (before, after)
        if run.closed.slice is None
    ]
    in_what: list[Difference] = []
    if then.environment is not None and now.environment is not None:
        in_what = list(environment.environment_differences(then.environment, now.environment))
        more = environment.others(then.environment, now.environment)
        notes += [f"{more} more distributions differ, which neither run had imported"] if more else []
    else:
        notes.append("The environments were not compared: not both runs have one on their record")
    return RunComparison(
        before=_side(before),
        after=_side(after),
        sources=(*cell_changes(cells, other_cells), *module_changes(then, now, one.source, other.source)),
        code=tuple(code_differences(then.code, now.code)),
        parameters=(*parameter_differences(before, after), *generator_differences(cells, other_cells)),
        data=tuple(data),
        environment=tuple(in_what),
        metrics=tuple(metric_differences(before, after)),
        compared=_counts(before, after),
        notes=tuple(notes),
    )


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
        "code": max(len(run.slice()) + len(run.closed.modules) for run in both),
        "parameters": max(len(run.closed.parameters) for run in both),
        "data": max(len(run.closed.files) + len(run.closed.data) for run in both),
        "environment": max((len(found.imported) for found in environments), default=0),
        "metrics": max(len(run.closed.metrics) for run in both),
    }
