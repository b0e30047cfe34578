from enum import StrEnum

from cellops.records.base import Record
from cellops.records.contract import Measure, Performance
from cellops.records.finding import Finding
from cellops.records.profile import Bins, ColumnKind


class StatisticResult(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What one drift statistic says of one column; `computed` is False with a `reason` where it cannot say anything.

    There may be a hundred thousand in a report, so JSON leaves out what stands at its default.
    """

    statistic: str
    """The name of its function in `cellops.stats`: `psi`, `chi_squared`, `kolmogorov_smirnov` …"""
    value: float | None = None
    p_value: float | None = None
    method: str = ""
    """How the p-value was made: `exact`, `asymptotic`, `permutation` …"""
    effect: Measure | None = None
    """How large the difference is, whatever the number of rows, with its confidence interval."""
    computed: bool = True
    reason: str | None = None
    reference_rows: int = 0
    current_rows: int = 0
    error: float = 0.0
    """The most by which `value` may be off because a side is known from a grid only."""


class DriftVerdict(StrEnum):
    STABLE = "stable"
    MODERATE = "moderate"
    MAJOR = "major"
    NOT_ENOUGH_DATA = "not enough data"

    @property
    def drifted(self) -> bool:
        """Whether the column counts as drifted, in every face and figure: moderate or major."""
        return self in {DriftVerdict.MODERATE, DriftVerdict.MAJOR}

    @property
    def judged(self) -> bool:
        return self is not DriftVerdict.NOT_ENOUGH_DATA


class ColumnDrift(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One column of one window against the package's profile."""

    column: str
    kind: ColumnKind
    verdict: DriftVerdict
    current: Bins | None
    """The bins of the report's reference, counted on the window: without their edges and categories."""
    results: tuple[StatisticResult, ...] = ()
    """Empty where a side has too few rows to be judged."""
    adjusted_p_value: float | None = None
    """Benjamini-Hochberg over the columns and windows of the report."""
    basis: str = "psi"
    """The statistic whose effect decided the verdict."""
    importance: float | None = None
    """Share of the model's output that depends on this column, from 0 to 1; None where the package does not say."""
    moved: str = ""
    """What moved, in words, where the column drifted."""
    finding: Finding | None = None

    @property
    def effect(self) -> Measure | None:
        """How far the column moved, with an interval where there is one; None where it could not be judged."""
        result = self.result(self.basis)
        if result is None or result.value is None:
            return None
        return result.effect or Measure(name=result.statistic, value=result.value)

    def result(self, statistic: str) -> StatisticResult | None:
        return next((r for r in self.results if r.statistic == statistic), None)


class RankedColumn(Record, frozen=True, kw_only=True):
    """A column that drifted as a person is told of it: as it was in its gravest window."""

    column: str
    verdict: DriftVerdict
    window: str
    effect: str
    """How far it moved, with the interval."""
    p_value: str
    """The adjusted one."""
    importance: float | None
    moved: str


class Alarm(Record, frozen=True, kw_only=True):
    """Whether a window is an alarm, and on what grounds. Windows that come later change nothing of it."""

    p_value: float
    """Simes over the columns that were judged, the output and the relations; what moved little counts as 1."""
    level: float
    """What was left of the budget of false alarms for this window."""
    raised: bool
    """Whether the p-value is no larger than the level."""


class WindowDrift(Record, frozen=True, kw_only=True):
    """One window: its columns ranked by consequence, and the performance in it once labels are there."""

    label: str
    """`2013-04` …"""
    start: str | None
    end: str | None
    rows: int
    labelled_rows: int = 0
    columns: tuple[ColumnDrift, ...] = ()
    output: ColumnDrift | None = None
    """Drift of the prediction itself (probability of the positive class, or the predicted number)."""
    relations: ColumnDrift | None = None
    """Drift of how far each row is from what the relations between the columns in training let expect."""
    alarm: Alarm | None = None
    """None where nothing was judged, and in reports made before there were alarms."""
    performance: Performance | None = None
    worse: tuple[str, ...] = ()
    """Names of the figures that are worse than the package promises."""
    findings: tuple[Finding, ...] = ()


class DriftReport(Record, frozen=True, kw_only=True):
    package: str
    """Name of the package directory."""
    digest: str
    """SHA-256 of the package's manifest."""
    made: str
    """When the report was made, ISO 8601, UTC."""
    source: str
    """What was compared: a file, or a prediction log."""
    reference_rows: int
    reference_performance: Performance | None
    reference: dict[str, Bins] = {}
    """The frozen bins of each column as the training data filled them, by name."""
    reference_output: Bins | None = None
    """The same of the prediction itself."""
    reference_relations: Bins | None = None
    """The same of the distances from the relations between columns."""
    alarm_rate: float | None = None
    """The share of false alarms among all, below which the alarms of the windows stay."""
    windows: tuple[WindowDrift, ...]
    findings: tuple[Finding, ...] = ()
