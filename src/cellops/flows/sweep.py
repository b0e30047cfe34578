"""A search over the parameters of a notebook: trials executed, compared by a metric, and carried as runs below one."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.settings import Settings, load

if TYPE_CHECKING:
    from cellops.pipeline.forkserver.process import ForkingProcess
    from cellops.records.execution import CellProgress
    from cellops.records.sweep import SweepPlan, Swept, Trial


def sweep(
    notebook: Path | str,
    space: Mapping[str, object] | None = None,
    *,
    metric: str | None = None,
    maximize: bool | None = None,
    trials: int | None = None,
    sampler: str | None = None,
    jobs: int | None = None,
    seed: int | None = None,
    prune: bool = False,
    models: str | None = None,
    parameters_file: Path | None = None,
    output: Path | None = None,
    cell_timeout: float | None = None,
    trial_timeout: float | None = None,
    total_timeout: float | None = None,
    resume: bool = False,
    dask: Any = None,
    store: str | None = None,
    on_plan: "Callable[[SweepPlan], None]" = lambda _: None,
    on_trial: "Callable[[Trial], None]" = lambda _: None,
    on_cell: "Callable[[int, CellProgress], None]" = lambda _, __: None,
    on_stage: Callable[[str], None] = lambda _: None,
    on_result: "Callable[[Swept], None]" = lambda _: None,
    settings: Settings | None = None,
) -> "Swept":
    """Execute a notebook again and again with other parameters, and find those with the best metric.

    Each trial is an execution in a fresh kernel, with its own executed notebook; its runs stand in the tracking store
    below one for the whole sweep. What was completed is kept, whatever happens behind it.

    Parameters
    ----------
    notebook
        The notebook; it is not changed.
    space
        By the names of parameters what is searched: texts such as `rbf,linear`, `3..10` and `0.01:0.3:log`, lists of
        choices, ranges; or one value, which all trials have.
    metric
        What the trials are compared by, of the runs that they open.
    maximize
        Whether more of it is better; by default what the last word of its name tells: less of a loss or an error.
    trials
        How many there are to be; by default one for each combination.
    sampler
        Who chooses values: `grid`, `random` or `tpe`; by default the one that fits.
    jobs
        How many trials are executed at once; by default one, and with `dask` as many as the cluster has threads. Those
        of this machine share its processors, unless `OMP_NUM_THREADS` or its like says otherwise.
    seed
        Seeds the sampler, and the generators of python, numpy and torch in every kernel.
    prune
        Whether a trial is stopped that reports (`cellops.report`) worse values than half of the others did.
    models
        Of which trials the fitted models are kept in the tracking store: `best`, which is the default, `all` or `none`.
    parameters_file
        YAML, JSON or TOML with values that all trials have.
    output
        Where the picture goes, an SVG; one also stands in the folder of the sweep.
    cell_timeout, trial_timeout, total_timeout
        Longest time for one cell, one trial and the whole sweep, in seconds.
    resume
        Go on with the last sweep of the notebook; what is not given then is as it was.
    dask
        Where trials are executed instead of here: the address of a scheduler of Dask, a cluster, or a client of one.
    store
        Address, as fsspec takes it, of a folder in which workers hand over what trials leave; by default the one of
        the settings, or of this project where the scheduler is on this machine.
    on_plan
        Called once with what will be done, before a kernel starts.
    on_trial
        Called when a trial begins and when it ends.
    on_cell
        Called with the number of a trial and how one of its cells stands, from the threads of the trials; those on a
        cluster do not tell.
    on_stage
        Called with what takes a while.
    on_result
        Called with what the sweep has come to, also when it was stopped or failed after that.

    Raises
    ------
    UsageError, ParameterError, UnfitError, NotFoundError, NotebookError
        When something stands in the way, before a kernel starts; all of it is named at once.
    SweepError
        When trials do not log the metric, all of them fail, or it takes too long.
    KeyboardInterrupt, SystemExit
        When it was stopped; its notes say how to go on.
    """
    path = Path(notebook)
    settings = settings or load(path.parent if path.parent.is_dir() else None)
    environment = {"CELLOPS_PROJECT": str(settings.project)}
    if dask is None and jobs is not None:
        from cellops.pipeline.kernel_options import share_of_processors

        environment |= share_of_processors(jobs)
    # Where a sweep is resumed there may be nothing left to do, and a cluster has kernels of its own.
    is_needed = dask is None and not resume
    with _started_early(path, environment) if is_needed else nullcontext() as early:
        from cellops.flows.sweep_call import call  # takes half a second

        return call(
            path,
            settings,
            environment=environment,
            early=early,
            space=space or {},
            metric=metric,
            maximize=maximize,
            trials=trials,
            sampler=sampler,
            jobs=jobs,
            seed=seed,
            prune=prune,
            models=models,
            parameters_file=parameters_file,
            output=output,
            cell_timeout=cell_timeout,
            trial_timeout=trial_timeout,
            total_timeout=total_timeout,
            resume=resume,
            dask=dask,
            store=store,
            on_plan=on_plan,
            on_trial=on_trial,
            on_cell=on_cell,
            on_stage=on_stage,
            on_result=on_result,
        )


def _started_early(notebook: Path, environment: Mapping[str, str]) -> "AbstractContextManager[ForkingProcess | None]":
    """Start what kernels are forked from: it imports what they need while it is found out what is asked for."""
    from cellops.pipeline.forkserver.forkserver import started_early
    from cellops.pipeline.kernel_options import environment_of_kernels

    with suppress(OSError):
        if notebook.is_file():
            found = notebook.resolve()
            return started_early(environment_of_kernels(environment), found.parent, found)
    return nullcontext()
