from cellops.records.base import Record, Value


class Split(Record, frozen=True, kw_only=True):
    """How a cell divided rows into those to train on and those to evaluate on."""

    kind: str
    """The function or class of scikit-learn, or `by hand` for slices and masks of one table."""
    line: int
    parts: dict[str, int | None] = {}
    """Names that were bound, with their rows; None for a splitter that has not divided anything yet."""
    parameters: dict[str, Value] = {}
    """What the source gives: values where they are plain, else the expression. By hand: the expression of each part."""


class RowSketch(Record, frozen=True, kw_only=True):
    """The smallest hashes among those of a table's distinct rows: two sketches tell how much two tables share."""

    rows: int
    distinct: int
    hashes: str
    """64-bit numbers, ascending, little-endian, in base64; all of them where there are no more than fit."""


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
