"""The queue of answers that a person should look at, as screens and widgets show it."""

from cellops.records.base import Record, Value


class ReviewInput(Record, frozen=True, kw_only=True):
    """One input of a row."""

    name: str
    value: Value
    note: str = ""
    """Why there is no value in clear: it is missing, or the column is personal."""


class ReviewChoice(Record, frozen=True, kw_only=True):
    """A label that can be given."""

    label: Value
    key: str
    """What is pressed for it; empty where there are too many classes for keys."""
    probability: float | None = None
    """What the model gave it in the row that is shown."""


class ReviewRow(Record, frozen=True, kw_only=True):
    """One answer that waits for a person."""

    prediction_id: str
    time: str
    """When it happened, ISO 8601."""
    answer: Value
    confidence: float | None
    """The highest probability; None where the model gave none for this answer."""
    why: str
    """What brought the row here."""
    inputs: tuple[ReviewInput, ...]
    held_by: str | None = None
    """Another reviewer who is looking at it."""
    before: Value = None
    """The label that this reviewer gave it before, which a new one replaces."""


class Disagreement(Record, frozen=True, kw_only=True):
    """One answer to which reviewers gave different labels; the one that came last holds."""

    prediction_id: str
    labels: dict[str, Value]
    """By reviewer, the one that came last at the end."""


class ReviewState(Record, frozen=True, kw_only=True):
    """Where a reviewer stands."""

    model: str
    target: str
    reviewer: str
    row: ReviewRow | None
    """What is to be labelled now; None at the end of the queue."""
    choices: tuple[ReviewChoice, ...]
    """The classes; empty where the label is a number."""
    labelled: int
    skipped: int
    left: int
    """Rows that wait, the one that is shown included."""
    said: str = ""
    """What became of the last thing that was done."""


class ReviewQueue(Record, frozen=True, kw_only=True):
    """What waits, and what has been done."""

    model: str
    target: str
    below: float
    waiting: int
    held: int
    """Of those that wait, how many other reviewers are looking at."""
    labelled: int
    """Answers with a label, whoever gave it."""
    reviewed: dict[str, int]
    """Labels by reviewer."""
    rows: tuple[ReviewRow, ...]
    """The first of those that wait."""
    disagreements: tuple[Disagreement, ...]
    notes: tuple[str, ...] = ()


class Reviewed(Record, frozen=True, kw_only=True):
    """What a review has come to."""

    reviewer: str
    labelled: int
    skipped: int = 0
    already: int = 0
    """Labels of a file that the log had from this reviewer before."""
    place: str
    """Where the labels are now: a folder, or a server."""
    disagreements: tuple[Disagreement, ...] = ()


class ReviewFile(Record, frozen=True, kw_only=True):
    """A file that was written."""

    path: str
    rows: int
    reviewed: int = 0
    """Rows whose label a reviewer gave."""
    disputed: int = 0
    """Rows to which reviewers gave different labels."""
    notes: tuple[str, ...] = ()
