"""What a check of expectations found."""

from typing import TYPE_CHECKING

from cellops.records.base import Record, Value
from cellops.records.contract import Expectation
from cellops.records.finding import Severity
from cellops.records.summary import share

if TYPE_CHECKING:
    import pandas as pd


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

    def told(self) -> str:
        """The rule, and what it saw, as one line."""
        named = f"{self.expectation.rule}({', '.join(self.expectation.columns)})"
        if self.problem is not None:
            return f"{named}: {self.problem}"
        if self.passed or not self.failed:
            return named if self.observed is None else f"{named}: {self.observed}"
        rows = ", ".join(map(str, self.failed_rows))
        part = share(self.failed, self.checked)
        return f"{named}: {self.failed:,} of {self.checked:,} rows ({part}), first rows {rows}"


class SuiteResult(Record, frozen=True, kw_only=True):
    suite: str
    rows: int
    results: tuple[ExpectationResult, ...]
    passed: bool
    """Whether every expectation of severity `error` holds; the others are reported and stop nothing."""

    def __repr__(self) -> str:
        holding = sum(one.passed for one in self.results)
        said = f"{holding} of {len(self.results)} expectations on {self.suite} hold ({self.rows:,} rows)"
        return "\n".join([said, *(f"  {one.expectation.severity.value} {one.told()}" for one in self.failures())])

    def to_frame(self) -> "pd.DataFrame":
        """One row an expectation: rule, columns, verdict, count, share, first rows and what stood in them."""
        import pandas as pd

        names = ("passed", "checked", "failed", "share", "failed_rows", "unexpected", "observed", "problem")
        rows = [
            {
                "rule": one.expectation.rule,
                "columns": ", ".join(one.expectation.columns),
                "severity": one.expectation.severity.value,
                **{name: getattr(one, name) for name in names},
                "reason": one.expectation.reason,
            }
            for one in self.results
        ]
        return pd.DataFrame(rows)

    def failures(self, severity: Severity | None = None) -> tuple[ExpectationResult, ...]:
        """The expectations that do not hold, of one severity or of all."""
        return tuple(r for r in self.results if not r.passed and severity in (None, r.expectation.severity))
