"""A stretch of rows of any table, and the summary of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cellops.data.problems import shorten
from cellops.data.summary.arrow_column import parts_of_arrow
from cellops.data.summary.column import ColumnSummary, Parts
from cellops.data.summary.objects import parts_of_objects
from cellops.data.summary.pandas_column import parts_of_series
from cellops.data.summary.table import TableSummary

if TYPE_CHECKING:
    import pandas as pd

LONGEST_PROBLEM = 160


@dataclass(frozen=True)
class Chunk:
    """Rows of a table as columns of pandas or pyarrow."""

    rows: int
    columns: Sequence[tuple[str, Any]]
    """Names, of which some may be there twice, and values."""

    @classmethod
    def of_frame(cls, frame: "pd.DataFrame") -> "Chunk":
        columns = [(str(name), column) for name, column in frame.items()]
        return cls(len(frame), columns)

    @classmethod
    def of_arrow(cls, table: Any) -> "Chunk":
        """Of a table or record batch of pyarrow."""
        return cls(table.num_rows, list(zip(table.schema.names, table.columns, strict=True)))

    def summary(self, pool: Executor | None = None) -> TableSummary:
        """The summary of these rows; a column that cannot be read says so, and the others are read all the same."""
        times = Counter(name for name, _ in self.columns)
        jobs = [(name, place, values, times[name]) for place, (name, values) in enumerate(self.columns)]
        last = {name: job for job in jobs for name in job[:1]}.values()
        work: Iterable[ColumnSummary] = map(_column, last) if pool is None else pool.map(_column, last)
        return TableSummary(self.rows, tuple(work))


def _column(job: tuple[str, int, Any, int]) -> ColumnSummary:
    name, place, values, times = job
    kind = str(getattr(values, "dtype", None) or values.type)
    if times > 1:
        problem = f"{times} columns have this name"
        return ColumnSummary(name, place, len(values), 0, frozenset({kind}), Parts(), frozenset({problem}))
    problems = frozenset[str]()
    try:
        parts, missing = _parts(values)
    except Exception as error:  # noqa: BLE001 - whatever libraries raise on values that they cannot hold
        parts, missing = Parts(), 0
        said = (str(error) or type(error).__name__).splitlines()[0]
        problems = frozenset({shorten(f"Its values cannot be read: {said}", LONGEST_PROBLEM)})
    return ColumnSummary(name, place, len(values), missing, frozenset({kind}), parts, problems)


def _parts(values: Any) -> tuple[Parts, int]:
    """The column as a whole, else value by value."""
    is_series = hasattr(values, "dtype")
    try:
        return parts_of_series(values) if is_series else parts_of_arrow(values)
    except Exception:  # noqa: BLE001 - the second attempt tells what is wrong
        return parts_of_objects(values.tolist() if is_series else values.to_pylist())
