"""The options of an execution that gives each step a kernel of its own."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.flows.clean import STEPS
from cellops.flows.clusters import refuse_empty
from cellops.flows.gates import Asked
from cellops.flows.gates import prepare as prepare_gates
from cellops.pipeline.refusals import Refusals
from cellops.records.base import Record
from cellops.records.step_progress import StepExecuted, StepProgress, StepState
from cellops.settings import Settings, load, prepare

if TYPE_CHECKING:
    from cellops.pipeline.stepwise.executor import Executors
    from cellops.pipeline.stepwise.options import StepsAsked


class StepOptions(Record, frozen=True, kw_only=True):
    """How the steps of a notebook are executed."""

    jobs: int | None = None
    """How many steps may be executed at once; by default one, and on a cluster as many as it has threads."""
    cache: bool = False
    """Whether a step is taken from what was ever kept of it, where nothing that decides it has changed."""
    resume: bool = False
    """The same with what the last execution of the notebook has finished."""
    only: str | None = None
    """The step to execute, with those that it waits for."""
    retries: int = 0
    """How often a step that says nothing of it is executed again when it fails."""
    store: str | None = None
    """Address of a folder where other machines find what is kept of steps; by default the one of the settings.

    With a cluster, values go to its workers by it too; without a key that signs what is kept, that is all it does.
    """

    def asked(self, settings: Settings, dask: Any = None) -> "StepsAsked":
        """The same for the engine of steps.

        Parameters
        ----------
        dask
            The cluster whose workers execute the steps, as `cellops.execute` takes it; None for this machine.

        Raises
        ------
        StepError
            When the store of other machines cannot be used.
        UsageError
            When workers may be on other machines, and there is no folder that they share with this one.
        """
        from cellops.pipeline.cache.shared import SharedSteps
        from cellops.pipeline.stepwise.local import LocalSteps
        from cellops.pipeline.stepwise.options import Reuse, StepsAsked

        refuse_empty(dask, self.store)
        store = self.store or settings.step_store
        is_signed = dask is None or settings.step_store_key is not None
        return StepsAsked(
            folder=settings.folder / STEPS,
            project=settings.project,
            executors=LocalSteps if dask is None else _of_a_cluster(dask, store, settings),
            jobs=self.jobs,
            reuse=Reuse.ANYTHING if self.cache else Reuse.LAST if self.resume else Reuse.NOTHING,
            only=self.only,
            retries=self.retries,
            shared=None if store is None or not is_signed else SharedSteps(store, settings.step_store_key),
        )

    def tidy(self, settings: Settings, on_stage: Callable[[str], None]) -> None:
        """Delete what was used longest ago, beyond the limit of the settings, and say so."""
        from cellops.pipeline.cache.entries import Cache

        freed = Cache(settings.folder / STEPS).bound(settings.cache_limit)
        if freed:
            on_stage(
                f"Deleted {freed / 1e6:.1f} MB that steps had left, used longest ago: they may keep "
                f"{settings.cache_limit / 1e6:.1f} MB (CELLOPS_CACHE_LIMIT)."
            )


def _of_a_cluster(dask: Any, store: str | None, settings: Settings) -> "Executors":
    from cellops.pipeline.dask.place import place_of
    from cellops.pipeline.dask.steps import DaskSteps

    place = place_of(dask, store, settings.folder)
    return lambda whole: DaskSteps(whole, dask, place, settings.folder)


class Explained(Record, frozen=True, kw_only=True):
    """What an execution would do."""

    steps: tuple[StepProgress, ...]
    gates: tuple[str, ...] = ()
    """What its runs would be held against."""
    notes: tuple[str, ...] = ()
    """What is doubtful about these gates."""


class StepLog:
    """Remembers what becomes of each step, and passes it on."""

    def __init__(self, pass_on: Callable[[StepProgress], None]) -> None:
        self._pass_on = pass_on
        self._steps: dict[str, StepExecuted] = {}

    def __call__(self, event: StepProgress) -> None:
        now = time.time()
        before = self._steps.get(event.step)
        self._steps[event.step] = StepExecuted(
            name=event.step,
            state=event.state,
            started=now - event.seconds if before is None else before.started,
            seconds=event.seconds,
            reasons=tuple(dict.fromkeys((*(() if before is None else before.reasons), *event.reasons))),
            runs=event.runs,
        )
        self._pass_on(event)

    def stopped(self) -> tuple[StepExecuted, ...]:
        """What became of the steps until now, in the order in which they began."""
        now = time.time()
        running = (StepState.RUNNING, StepState.AGAIN)
        return tuple(
            step.replace(state=StepState.RUNNING, seconds=now - step.started) if step.state in running else step
            for step in self._steps.values()
        )


def explain(
    notebook: Path | str,
    parameters: Mapping[str, object] | None = None,
    *,
    parameters_file: Path | None = None,
    gates: Iterable[str] = (),
    steps: StepOptions | None = None,
    seed: int | None = None,
    dask: Any = None,
    settings: Settings | None = None,
) -> Explained:
    """Say of each step of a notebook whether it would be executed, and why; nothing is executed.

    It is said for an execution that uses what was kept, unless `steps` asks to resume the last one. Steps are executed
    again where `gates`, or those of the settings, ask of their runs what was not measured. The cluster that `dask`
    names is not asked for anything.

    Raises
    ------
    UsageError
        When a gate cannot be read, or cannot be judged.
    NotFoundError, NotebookError, ParameterError, StepError
        When the notebook, its parameters or its steps cannot be used.
    """
    from cellops.pipeline.engine import explain as explain_notebook

    path = Path(notebook)
    settings = settings or load(path.parent if path.parent.is_dir() else None)
    if path.is_file():
        prepare(settings.folder)
    options = steps or StepOptions()
    judged, refusals = Asked(), Refusals()
    with refusals.collecting():
        judged = prepare_gates(gates, path, settings.gates)
    asked = replace(options.replace(cache=not options.resume).asked(settings, dask), figures=judged.measured)
    given = dict(parameters or {})
    told = explain_notebook(path, given, asked, parameters_file=parameters_file, seed=seed, refusals=refusals)
    return Explained(steps=told, gates=tuple(gate.text for gate in (*judged.gates, *judged.own)), notes=judged.notes)
