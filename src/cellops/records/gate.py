from collections.abc import Sequence
from enum import StrEnum

from cellops.records.base import Record, Value


class GateOutcome(StrEnum):
    """What holding a run against a gate has shown."""

    PASSED = "passed"
    MISSED = "missed"
    NOT_JUDGED = "not judged"
    """The run does not show enough to say; a gate that cannot be judged lets nothing through."""


class Group(Record, frozen=True, kw_only=True):
    """The evaluation rows that have one value in a column, and how good the model is on them."""

    name: Value
    """The value; None for the rows that have none."""
    rows: int
    counted: int = 0
    """Rows that the figure rests on: for recall those of the positive class, for precision those called positive, for
    ROC AUC those of the rarer class, else all of them."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    """Why the group does not count: it is too small, or its rows do not give the figure."""


class GateFigure(Record, frozen=True, kw_only=True):
    """What a gate asked for and the cell had not computed: a performance figure over groups of rows, or a latency."""

    name: str
    """As a gate writes it, `min_group(recall, carrier)`; the metric of the run has the same name."""
    value: float | None = None
    groups: tuple[Group, ...] = ()
    """The lowest first, then those that do not count."""
    extremes: tuple[Value, ...] = ()
    """The names of the groups that the value comes from: one, or for a gap the lowest and the highest."""
    reason: str = ""
    """Why there is no value."""


class Champion(Record, frozen=True, kw_only=True):
    """The model version that carries the alias `champion`, and what the run behind it measured."""

    model: str
    """The name of the registered model."""
    version: str
    run: str | None = None
    """MLflow's id; None for a version that no run made."""
    metrics: dict[str, float] = {}
    """By the names that MLflow has taken."""


class GateResult(Record, frozen=True, kw_only=True):
    """One gate, held against one run."""

    gate: str
    outcome: GateOutcome
    said: str
    """The gate with its figures: `0.704 >= 0.72 missed by 0.016`; or why there are none."""
    run: str | None = None
    """The key of the run; None where the execution has none that the gate speaks of."""
    name: str = ""
    """Of the run."""

    @property
    def passed(self) -> bool:
        return self.outcome is GateOutcome.PASSED


class GatesJudged(Record, frozen=True, kw_only=True, tag="gates-judged", tag_field="event"):
    """The gates of an execution have been held against its runs."""

    execution: str
    results: tuple[GateResult, ...]
    store: str | None = None
    """The tracking store of the runs, as in `SessionOpened`."""


def not_passed(results: Sequence[GateResult]) -> list[GateResult]:
    return [result for result in results if not result.passed]
