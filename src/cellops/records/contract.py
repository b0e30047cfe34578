"""What a package says of its inputs and outputs."""

from enum import StrEnum
from typing import Any, TypeAlias

from cellops.records.base import Record, Value
from cellops.records.finding import Severity
from cellops.records.gate import GateFigure
from cellops.records.profile import ColumnKind, ColumnProfile, Profile

Argument: TypeAlias = Value | list[Any] | dict[str, Any]
"""An argument of an expectation, as JSON holds it."""


class Task(StrEnum):
    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Action(StrEnum):
    """What a server does with a row that breaks a rule."""

    REJECT = "reject"
    """It refuses the request, and names the rows."""
    WARN = "warn"
    """It answers, and says so."""
    IMPUTE = "impute"
    """It puts the rule's default in place of the value, answers, and says so."""


class Field(Record, frozen=True, kw_only=True):
    """One input column: what may stand in it, and what stood in it when the model was trained."""

    name: str
    kind: ColumnKind
    dtype: str
    """The pandas dtype that the model was fitted on: `int64`, `float64`, `str`, `object`, `category`, `bool` …"""
    nullable: bool
    """Whether the training data had missing values here; a missing value is refused where they had none."""
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    """The strings seen in training, for columns with few of them; others are unseen, which is said but not refused."""
    missing_is_none: bool = False
    """Whether a column of dtype `object` holds its missing values as None; else it holds them as NaN."""


class Schema(Record, frozen=True, kw_only=True):
    inputs: tuple[Field, ...]
    task: Task
    target: str
    """The name of what is predicted."""
    classes: tuple[Value, ...] = ()
    """In the order of the probability columns; empty for regression."""
    probabilities: bool = False
    """Whether the model gives class probabilities."""
    label_is_most_probable: bool = False
    """Whether the label is by the model's definition the class with the highest probability."""


class Expectation(Record, frozen=True, kw_only=True):
    """A rule that a table must satisfy, in the vocabulary of Great Expectations."""

    rule: str
    """`expect_column_values_to_be_between` …"""
    columns: tuple[str, ...]
    arguments: dict[str, Argument] = {}
    mostly: float = 1.0
    severity: Severity = Severity.ERROR
    reason: str | None = None
    action: Action | None = None
    """What a server does with a row that breaks it; None goes by the severity: an error rejects, others warn."""
    default: Value = None
    """What `impute` puts in. `median` and `mode` are words until a package is made, which holds what they stand for."""

    @property
    def on_breach(self) -> Action:
        """The action, also where none is declared. One row cannot break a rule that allows for some failures."""
        if self.action is not None:
            return self.action
        return Action.REJECT if self.severity is Severity.ERROR and self.mostly == 1.0 else Action.WARN


class Suite(Record, frozen=True, kw_only=True):
    name: str
    expectations: tuple[Expectation, ...] = ()


class Measure(Record, frozen=True, kw_only=True):
    """A performance figure with its confidence interval."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""
    """How the interval was made: `DeLong`, `Wilson`, `bootstrap` …"""


class Performance(Record, frozen=True, kw_only=True):
    task: Task
    rows: int
    measures: tuple[Measure, ...] = ()
    positive: Value = None
    """The class that binary figures speak of."""
    absent: dict[str, str] = {}
    """Why a figure is not among the measures, by its name."""

    def measure(self, name: str) -> Measure | None:
        return next((m for m in self.measures if m.name == name), None)


class Parity(Record, frozen=True, kw_only=True):
    """Real rows with the outputs that the model gave in training; replayed wherever the model is loaded."""

    inputs: dict[str, list[Value]]
    """Column name to values, one per row; missing is None."""
    labels: list[Value]
    """`predict`: a class for classification, a number for regression."""
    probabilities: list[list[float]] | None = None
    tolerance: float = 1e-6
    """Largest absolute difference of a probability or number that still counts as the same answer."""


class Background(Record, frozen=True, kw_only=True):
    """Real rows of the training data, drawn at random: what an explanation holds a row against."""

    inputs: dict[str, list[Value]]
    """Column name to values, one per row; missing is None."""
    drawn_from: int
    """How many rows the training data had."""


class Contract(Record, frozen=True, kw_only=True):
    schema: Schema
    profile: Profile
    parity: Parity
    background: Background | None = None
    suite: Suite | None = None
    performance: Performance | None = None
    output: ColumnProfile | None = None
    """What the model gave on evaluation rows: the probability of the positive class, the label, or the number."""
    importance: dict[str, float] = {}
    """How much of what the model answers depends on each input, in shares of 1, or all 0; some may not be known."""
    groups: tuple[GateFigure, ...] = ()
    """How good the model is on groups of its evaluation rows, where gates asked for it."""
