"""What a check of expectations found."""

from cellops.records.base import Record, Value
from cellops.records.contract import Expectation
from cellops.records.finding import Severity


class ExpectationResult(Record, frozen=True, kw_only=True):
    expectation: Expectation
    passed: bool
    checked: int
    """Rows that the rule looked at; rules on values leave missing ones out."""
    failed: int = 0
    share: float = 0.0
    """Failed rows over checked rows."""
    failed_rows: tuple[int, ...] = ()
    """Numbers of the first failed rows, from 0."""
    unexpected: tuple[Value, ...] = ()
    """The values in those rows."""
    observed: Value = None
    """What a rule on the whole column or table saw: a mean, a number of rows, a share."""
    problem: str | None = None
    """Why the rule could not be checked: a missing column, values of mixed types …"""


class SuiteResult(Record, frozen=True, kw_only=True):
    suite: str
    rows: int
    results: tuple[ExpectationResult, ...]
    passed: bool
    """Whether every expectation of severity `error` holds; the others are reported and stop nothing."""

    def failures(self, severity: Severity | None = None) -> tuple[ExpectationResult, ...]:
        """The expectations that do not hold, of one severity or of all."""
        return tuple(r for r in self.results if not r.passed and severity in (None, r.expectation.severity))
