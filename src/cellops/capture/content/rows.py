"""Hashes of rows: which rows of two tables have the same content, counted or estimated."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from cellops.capture.content.bits import columns_of
from cellops.capture.content.tokens import UnhashableError
from cellops.records.split import Overlap, RowSketch

if TYPE_CHECKING:
    import numpy as np

    from cellops.capture.results.tables import Table

    Hashes = np.ndarray[Any, np.dtype[np.uint64]]

KEPT = 1024
"""Hashes in a sketch: the share of rows that two tables have in common is told to about three hundredths."""
MOST_COUNTED = 20_000_000
"""Rows of two tables together beyond which a sample of hashes is compared."""
AT_ONCE = 16_384
"""Rows whose hashes are made at once: they fit into the processor's cache."""


def row_hashes(tables: Sequence[Any]) -> "Hashes":
    """A 64-bit hash of each row over the columns of some tables of equal length; names and index do not count.

    Raises
    ------
    UnhashableError
        When a column cannot be read safely, or the tables are of unequal length.
    """
    import numpy as np

    from cellops.stats.splitmix import ALL, SECOND, STEP, mixed

    columns = [bits for table in tables for bits in columns_of(table)]
    rows = len(tables[0])
    if any(len(column) != rows for column in columns):
        fact = "the tables have different numbers of rows"
        raise UnhashableError(fact)
    hashes = np.zeros(rows, np.uint64)
    for start in range(0, rows, AT_ONCE):
        part = hashes[start : start + AT_ONCE]
        for place, column in enumerate(columns, 1):
            words = mixed(column[start : start + AT_ONCE] ^ np.uint64(place * STEP % ALL))
            part ^= words
            part *= np.uint64(SECOND)
            part ^= part >> np.uint64(29)
    return hashes


def compare(training: Sequence["Table"], evaluation: Sequence["Table"]) -> Overlap:
    """The overlap of what a model was fitted on with what it is evaluated on, inputs and target together.

    Raises
    ------
    UnhashableError
        When a column cannot be read safely.
    """
    train, test = (row_hashes([table.value for table in tables]) for tables in (training, evaluation))
    return overlap((training[0].name, train), (evaluation[0].name, test))


def overlap(training: tuple[str, "Hashes"], evaluation: tuple[str, "Hashes"]) -> Overlap:
    """How many rows of an evaluation stand in the training too, and how many of them repetitions explain.

    Rows that an evaluation shares with a training because both are drawn from data that repeats itself are about as
    frequent as rows of the training that stand there twice. Beyond `MOST_COUNTED` rows, those are compared whose hash
    is below a limit; `error` is the standard error of the count that this gives.
    """
    (training_name, train), (evaluation_name, test) = training, evaluation
    share = min(1.0, MOST_COUNTED / max(1, len(train) + len(test)))
    known, asked = _Counted.of(train, share), _Counted.of(test, share)
    part = asked.found_in(known) / max(1, asked.rows)
    return Overlap(
        training=training_name,
        evaluation=evaluation_name,
        shared=round(part * len(test)),
        explained=known.repeated * len(test),
        repeated_in_training=round(known.repeated * len(train)),
        repeated_in_evaluation=round(asked.repeated * len(test)),
        method="exact" if share == 1 else "estimated",
        error=0.0 if share == 1 else len(test) * math.sqrt(part * (1 - part) / max(1, asked.rows)),
        sketches={"training": known.sketch(len(train), share), "evaluation": asked.sketch(len(test), share)},
    )


@dataclass(frozen=True)
class _Counted:
    """The hashes of a table, or those of them below a limit, in order."""

    ordered: "Hashes"
    distinct: "Hashes"
    repeated: float
    """The share of rows that stand there more than once."""

    @classmethod
    def of(cls, hashes: "Hashes", share: float) -> Self:
        import numpy as np

        ordered = np.sort(hashes if share == 1 else hashes[hashes < np.uint64(int(share * (2**64 - 1)))])
        new = np.ones(len(ordered) + 1, bool)
        new[1:-1] = ordered[1:] != ordered[:-1]
        alone = int((new[:-1] & new[1:]).sum())
        return cls(ordered, ordered[new[:-1]], 1 - alone / max(1, len(ordered)) if len(ordered) else 0.0)

    @property
    def rows(self) -> int:
        return len(self.ordered)

    def found_in(self, other: Self) -> int:
        """How many rows stand in another table too."""
        import numpy as np

        if not len(other.distinct):
            return 0
        places = np.searchsorted(other.distinct, self.ordered)
        places[places == len(other.distinct)] = 0
        return int((other.distinct[places] == self.ordered).sum())

    def sketch(self, rows: int, share: float) -> RowSketch:
        kept = base64.b64encode(self.distinct[:KEPT].astype("<u8").tobytes()).decode()
        return RowSketch(rows=rows, distinct=round(len(self.distinct) / share), hashes=kept)
