"""Execute a notebook with parameters in a kernel of its own, by papermill with a client of ours."""

import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from cellops.capture.header import PARAMETER_CELLS
from cellops.capture.secrets import variables
from cellops.errors import NotebookError
from cellops.pipeline.filling import fill
from cellops.pipeline.kernel_options import KernelOptions, environment_of_kernels
from cellops.pipeline.parameters.showing import bound_parameters
from cellops.pipeline.preparation import prepare
from cellops.pipeline.refusals import Refusals
from cellops.pipeline.reports import gather
from cellops.pipeline.run_cells import run_cells
from cellops.pipeline.seeding import BEGIN, loads_cellops
from cellops.pipeline.stepwise.options import StepsAsked
from cellops.pipeline.worker import OverTimeError
from cellops.records.cached import KeptRun
from cellops.records.execution import CellProgress, CellState, ExecutedNotebook
from cellops.records.parameter import BoundParameters
from cellops.records.step_progress import StepProgress

SAVE_INTERVAL = 10.0
"""Seconds between two savings of the notebook while it is executed."""


def execute(
    notebook: Path,
    output: Path,
    values: Mapping[str, object],
    *,
    parameters_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_progress: Callable[[CellProgress], None] = lambda _: None,
    on_stage: Callable[[str], None] = lambda _: None,
    on_parameters: Callable[[BoundParameters], None] = lambda _: None,
    cwd: Path | None = None,
    kernel: str | None = None,
    cell_timeout: float | None = None,
    total_timeout: float | None = None,
    save_interval: float = SAVE_INTERVAL,
    seed: int | None = None,
    steps: StepsAsked | None = None,
    on_step: Callable[[StepProgress], None] = lambda _: None,
    refusals: Refusals | None = None,
) -> ExecutedNotebook:
    """Execute a notebook and write it with its outputs, without secrets.

    The parameters are checked before a kernel starts. The output is written on a timer and at the end, each time in
    one stroke, and signed at the end. Ctrl-C, SIGTERM and SIGHUP interrupt the cell, stop the kernel and save what
    there is before they end the call.

    Parameters
    ----------
    notebook
        The notebook; it is only read.
    output
        Where the executed notebook goes; an earlier one is replaced.
    values
        Parameters by name, typed or as texts (see `parameters.binding.bind`).
    parameters_file
        YAML, JSON or TOML with more of them; `values` come first, then this file, then the environment's variables
        `CELLOPS_PARAM_NAME`, then the notebook's defaults.
    environment
        What the kernel's environment has on top of this process's. `CELLOPS_NOTEBOOK` is always set, and
        `CELLOPS_EXECUTION` where it is not given.
    on_progress
        Called in the caller's thread when a cell begins and when it ends.
    on_stage
        Called in the caller's thread with what takes a while: the kernel starts, or is stopped.
    on_parameters
        Called once with the parameters, each with its value and where that comes from.
    cwd
        The kernel's working folder; by default the notebook's.
    kernel
        Name of the kernel; by default the notebook's own, else python3.
    cell_timeout
        Seconds that one cell may take; by default as long as it likes.
    total_timeout
        Seconds that the whole may take, starts of kernels included; by default as long as it likes.
    save_interval
        Seconds between two savings.
    seed
        What a cell above all others seeds the shared generators with, in every kernel; by default there is none.
    steps
        How to execute each step in a kernel of its own; by default one kernel executes all cells.
    on_step
        Called in the caller's thread with what becomes of each step.
    refusals
        What the caller has found wrong: it is raised with what is wrong with the notebook.

    Raises
    ------
    NotFoundError
        When the notebook, the working folder or the kernel does not exist.
    ParameterError
        When a parameter is unknown, of the wrong type or missing.
    UnfitError
        When a header cannot be read, or several things are wrong at once; `data["errors"]` then has each.
    NotebookError
        When the file is no notebook, or a cell fails; `data` then has `cell_index` (from 0, in the notebook that was
        given), `line` (from 1, where it is known), `cell_id`, `execution_count`, `ename`, `evalue`, `traceback`
        (lines) and `output`. Or the whole takes too long; `data` then has `cells` (places of those that were going
        on) and `output`.
    KeyboardInterrupt, SystemExit
        When it was stopped by Ctrl-C, or by SIGTERM or SIGHUP (the code is 128 + the signal's number); a note of the
        exception names the notebook as far as it came.
    """
    started = time.perf_counter()
    notebook, output, folder = notebook.resolve(), output.resolve(), (cwd or notebook.parent).resolve()
    own = {"CELLOPS_EXECUTION": uuid.uuid4().hex, **(environment or {}), "CELLOPS_NOTEBOOK": str(notebook)}
    made = prepare(
        notebook,
        values,
        folder=folder,
        output=output,
        parameters_file=parameters_file,
        kernel=kernel,
        steps=steps,
        execution=own["CELLOPS_EXECUTION"],
        seed=seed,
        refusals=refusals,
    )
    source, known, bound = made.source, made.known, made.bound
    told = bound_parameters(known, made.given, bound)
    on_parameters(told)
    own |= {PARAMETER_CELLS: " ".join(known.tagged(source)), **variables(bound)}
    filled = fill(made, told, output, seed)
    executed, seeding, injected = filled.notebook, filled.seeding, filled.injected
    places = {cell.id: place for place, cell in enumerate(source.cells)}
    begun = set[int | None]()
    going_on: dict[int | None, str] = {}
    reused: tuple[KeptRun, ...] = ()

    def on_event(event: CellProgress) -> None:
        # Injected cells have moved those behind them: a person counts the cells that they wrote.
        cell = None if event.index is None else executed.cells[event.index].id
        if cell is not None and cell == seeding:
            return
        place = places.get(cell)
        begun.add(place)
        if event.state is CellState.RUNNING:
            going_on[place] = event.title
        else:
            going_on.pop(place, None)
        on_progress(event.replace(index=place, total=len(places)))

    options = KernelOptions(
        name=made.kernel,
        folder=folder,
        environment=environment_of_kernels(own),
        cell_timeout=cell_timeout,
        save_interval=save_interval,
    )
    try:
        if made.steps is None:
            on_stage("Starting the kernel")
            between = {0: BEGIN} if seed is not None and loads_cellops(source) else {}
            run_cells(
                executed, places, output, on_event, on_stage, kernel=options, between=between, limit=total_timeout
            )
        else:
            from cellops.pipeline.stepwise.engine import StepExecution

            execution = StepExecution(source, executed, places, output, kernel=options, own=own, options=made.steps)
            execution.run(on_event, on_step, on_stage, limit=total_timeout)
            reused = tuple(execution.reused_runs)
    except OverTimeError:
        more = "Give it more time (--total-timeout)" + (", or resume its steps (--resume)" if made.steps else "")
        remedy = f"{more}. As far as it came: {output}"
        raise _over_time(notebook, output, total_timeout, going_on, len(places), remedy=remedy) from None
    except (KeyboardInterrupt, SystemExit) as stopped:
        if begun:
            stopped.add_note(f"The notebook as far as it came: {output}")
        raise
    return ExecutedNotebook(
        notebook=str(notebook),
        output=str(output),
        execution=own["CELLOPS_EXECUTION"],
        kernel=made.kernel,
        parameters=injected,
        places={parameter.name: parameter.place for parameter in told.parameters},
        cells=sum(cell.state is not None for cell in gather.cells(executed, source)),
        reused_runs=reused,
        steps_left_out=() if made.steps is None else made.steps.left_out(source),
        seconds=time.perf_counter() - started,
    )


def _over_time(
    notebook: Path, output: Path, limit: float | None, going_on: Mapping[int | None, str], total: int, *, remedy: str
) -> NotebookError:
    cells = [place for place in going_on if place is not None]
    where = " and ".join(f"at cell {place + 1} of {total} ({going_on[place]})" for place in cells) or "between cells"
    fact = f"{notebook.name} took longer than {limit:g} s in all, and was stopped {where}"
    return NotebookError(fact, remedy=remedy, cells=cells, output=str(output))


def explain(
    notebook: Path,
    values: Mapping[str, object],
    steps: StepsAsked,
    *,
    parameters_file: Path | None = None,
    kernel: str | None = None,
    seed: int | None = None,
    refusals: Refusals | None = None,
) -> tuple[StepProgress, ...]:
    """Say of each step of a notebook whether `execute` would execute it, and why; raises as that does."""
    from cellops.pipeline.stepwise.explaining import explain_steps

    notebook = notebook.resolve()
    made = prepare(
        notebook,
        values,
        folder=notebook.parent,
        parameters_file=parameters_file,
        kernel=kernel,
        steps=steps,
        seed=seed,
        refusals=refusals,
    )
    assert made.steps is not None  # noqa: S101 - they were asked for
    options = KernelOptions(name=made.kernel, folder=notebook.parent, environment={})
    return tuple(explain_steps(made.source, options, made.steps))
