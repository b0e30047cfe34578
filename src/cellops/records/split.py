from cellops.records.base import Record, Value
from cellops.records.finding import Finding


class RowSketch(Record, frozen=True, kw_only=True):
    """The smallest hashes among those of a table's distinct rows: two sketches tell how much two tables share."""

    rows: int
    distinct: int
    hashes: str
    """64-bit numbers, ascending, little-endian, in base64; all of them where there are no more than fit."""


class TableContent(Record, frozen=True, kw_only=True):
    """What a table held: enough to know it again, whichever library holds it, and to say what is different."""

    rows: int
    columns: tuple[str, ...]
    digest: str | None = None
    """Of the rows in their order, with 128-bit xxHash (XXH3); None where they could not be read."""
    unordered: str | None = None
    """Of the same rows in any order."""
    reason: str | None = None
    """Why there is no digest."""
    sketch: RowSketch | None = None


class SplitPlan(Record, frozen=True, kw_only=True):
    """By which rule rows are divided: the same plan gives the same parts of the same rows, on every machine."""

    kind: str
    """`time`, `groups`, `stratified`, `hashed` or `random`."""
    version: int
    """Of the algorithm of this kind; it grows whenever the same plan would divide rows otherwise."""
    columns: tuple[str, ...] = ()
    """Which say where a row goes."""
    parts: tuple[str, ...]
    """In the order in which they are filled."""
    fractions: tuple[float, ...] = ()
    """The share of each part; none where cut points were given."""
    seed: int | None = None
    salt: str | None = None
    cuts: tuple[str | int | float, ...] = ()
    """The first time of each part but the first: ISO 8601, in UTC where the column has a time zone; or a number."""
    gap: int | float | None = None
    """How long before a cut rows are left out: in seconds, or as the column counts where it holds numbers."""


class SplitRecord(Record, frozen=True, kw_only=True):
    """A split from which the same parts can be made again, and known to be the same."""

    plan: SplitPlan
    whole: TableContent
    parts: dict[str, TableContent]
    left_out: int = 0
    """Rows in no part: those in the gap before a cut."""
    findings: tuple[Finding, ...] = ()

    def told(self) -> str:
        """The split in a few words.

        >>> plan = SplitPlan(kind="time", version=1, columns=("date",), parts=("train", "test"), cuts=("2024-01-01",))
        >>> SplitRecord(plan=plan, whole=TableContent(rows=9, columns=("date",)), parts={}, left_out=2).told()
        'split by time of date, cut at 2024-01-01, 2 rows left out'
        """
        plan = self.plan
        ways = {"time": "by time of", "groups": "by groups of", "stratified": "stratified by", "hashed": "by hash of"}
        words = [f"split {ways.get(plan.kind, 'at random')} {' and '.join(plan.columns)}".strip()]
        words += [f"cut at {' and '.join(map(str, plan.cuts))}"] if plan.cuts else []
        words += [f"seed {plan.seed}"] if plan.seed is not None else []
        words += [f"salt {plan.salt!r}"] if plan.salt else []
        words += [f"{self.left_out:,} rows left out"] if self.left_out else []
        return ", ".join(words)


class Split(Record, frozen=True, kw_only=True):
    """How a cell divided rows into those to train on and those to evaluate on."""

    kind: str
    """The function or class of scikit-learn, `by hand` for slices and masks of one table, or `cellops.split`."""
    line: int
    parts: dict[str, int | None] = {}
    """Names that were bound, with their rows; None for a splitter that has not divided anything yet."""
    parameters: dict[str, Value] = {}
    """What the source gives: values where they are plain, else the expression. By hand: the expression of each part."""
    made: SplitRecord | None = None
    """By `cellops.split`: what the parts can be made from again."""


class Overlap(Record, frozen=True, kw_only=True):
    """Rows of the same content in training and in evaluation."""

    training: str
    evaluation: str
    shared: int
    """Rows of the evaluation whose content stands among the training's."""
    explained: float
    """How many of them are to be expected because rows of the training repeat each other."""
    repeated_in_training: int
    """Rows of the training that stand there more than once."""
    repeated_in_evaluation: int
    method: str
    """`exact`, or `estimated` from a sample of hashes."""
    error: float = 0.0
    """Standard error of `shared`, in rows."""
    sketches: dict[str, RowSketch] = {}
    """By role: `training` and `evaluation`."""
