from enum import StrEnum

from cellops.records.base import Record
from cellops.records.cell import Outcome, place

SMALLEST_PERCENT = 0.001


class Verdict(StrEnum):
    """What executing a run again has shown, from best to worst."""

    IDENTICAL = "identical"
    WITHIN_TOLERANCE = "within tolerance"
    NOT_COMPARED = "not compared"
    """Of one thing: nothing of it could be held against what it was."""
    DIVERGED = "diverged"


class Comparison(Record, frozen=True, kw_only=True):
    """One thing of a cell, as it was and as it is now."""

    kind: str
    """`outcome`, `file`, `module`, `value`, `output`, `parameter`, `metric`, `table`, `model` or `figure`."""
    name: str
    verdict: Verdict
    before: str = ""
    """In a few words, without secrets."""
    after: str = ""
    difference: float | None = None
    """The largest difference of two numbers, divided by the largest magnitude among them."""
    parts: tuple[str, ...] = ()
    """Columns or attributes that differ."""
    note: str = ""
    """How much of it was compared, or why it was not."""


class CellProof(Record, frozen=True, kw_only=True):
    """One cell of the slice, executed again."""

    order: int
    """Its place on the trail of the run."""
    execution_count: int | None = None
    kernel: str = ""
    """The step that its kernel executed, where the cells of the slice had several kernels."""
    source: str = ""
    verdict: Verdict
    executed: bool = True
    """False where an earlier cell ended the execution."""
    seconds_before: float = 0.0
    seconds_after: float = 0.0
    comparisons: tuple[Comparison, ...] = ()
    prepares: bool = False
    """Whether it stands above the own cells of a step: it seeds, loads, declares, or takes values over."""

    @property
    def left_out(self) -> bool:
        """Whether it says no more than that a step was prepared as it was."""
        return self.prepares and self.executed and self.verdict is Verdict.IDENTICAL

    @property
    def failure(self) -> str:
        """How it failed, where it did so then and now; empty otherwise."""
        ends = next((one for one in self.comparisons if one.kind == "outcome"), None)
        failed = ends is not None and ends.verdict is Verdict.IDENTICAL and ends.after != Outcome.OK.value
        return f"{ends.after}, as it did then" if ends is not None and failed else ""

    @property
    def where(self) -> str:
        """The place as a person sees it: `In [3]`, or `step load, In [3]`."""
        return ", ".join(filter(None, [self.kernel, place(self.execution_count)]))


class Cause(Record, frozen=True, kw_only=True):
    """Why a run may have come out otherwise."""

    code: str
    """`changed-data`, `changed-code`, `changed-package`, `unseeded-randomness`, `clock`, `hidden-state`,
    `order-of-sets`, `threads`, `network`, `tracking-store`, `environment-variables`, `interrupted` or `unknown`."""
    text: str
    remedy: str


class Proof(Record, frozen=True, kw_only=True, tag="proof", tag_field="event"):
    """What came of executing a run's slice again."""

    run: str
    name: str
    verdict: Verdict
    environment: str
    """`same`, or `fresh` for one that was built from the lock."""
    tolerance: float
    """The largest `Comparison.difference` that counts as none."""
    started: float
    """Seconds since the epoch, UTC."""
    seconds: float
    """What the whole verification took."""
    seconds_of_run: float
    """What the cells of the slice took when they were executed first."""
    seconds_of_replay: float
    cells: tuple[CellProof, ...]
    causes: tuple[Cause, ...] = ()
    """The likeliest first; none where nothing differs."""
    notes: tuple[str, ...] = ()
    """What the verdict does not speak of."""
    modules: tuple[Comparison, ...] = ()
    """The project's own modules, as they were imported and as they are."""
    packages: dict[str, tuple[str, str]] = {}
    """Imported distributions of which another version was used now: the one then, the one now."""
    version: str = ""
    """Of cellops, when the proof was made."""
    store: str | None = None
    """The tracking store of the run, as in `SessionOpened`."""
    folder: str = ""
    """Where the slice as a notebook and the executed one stand."""

    @property
    def failed(self) -> bool:
        """Whether the run failed, and does so again: at the same place, with the same type of error."""
        return bool(self.cells and self.cells[-1].failure)

    @property
    def first_divergence(self) -> CellProof | None:
        return next((cell for cell in self.cells if cell.verdict is Verdict.DIVERGED), None)


def share(difference: float) -> str:
    """A measured difference as a share of the largest magnitude, which it is.

    Examples
    --------
    >>> share(0.4), share(2e-12)
    ('40%', '2e-12 of the largest')
    """
    return f"{difference:.2g} of the largest" if difference < SMALLEST_PERCENT else f"{100 * difference:.3g}%"
