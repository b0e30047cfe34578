"""The summary of a table of any make, in one pass."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cellops.data.summary.chunk import Chunk
from cellops.data.summary.dask_frame import is_dask, summarize_dask
from cellops.data.summary.sources import chunks
from cellops.data.summary.table import TableSummary

MANY_VALUES = 200_000
"""Values of a chunk from which its columns are read by several threads: sorting leaves the interpreter free."""
MOST_THREADS = 4
TOGETHER = 8
"""Summaries of chunks that are merged at once."""


def summarize(
    source: Any, *, rows: int | None = None, on_chunk: Callable[[Chunk], None] = lambda _: None
) -> TableSummary:
    """Summarise a table in one pass, in memory that does not grow with its rows.

    Parameters
    ----------
    source
        A DataFrame of pandas, polars or Dask, a table, reader or dataset of pyarrow, a relation of DuckDB, or the path
        of a CSV or Parquet file or of a folder with Parquet files.
    rows
        That are read at a time; by default some eight million values.
    on_chunk
        Hears of each chunk, for what else is to be made of it in the same pass.

    Returns
    -------
    TableSummary
        What does not depend on how the table was cut: `merge` joins it with that of other rows.

    Raises
    ------
    NotFoundError
        When there is no such file.
    InputError
        When the source is no table, or cannot be read. A column that cannot be read says so in its `problems`, and the
        others are summarised all the same.

    Examples
    --------
    >>> import pandas as pd
    >>> hour = summarize(pd.DataFrame({"hour": [5, 6, None, 6]})).column("hour")
    >>> hour.missing, hour.parts.numbers.distinct, round(hour.parts.numbers.moments.mean, 3)
    (1, 2, 5.667)
    """
    if is_dask(source):
        return summarize_dask(source)
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), "cellops-profile") as pool:
        held: list[TableSummary] = []
        for chunk in chunks(source, rows):
            many = chunk.rows * len(chunk.columns) >= MANY_VALUES
            held.append(chunk.summary(pool if many else None))
            on_chunk(chunk)
            if len(held) == TOGETHER:
                held = [TableSummary.merged(held)]
        return held[0] if len(held) == 1 else TableSummary.merged(held)
