"""A search over the parameters of a notebook: trials executed, compared by a metric, and carried as runs below one."""

import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cellops.errors import UsageError
from cellops.flows.clusters import refuse_empty
from cellops.flows.sweep_resuming import check_same, filled, unfinished
from cellops.flows.sweep_work import SWEEPS, SweepWork
from cellops.pipeline.refusals import Refusals, check_distinct
from cellops.pipeline.sweep.local import TrialOptions
from cellops.pipeline.sweep.planning import Plan, SweepAsked, plan
from cellops.records.execution import CellProgress
from cellops.records.sweep import BEST, KEPT_MODELS, SweepBegun, SweepPlan, Swept, Trial
from cellops.settings import Settings, load, prepare

LARGEST_SEED = 2**32
PICTURE = ".svg"


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
    on_plan: Callable[[SweepPlan], None] = lambda _: None,
    on_trial: Callable[[Trial], None] = lambda _: None,
    on_cell: Callable[[int, CellProgress], None] = lambda _, __: None,
    on_stage: Callable[[str], None] = lambda _: None,
    on_result: Callable[[Swept], None] = lambda _: None,
    settings: Settings | None = None,
) -> Swept:
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
        How many trials are executed at once; by default one, and with `dask` as many as the cluster has threads.
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
    asked = SweepAsked(
        notebook=path,
        space=space or {},
        parameters_file=parameters_file,
        metric=metric,
        maximize=maximize,
        trials=trials,
        sampler=sampler,
    )
    refusals = Refusals()
    with refusals.collecting():
        _check_output(output, path, parameters_file)
    with refusals.collecting():
        _check_dask(dask, store)
    journals = settings.folder / "journal"
    with refusals.collecting():
        _check_models(models)
    history = unfinished(journals, path, refusals) if resume else None
    made = plan(asked if history is None else filled(asked, history), refusals)
    if history is None:
        begun = _begun(made, settings, seed, prune=prune, models=models or BEST)
    else:
        check_same(made, history.begun, seed=seed, models=models)
        begun = history.begun.replace(trials=made.planned, prune=prune or history.begun.prune)
    prepare(settings.folder)
    work = SweepWork(
        begun=begun,
        made=made,
        settings=settings,
        history=history,
        folder=settings.folder / SWEEPS / begun.name,
        output=output,
        on_trial=on_trial,
        on_cell=on_cell,
        on_stage=on_stage,
        on_result=on_result,
        dask=dask,
        store=store or settings.step_store,
    )
    on_plan(SweepPlan(begun=begun, planned=made.planned, done=work.done, notes=made.notes))
    options = TrialOptions(
        sweep=begun.sweep,
        metric=begun.metric,
        journals=journals,
        environment={"CELLOPS_PROJECT": str(settings.project)},
        jobs=jobs,
        seed=begun.kernel_seed,
        cell_timeout=cell_timeout,
        trial_timeout=trial_timeout,
    )
    return work.run(options, limit=total_timeout)


def _begun(made: Plan, settings: Settings, seed: int | None, *, prune: bool, models: str) -> SweepBegun:
    identifier, notebook = uuid.uuid4().hex, made.made.notebook
    return SweepBegun(
        sweep=identifier,
        name=f"{notebook.stem}-{time.strftime('%Y%m%d-%H%M%S')}-{identifier[:4]}",
        notebook=str(notebook),
        project=str(settings.project),
        started=time.time(),
        cells=made.cells,
        metric=made.metric,
        maximize=made.maximize,
        space=made.space.written(),
        fixed=made.fixed,
        sampler=made.sampler,
        seed=secrets.randbelow(LARGEST_SEED) if seed is None else seed,
        kernel_seed=seed,
        trials=made.planned,
        prune=prune,
        models=models,
        log=tuple(dimension.name for dimension in made.space.dimensions if dimension.log),
        experiment=settings.experiment,
        store=settings.store,
    )


def _check_dask(dask: object, store: str | None) -> None:
    if dask is None and store is not None:
        fact = "--store names where workers of Dask hand over what trials leave, and no cluster is named"
        raise UsageError(fact, remedy="Name one with --dask ADDRESS, or leave --store out")
    refuse_empty(dask, store)


def _check_models(models: str | None) -> None:
    if models is not None and models not in KEPT_MODELS:
        near = get_close_matches(models, KEPT_MODELS, n=1)
        fact = f"There is no choice {models} of the trials whose models are kept"
        raise UsageError(fact, remedy=f"Did you mean {near[0]}?" if near else f"Give one of {', '.join(KEPT_MODELS)}")


def _check_output(output: Path | None, notebook: Path, parameters_file: Path | None) -> None:
    """Refuse a picture that cannot be written, before trials have worked for it."""
    if output is None:
        return
    check_distinct([notebook, parameters_file], {"-o": output})
    if output.suffix.lower() != PICTURE:
        fact = f"The picture {output} is not named as an SVG"
        raise UsageError(fact, remedy=f"Give a path that ends in {PICTURE}: {output.with_suffix(PICTURE)}")
    if output.is_dir() or not output.resolve().parent.is_dir():
        fact = f"The picture {output} cannot be written"
        raise UsageError(fact, remedy="Give the path of a file in a folder that is there")
