"""Columns of the model that a file seems to have under another name: that is said, and never taken for granted."""

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.data.problems import shorten
from cellops.errors import InputError
from cellops.monitoring.aspects import MODERATE_PSI
from cellops.records.contract import Contract
from cellops.records.finding import Finding, Severity
from cellops.records.profile import ColumnProfile

if TYPE_CHECKING:
    import pandas as pd

HEAD = 10_000
"""Rows of a file that are looked at."""
CLOSE = 0.75
"""Likeness of two names, from 0 to 1, beyond what upper case, blanks and underscores make of them."""
MOST = 50
"""Columns that are looked for."""
NEAREST = 3
"""Names that are tried for each."""
UNREADABLE = (InputError, TypeError, ValueError, ArithmeticError, NotImplementedError, OSError, csv.Error)
"""What reading the first rows may raise; reading all of them has said it, or will."""


def renamed_columns(path: Path, contract: Contract, known: Collection[str] = ()) -> list[Finding]:
    """The columns of the model that a file lacks where another one, which the model does not know, has their shape.

    That is one of the same kind with a name that differs in case, blanks and punctuation alone; or with a name that is
    close and nearly the same distribution, PSI below 0.1 in the first rows.

    Parameters
    ----------
    path
        A CSV or Parquet file, or a folder with Parquet files, whose columns may differ.
    known
        Columns that are there for another reason: the truth, and the time.
    """
    found: dict[str, Finding] = {}
    for file, names in _layouts(path):
        given = {column.name for column in contract.profile.columns}
        lacking = [column for column in contract.profile.columns if column.name not in names]
        strange = [name for name in names if name not in given and name not in known and names.count(name) == 1]
        for name, now, moved in _pairs(file, contract, lacking[:MOST], strange):
            found.setdefault(name, _finding(name, shorten(now), moved))
    return list(found.values())


def respelled(wanted: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """The names that are wanted ones but for case, blanks and punctuation, each with the wanted one.

    Examples
    --------
    >>> respelled(["dep_delay", "carrier"], ["DepDelay", "tail number"])
    {'DepDelay': 'dep_delay'}
    """
    plain = {_plain(name): name for name in wanted}
    return {name: plain[_plain(name)] for name in names if _plain(name) in plain and _plain(name)}


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _layouts(path: Path) -> Iterator[tuple[Path, list[str]]]:
    """The first file of each set of columns, with these; columns that the names of folders give are among them."""
    if path.is_file() and path.suffix.lower() == ".csv":
        from cellops.data.tables import csv_names

        yield path, csv_names(path)
        return
    import pyarrow.parquet as pq

    from cellops.data.summary.parquet_file import parquet_files

    told: set[frozenset[str]] = set()
    for file, partition in parquet_files(path):
        names = [*pq.read_schema(file).names, *partition]
        if frozenset(names) not in told:
            told.add(frozenset(names))
            yield file, names


def _pairs(
    file: Path, contract: Contract, lacking: Sequence[ColumnProfile], strange: Sequence[str]
) -> Iterator[tuple[str, str, float]]:
    """Each column that seems to be there, its name there, and how far it moved; no name stands for two."""
    free = {name: _plain(name) for name in strange}
    same = {wanted: name for name, wanted in respelled([one.name for one in lacking], strange).items()}
    for column in sorted(lacking, key=lambda one: one.name not in same):
        near = get_close_matches(_plain(column.name), set(free.values()), n=NEAREST, cutoff=CLOSE)
        tried = [same[column.name]] if column.name in same else [name for name in free if free[name] in near]
        distances = {name: _distance(file, contract, column, name) for name in tried if name in free}
        fitting = {name: far for name, far in distances.items() if far is not None}
        best = min(fitting, key=fitting.__getitem__, default=None)
        if best is not None and (column.name in same or fitting[best] < MODERATE_PSI):
            del free[best]
            yield column.name, best, fitting[best]


def _distance(file: Path, contract: Contract, column: ColumnProfile, name: str) -> float | None:
    """The PSI of the first rows under this name, in the bins of a column; None where they are of another kind."""
    from cellops.data.profile import count
    from cellops.stats.counts import counts_of
    from cellops.stats.psi import psi

    try:
        rows = _head(file, contract, column.name, name)
        if column.bins is None or rows.isna().all():
            return None
        return psi(counts_of(column.bins), counts_of(count(column, rows))).value
    except UNREADABLE:
        return None


def _head(file: Path, contract: Contract, column: str, name: str) -> "pd.Series[Any]":
    """The first rows under a name, as the column that it may be."""
    import pandas as pd

    if file.suffix.lower() != ".csv":
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetFile(file) as opened:
            batches = opened.iter_batches(batch_size=HEAD, columns=[name])
            rows: pd.Series[Any] = pa.table({column: next(batches).column(0)}).to_pandas()[column]
            return rows
    from cellops.data.tables import typed

    cells = pd.read_csv(file, dtype=object, na_filter=False, usecols=[name], nrows=HEAD)
    read, unreadable = typed(cells.rename(columns={name: column}), contract.schema, None)
    if unreadable:
        fact = f"{name} holds another kind of values than {column}"
        raise InputError(fact, remedy="Look for another column")
    return read[column]


def _finding(name: str, now: str, moved: float) -> Finding:
    return Finding(
        code="column-renamed",
        severity=Severity.WARNING,
        where=f"column {name}",
        seen=f"it is not there, but {now}, which the model does not know, holds values of its kind: PSI {moved:.2g} "
        "in the first rows",
        remedy=f"Column {name} seems to be called {now} now: check that, and call it {name} in the data",
    )
