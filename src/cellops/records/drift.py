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


class ColumnDrift(Record, frozen=True, kw_only=True):
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
    finding: Finding | None = None

    def result(self, statistic: str) -> StatisticResult | None:
        return next((r for r in self.results if r.statistic == statistic), None)


class WindowDrift(Record, frozen=True, kw_only=True):
    """One window: its columns ranked by how far they moved, and the performance in it once labels are there."""

    label: str
    """`2013-04` …"""
    start: str | None
    end: str | None
    rows: int
    labelled_rows: int = 0
    columns: tuple[ColumnDrift, ...] = ()
    output: ColumnDrift | None = None
    """Drift of the prediction itself (probability of the positive class, or the predicted number)."""
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
    windows: tuple[WindowDrift, ...]
    findings: tuple[Finding, ...] = ()
