"""Tables of every make as chunks of a bounded number of values, one after the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cellops.data.summary.batches import MOST_ROWS, chunks_of_batches, fitting_rows
from cellops.data.summary.chunk import Chunk
from cellops.data.summary.csv_file import chunks_of_csv
from cellops.data.summary.parquet_file import chunks_of_parquet
from cellops.errors import InputError, NotFoundError

CSV, PARQUET = (".csv", ".tsv"), (".parquet", ".pq")
REMEDY = (
    "Give a DataFrame of pandas or polars, a table of pyarrow, a relation of DuckDB, a DataFrame of Dask, or the path "
    "of a CSV or Parquet file, or of a folder with Parquet files"
)


def chunks(source: Any, rows: int | None = None) -> Iterator[Chunk]:
    """The rows of a table, at most as many at a time as memory should hold; at least one chunk, which may be empty.

    Parameters
    ----------
    source
        A DataFrame or Series of pandas or polars, a LazyFrame, a Table, RecordBatch, RecordBatchReader or Dataset of
        pyarrow, a relation of DuckDB, whatever else exports a stream of Arrow, or a path.
    rows
        Of a chunk. By default what has eight million values, and a whole million rows of what is in memory.

    Raises
    ------
    NotFoundError
        When there is no such file.
    InputError
        When it is no table, or its file cannot be read.
    """
    if isinstance(source, str | Path):
        return _of_path(Path(source), rows)
    module = type(source).__module__.partition(".")[0]
    if module == "pandas" and not hasattr(source, "columns") and hasattr(source, "to_frame"):
        source = source.to_frame()
    if module == "pandas" and hasattr(source, "columns"):
        return _of_frame(source, rows or MOST_ROWS)
    reader = _reader(source, module, rows)
    batches = reader.to_batches(max_chunksize=rows) if hasattr(reader, "to_batches") else reader
    return chunks_of_batches(batches, reader.schema, rows)


def _of_frame(frame: Any, rows: int) -> Iterator[Chunk]:
    for begin in range(0, max(len(frame), 1), rows):
        yield Chunk.of_frame(frame.iloc[begin : begin + rows])


def _reader(source: Any, module: str, rows: int | None) -> Any:
    """A table or a reader of record batches."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    if isinstance(source, pa.RecordBatchReader | pa.Table):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    if isinstance(source, ds.Dataset):
        size = rows or fitting_rows(len(source.schema))
        return source.scanner(batch_size=size, batch_readahead=2, fragment_readahead=1).to_reader()
    if module == "duckdb" and hasattr(source, "columns"):
        reader = getattr(source, "to_arrow_reader", None) or source.fetch_record_batch
        return reader(rows or fitting_rows(len(source.columns)))
    if module == "polars" and hasattr(source, "collect"):
        source = source.collect(engine="streaming")
    if module == "polars" and hasattr(source, "to_frame"):
        source = source.to_frame()
    if not hasattr(source, "__arrow_c_stream__"):
        fact = f"A {type(source).__module__}.{type(source).__qualname__} is no table"
        raise InputError(fact, remedy=REMEDY)
    try:
        return pa.RecordBatchReader.from_stream(source)
    except Exception as error:
        fact = f"The table cannot be read: {str(error).splitlines()[0]}"
        raise InputError(fact, remedy="Leave out the columns that hold objects of Python") from error


def _of_path(path: Path, rows: int | None) -> Iterator[Chunk]:
    if not path.exists():
        fact = f"There is no file {path}"
        raise NotFoundError(fact, remedy="Give a CSV or Parquet file, or a folder with Parquet files")
    kind = path.suffix.lower()
    if path.is_dir() or kind in PARQUET:
        return chunks_of_parquet(path, rows)
    if kind in CSV:
        return chunks_of_csv(path, rows)
    fact = f"{path.name} is neither CSV nor Parquet"
    raise InputError(fact, received=path.suffix, remedy=f"Its name must end in {', '.join(CSV + PARQUET)}")
