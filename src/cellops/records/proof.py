from enum import StrEnum

from cellops.records.base import Record
from cellops.records.cell import place

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
