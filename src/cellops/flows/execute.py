"""A notebook as a pipeline: executed with parameters, its runs carried to the store with the executed notebook."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cellops.flows.clusters import of_workers
from cellops.flows.ending import Ending
from cellops.flows.gate_figures import GATES
from cellops.flows.gates import Asked
from cellops.flows.gates import prepare as prepare_gates
from cellops.flows.reports import Places
from cellops.flows.steps import StepLog, StepOptions
from cellops.pipeline.engine import execute as execute_notebook
from cellops.pipeline.refusals import Refusals, check_distinct
from cellops.pipeline.stepwise.options import StepsAsked
from cellops.pipeline.worker import signals_raise
from cellops.records.base import Record
from cellops.records.execution import CellProgress, ExecutedNotebook
from cellops.records.gate import GateResult
from cellops.records.parameter import BoundParameters
from cellops.records.report import ExecutionReport
from cellops.records.run import RunStatus, RunSummary
from cellops.records.step_progress import StepProgress
from cellops.settings import Settings, load, prepare

CARRY = "The runs are carried to MLflow by: cellops sync"


class Execution(Record, frozen=True, kw_only=True):
    """What an execution left behind."""

    executed: ExecutedNotebook
    runs: tuple[RunSummary, ...]
    """The runs that the notebook opened, oldest first."""
    unsynced: str | None = None
    """Why the runs are not in the tracking store yet."""
    gates: tuple[GateResult, ...] = ()
    """What holding the runs against the gates has shown; `cellops.flows.gates.refuse` raises what was not passed."""


def _silent(_progress: CellProgress) -> None:
    pass


def execute(
    notebook: Path | str,
    parameters: Mapping[str, object] | None = None,
    *,
    parameters_file: Path | None = None,
    output: Path | None = None,
    cell_timeout: float | None = None,
    total_timeout: float | None = None,
    seed: int | None = None,
    gates: Iterable[str] = (),
    junit: Path | None = None,
    summary: Path | None = None,
    on_report: Callable[[ExecutionReport], None] | None = None,
    on_progress: Callable[[CellProgress], None] = _silent,
    on_stage: Callable[[str], None] = lambda _: None,
    on_parameters: Callable[[BoundParameters], None] = lambda _: None,
    steps: StepOptions | None = None,
    on_step: Callable[[StepProgress], None] = lambda _: None,
    dask: Any = None,
    settings: Settings | None = None,
) -> Execution:
    """Execute a notebook with parameters and wait until its runs are in the tracking store.

    The executed notebook is an artifact of every run that it opened, also when a later cell fails.

    Parameters
    ----------
    notebook
        The notebook; it is not changed.
    parameters
        Values by name, typed or as a command line would give them.
    parameters_file
        YAML, JSON or TOML with more of them. `parameters` come first, then this file, then variables of the environment
        that are named CELLOPS_PARAM_ and the parameter, then the notebook's defaults.
    output
        Where the executed notebook goes; default is a new file below `.cellops/executions`.
    cell_timeout
        Longest time for one cell, in seconds.
    total_timeout
        Longest time for the whole notebook, in seconds.
    seed
        Seeds the generators of python, numpy and torch in every kernel before the first cell.
    gates
        Rules that the runs must satisfy, such as `auc >= 0.72`, beside those of the settings and of the notebook.
    junit, summary
        Where JUnit XML and a summary in Markdown go, written also when a cell fails. Without `summary`, one is
        appended to the file that `GITHUB_STEP_SUMMARY` names.
    on_report
        Called with what there is to report, also when a cell has failed.
    on_progress
        Called at the start and the end of each cell.
    on_stage
        Called with what takes a while: the kernel starts or is stopped, the runs are carried.
    on_parameters
        Called once with the parameters, each with its value and where that comes from.
    steps
        How to execute each step in a kernel of its own; by default one kernel executes the whole notebook.
    on_step
        Called with what becomes of each step.
    dask
        Where steps are executed instead of here, each in a kernel of its own: the address of a scheduler of Dask, a
        cluster, or a client of one. Workers and this machine hand values to each other in the folder of
        `StepOptions.store`; where the scheduler is on this machine none is needed.

    Raises
    ------
    UsageError
        When a gate cannot be read, a report not be written, or the cluster not be used, before a kernel starts.
    NotFoundError, ParameterError, NotebookError, UnfitError
        As `cellops.pipeline.engine.execute` does; the notes name the runs.
    KeyboardInterrupt, SystemExit
        When it was stopped; its notes name the notebook as far as it came, and the runs.
    """
    path = Path(notebook)
    settings = settings or load(path.parent if path.parent.is_dir() else None)
    asked, places, refusals = Asked(), Places(None, None), Refusals()
    with refusals.collecting():
        asked = prepare_gates(gates, path, settings.gates)
    with refusals.collecting():
        check_distinct([path, parameters_file, output], {"--junit": junit, "--summary": summary})
        places = Places(junit, summary)
    identifier = uuid.uuid4().hex
    folder = prepare(settings.folder) if path.is_file() else settings.folder  # a wrong path makes no project anywhere
    target = output or folder / "executions" / f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}-{identifier[:4]}.ipynb"
    asked_steps: StepsAsked | None = None
    steps = StepOptions() if steps is None and dask is not None else steps
    if steps is not None:
        with refusals.collecting():
            asked_steps = replace(steps.asked(settings, dask), figures=asked.measured)
    own = {} if dask is None else of_workers(settings)
    own |= {"CELLOPS_EXECUTION": identifier, GATES: asked.text(), "CELLOPS_PROJECT": str(settings.project)}
    log = StepLog(on_step)
    values: dict[str, str] = {}

    def tell_parameters(told: BoundParameters) -> None:
        values.update((one.name, one.written) for one in told.parameters)
        on_parameters(told)
        for note in asked.notes:
            on_stage(note)

    ending = Ending(
        identifier=identifier,
        notebook=path,
        target=target,
        asked=asked,
        places=places,
        settings=settings,
        parameters=values,
        steps=log,
        seed=seed,
        on_stage=on_stage,
        on_report=on_report,
    )
    with signals_raise():
        try:
            executed = execute_notebook(
                path,
                target,
                dict(parameters or {}),
                parameters_file=parameters_file,
                environment=own,
                on_progress=on_progress,
                on_stage=on_stage,
                on_parameters=tell_parameters,
                cell_timeout=cell_timeout,
                total_timeout=total_timeout,
                seed=seed,
                steps=asked_steps,
                on_step=log,
                refusals=refusals,
            )
        except BaseException as ended:
            if steps is not None:
                steps.tidy(settings, on_stage)
            is_stopped = isinstance(ended, KeyboardInterrupt | SystemExit)
            try:
                kept = ending.end(RunStatus.KILLED if is_stopped else RunStatus.FAILED, ended)
            except (KeyboardInterrupt, SystemExit):
                ended.add_note(CARRY)
                raise ended from None
            for run in kept.runs:
                ended.add_note(f"The run {run.name} is kept as {run.status.lower()}: cellops show {run.run[:8]}")
            raise
        if steps is not None:
            steps.tidy(settings, on_stage)
        try:
            kept = ending.end(RunStatus.FINISHED, made=executed)
        except (KeyboardInterrupt, SystemExit) as stopped:
            stopped.add_note(f"All cells were executed: {executed.output}")
            stopped.add_note(CARRY)
            raise
        return Execution(executed=executed, runs=kept.runs, unsynced=kept.unsynced, gates=kept.gates)
