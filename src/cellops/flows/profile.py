"""The profile of a table, or of several that are rows of one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cellops.data.problems import listed
from cellops.errors import NotFoundError, UsageError
from cellops.flows.frames import likely
from cellops.records.summary import Profiled

MOST_NAMES = 3


def profile(
    *sources: Any,
    correlations: bool = False,
    output: Path | str | None = None,
    names: Mapping[str, Any] | None = None,
) -> Profiled:
    """Tell what a table holds: kinds, missing and distinct values, distributions, and what should be looked at.

    One pass, in memory that does not grow with the rows; several tables or files count as one, with all their rows.

    Parameters
    ----------
    *sources
        DataFrames of pandas, polars or Dask, tables of pyarrow, relations of DuckDB; paths of CSV or Parquet files, of
        folders with Parquet files, or of profiles that were saved.
    correlations
        Whether Pearson's correlation of each pair of columns of numbers is told too.
    output
        Where the profile is saved, to be merged with others later.
    names
        Tables by the names that stand for them among the sources.

    Raises
    ------
    UsageError
        When nothing is given, or correlations of what does not have rows any more.
    NotFoundError
        When there is no such file.
    InputError
        When a source is no table, or cannot be read. What is wrong with a column is a finding, and the others are told.

    Examples
    --------
    >>> import pandas as pd
    >>> profile(pd.DataFrame({"hour": [5, 6, None]})).column("hour").missing
    1
    """
    from cellops.data.summary.correlation import Correlating
    from cellops.data.summary.figures import figures
    from cellops.data.summary.file import write
    from cellops.data.summary.findings import findings
    from cellops.data.summary.picture import picture
    from cellops.data.summary.table import merge

    if not sources:
        fact = "No table is given"
        raise UsageError(fact, remedy="Name a DataFrame or a file: %mlops profile df, cellops profile data.parquet")
    tables = [_found(source, names) for source in sources]
    seeing = Correlating() if correlations else None
    summary = merge(*(_summary(source, table, seeing) for source, table in zip(sources, tables, strict=True)))
    if output is not None:
        write(summary, Path(output))
    shown = Profiled(
        name=_named(sources),
        rows=summary.rows,
        columns=figures(summary),
        findings=findings(summary),
        correlations=None if seeing is None else seeing.record(),
        saved=None if output is None else str(output),
    )
    return shown.replace(picture=picture(shown))


def _found(source: Any, names: Mapping[str, Any] | None) -> Any:
    """The table that a name stands for; else the path that it is."""
    if names is None or not isinstance(source, str):
        return source
    if source not in names and not Path(source).suffix and not Path(source).exists():
        fact = f"There is neither a DataFrame nor a file {source}"
        raise NotFoundError(fact, remedy=likely(source, names))
    if source not in names and source.endswith((")", "]")) and not Path(source).exists():
        fact = f"{source} is no name of a table, nor a file"
        raise NotFoundError(
            fact, remedy=f"Give it a name in a cell, and profile that; or call cellops.profile({source})"
        )
    return names.get(source, source)


def _summary(source: Any, table: Any, seeing: Any) -> Any:
    from cellops.data.summary.dask_frame import is_dask
    from cellops.data.summary.file import is_summary, read
    from cellops.data.summary.summarize import summarize

    saved = isinstance(table, str | Path) and is_summary(Path(table))
    if seeing is not None and (saved or is_dask(table)):
        what = "A DataFrame of Dask" if not saved else f"The saved profile {source}"
        fact = f"{what} does not show the rows that correlations need"
        raise UsageError(fact, remedy="Give the file itself, or a table in memory, or leave out --correlations")
    if saved:
        return read(Path(table))
    return summarize(table) if seeing is None else summarize(table, on_chunk=seeing.see)


def _named(sources: tuple[Any, ...]) -> str:
    names = [str(source) if isinstance(source, str | Path) else type(source).__name__ for source in sources]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return listed(names[:MOST_NAMES]) + more
