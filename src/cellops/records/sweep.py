"""A sweep: what is searched, and what each trial came to. These are also the lines of its journal."""

from enum import StrEnum
from html import escape

from cellops.errors import printable
from cellops.records.base import Record
from cellops.records.execution import ParameterValue
from cellops.records.run import RunStatus

OF_SWEEPS = "sweep-"
"""How the names of the journals of sweeps begin."""


BEST, ALL, NONE = "best", "all", "none"
KEPT_MODELS = (BEST, ALL, NONE)
"""Of which trials the models are kept in the tracking store."""


class TrialState(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    PRUNED = "pruned"
    """Stopped since it was worse than others at the same place."""
    STOPPED = "stopped"
    """With the sweep: it is done again when that is resumed."""


class Report(Record, frozen=True, kw_only=True):
    """What a run has reported while it went on."""

    step: int
    values: dict[str, float]


class TrialOrder(Record, frozen=True, kw_only=True):
    """What a trial is to do, in plain values, so that any process or machine can do it."""

    number: int
    """From 0."""
    values: dict[str, ParameterValue]
    """Of what is searched."""
    execution: str
    """Identifier that the kernel has as CELLOPS_EXECUTION; the runs opened in it carry it."""
    output: str
    """Where the executed notebook goes."""


class Trial(Record, frozen=True, kw_only=True):
    """One execution of the notebook with values of its own, and what came of it."""

    number: int
    values: dict[str, ParameterValue]
    state: TrialState
    execution: str = ""
    started: float = 0.0
    seconds: float = 0.0
    value: float | None = None
    """Of the metric; of a trial that was pruned, the last that it reported."""
    metrics: dict[str, float] = {}
    """All metrics of its runs."""
    error: str | None = None
    """Why it failed."""
    output: str | None = None
    """The executed notebook."""
    runs: tuple[str, ...] = ()
    """Keys of the runs that it opened."""
    sessions: tuple[str, ...] = ()
    """The journals of its kernels."""
    also_measured_by: tuple[str, ...] = ()
    """Runs before the last one that have the metric too."""


class SweepBegun(Record, frozen=True, kw_only=True, tag="sweep-begun", tag_field="event"):
    """The first line of the journal of a sweep."""

    sweep: str
    """Its identifier."""
    name: str
    """The name of its folder."""
    notebook: str
    project: str
    started: float
    cells: tuple[str, ...]
    """Digests of the notebook's code cells."""
    metric: str
    maximize: bool
    space: dict[str, str]
    """What is searched, as it is written, by the names of parameters."""
    fixed: dict[str, str] = {}
    """What was given as one value, secrets masked."""
    sampler: str
    seed: int
    """Of the sampler."""
    kernel_seed: int | None = None
    """What the generators of its kernels are seeded with."""
    trials: int | None = None
    """How many were asked for; None for all combinations."""
    prune: bool = False
    models: str = BEST
    """Of which trials the models are kept, one of `KEPT_MODELS`."""
    log: tuple[str, ...] = ()
    """The parameters whose ranges are logarithmic."""
    experiment: str
    store: str | None = None
    """The tracking store of its runs, without credentials."""


class TrialBegun(Record, frozen=True, kw_only=True, tag="trial-begun", tag_field="event"):
    sweep: str
    order: TrialOrder
    started: float


class TrialEnded(Record, frozen=True, kw_only=True, tag="trial-ended", tag_field="event"):
    sweep: str
    trial: Trial


class SweepEnded(Record, frozen=True, kw_only=True, tag="sweep-ended", tag_field="event"):
    """A sweep has ended, for now: one that is resumed goes on behind this line."""

    sweep: str
    ended: float
    status: RunStatus
    best: Trial | None = None
    states: dict[str, int] = {}
    """How many trials are in each state."""
    plot: str | None = None
    """Path of the picture."""
    command: str = ""
    """What executes the notebook with the best values."""


class SweepPlan(Record, frozen=True, kw_only=True):
    """What a sweep is about to do, for a person."""

    begun: SweepBegun
    planned: int | None
    """How many trials it has in all; None where only the sampler knows."""
    done: int = 0
    """How many of them were done before."""
    notes: tuple[str, ...] = ()
    """What was decided for the person, each a sentence."""


class Swept(Record, frozen=True, kw_only=True):
    """What a sweep has come to."""

    begun: SweepBegun
    trials: tuple[Trial, ...]
    """In the order of their numbers."""
    best: Trial | None = None
    command: str = ""
    """What executes the notebook with the best values."""
    plot: str | None = None
    """Path of the picture."""
    picture: str | None = None
    """The picture itself, an SVG document."""
    folder: str
    """Where the executed notebooks are."""
    seconds: float = 0.0
    unsynced: str | None = None
    """Why the runs are not in the tracking store yet."""

    def told(self) -> str:
        """What it has come to in a few lines: how many trials, the best one, and what executes it."""
        states = [trial.state.value for trial in self.trials]
        counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        lines = [f"Sweep {self.begun.name}: {counts or 'no trial'}"]
        if self.best is not None:
            lines += [
                f"Best: trial {self.best.number} with {self.begun.metric} {self.best.value or 0.0:.6g}",
                self.command,
            ]
        return "\n".join(printable(line) for line in [*lines, *filter(None, [self.unsynced])])

    def as_html(self) -> str:
        """The picture as it stands in a notebook, which it may be wider than."""
        return f'<div style="overflow-x: auto">{self.picture or ""}</div>'

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """What a notebook shows of it as the value of a cell."""
        return {"text/plain": self.told(), "text/html": f"<pre>{escape(self.told())}</pre>{self.as_html()}"}


def best_of(trials: "tuple[Trial, ...] | list[Trial]", *, maximize: bool) -> Trial | None:
    """The completed trial with the best value, the first of several."""
    done = [trial for trial in trials if trial.state is TrialState.COMPLETED and trial.value is not None]
    return max(done, key=lambda t: ((t.value or 0.0) * (1 if maximize else -1), -t.number), default=None)
