"""One call of the verb `sweep`: what is asked is checked, and the work begun."""

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
from cellops.pipeline.forkserver.process import ForkingProcess
from cellops.pipeline.refusals import Refusals, check_distinct
from cellops.pipeline.sweep.local import TrialOptions
from cellops.pipeline.sweep.planning import Plan, SweepAsked, plan
from cellops.records.execution import CellProgress
from cellops.records.sweep import BEST, KEPT_MODELS, SweepBegun, SweepPlan, Swept, Trial
from cellops.settings import Settings, prepare

LARGEST_SEED = 2**32
PICTURE = ".svg"


def call(
    path: Path,
    settings: Settings,
    *,
    environment: Mapping[str, str],
    early: ForkingProcess | None,
    space: Mapping[str, object],
    metric: str | None,
    maximize: bool | None,
    trials: int | None,
    sampler: str | None,
    jobs: int | None,
    seed: int | None,
    prune: bool,
    models: str | None,
    parameters_file: Path | None,
    output: Path | None,
    cell_timeout: float | None,
    trial_timeout: float | None,
    total_timeout: float | None,
    resume: bool,
    dask: Any,
    store: str | None,
    on_plan: Callable[[SweepPlan], None],
    on_trial: Callable[[Trial], None],
    on_cell: Callable[[int, CellProgress], None],
    on_stage: Callable[[str], None],
    on_result: Callable[[Swept], None],
) -> Swept:
    """Do what `flows.sweep.sweep` says.

    Parameters
    ----------
    environment
        What the kernels' environment has on top of this process's.
    early
        What they may be forked from, already started.
    """
    asked = SweepAsked(
        notebook=path,
        space=space,
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
        early=early,
    )
    on_plan(SweepPlan(begun=begun, planned=made.planned, done=work.done, notes=made.notes))
    options = TrialOptions(
        sweep=begun.sweep,
        metric=begun.metric,
        journals=journals,
        environment=environment,
        jobs=jobs,
        trials=None if made.planned is None else made.planned - work.done,
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
