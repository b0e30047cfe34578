from enum import StrEnum

from cellops.records.base import Record
from cellops.records.finding import Severity

MOST_EXAMPLES = 5
"""Row numbers that a count names."""
PROFILE_ROWS = 100_000
"""Of a batch, at most, that its drift profile is counted from."""


class OnBad(StrEnum):
    """What a batch does with a row that the model may not answer."""

    REFUSE = "refuse"
    """End, and say which row it is."""
    SET_ASIDE = "set-aside"
    """Write it to a file of its own with the reason, and answer the others."""


class ProblemCount(Record, frozen=True, kw_only=True):
    """How many rows of a batch have one problem."""

    problem: str
    column: str
    severity: Severity
    """`ERROR`: these rows have no answer."""
    rows: int
    examples: tuple[int, ...]
    """The numbers of the first of them in the batch, from 0; never their values."""


class BatchReport(Record, frozen=True, kw_only=True):
    """What a batch has found in its rows: the same for the same rows, however they were cut and by whom answered."""

    version: int = 1
    package: str
    digest: str
    """SHA-256 of the manifest of the package."""
    source: str
    rows: int
    answered: int
    set_aside: int
    problems: tuple[ProblemCount, ...] = ()
    """The gravest first, then those of most rows."""
    profiled: int = 0
    """Rows that the drift profile was counted from, drawn evenly where they are fewer than there are."""

    def joined(self, later: "BatchReport") -> "BatchReport":
        """The report of both, whose rows come later."""
        held = {(one.problem, one.column, one.severity): one for one in self.problems}
        for one in later.problems:
            key = (one.problem, one.column, one.severity)
            before = held.get(key)
            if before is not None:
                examples = (*before.examples, *one.examples)[:MOST_EXAMPLES]
                one = one.replace(rows=before.rows + one.rows, examples=examples)  # noqa: PLW2901 - both together
            held[key] = one
        grave = list(Severity)
        order = sorted(held.values(), key=lambda one: (-grave.index(one.severity), -one.rows, one.column, one.problem))
        return self.replace(
            rows=self.rows + later.rows,
            answered=self.answered + later.answered,
            set_aside=self.set_aside + later.set_aside,
            problems=tuple(order),
        )


class BatchProgress(Record, frozen=True, kw_only=True):
    """How far a batch has come."""

    rows: int
    """That are done, also those of an earlier attempt."""
    total: int | None
    """About how many there are; None where that is not known."""
    seconds: float
    """Since this attempt began."""
    fresh: int
    """Rows that this attempt has done."""

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.fresh / self.seconds if self.seconds else 0.0

    @property
    def left(self) -> float | None:
        """About how many seconds are left."""
        if self.total is None or not self.rate:
            return None
        return max(self.total - self.rows, 0) / self.rate


class Scored(Record, frozen=True, kw_only=True):
    """A batch that is done, and where everything lies."""

    report: BatchReport
    output: str
    report_file: str
    drift_file: str | None
    """What `cellops drift` reads; None where there was no row."""
    rejects_file: str | None
    """The rows that were set aside; None where there are none."""
    chunks: int
    resumed: int
    """Chunks that an earlier attempt had done."""
    seconds: float


class WatchedFile(Record, frozen=True, kw_only=True):
    """A file that has arrived in a watched folder, and what has become of it."""

    name: str
    digest: str
    """XXH3 of its content."""
    output: str | None
    """None where it is bad."""
    rows: int = 0
    set_aside: int = 0
    trouble: str | None = None
    """Why it is bad."""


class Watched(Record, frozen=True, kw_only=True):
    """What a watch has done until it was stopped."""

    files: int
    rows: int
    bad: int


class Streamed(Record, frozen=True, kw_only=True):
    """What was done of a topic until it was stopped."""

    source: str
    output: str
    rows: int
    """Messages that were read, and whose answers are with the brokers."""
    set_aside: int
    """Those of them that have no answer."""
