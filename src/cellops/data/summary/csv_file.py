"""CSV files as chunks; where cells stop being what the first ones were, each of the rest counts as what it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cellops.data.csv_cells import MISSING
from cellops.data.summary.batches import chunks_of_batches
from cellops.data.summary.chunk import Chunk
from cellops.errors import InputError

BLOCK = 8 << 20
"""Bytes that are read at once; the first ones show the types of the columns."""
NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"


def chunks_of_csv(path: Path, rows: int | None) -> Iterator[Chunk]:
    """The rows of a CSV file with a line of names, encoded as UTF-8; whatever files call missing is so.

    Raises
    ------
    InputError
        When it cannot be read as CSV.
    """
    try:
        yield from _chunks(path, rows)
    except (OSError, ValueError) as error:  # pyarrow's own errors are among these
        fact = f"{path.name} cannot be read: {str(error).splitlines()[0]}"
        remedy = "Write it as CSV in UTF-8, each row with as many cells as there are names"
        raise InputError(fact, remedy=remedy) from error


def _chunks(path: Path, rows: int | None) -> Iterator[Chunk]:
    import pyarrow as pa

    read = 0
    with _opened(path) as reader:
        types = reader.schema.types
        try:
            for chunk in chunks_of_batches(reader, reader.schema, rows):
                yield chunk
                read += chunk.rows
        except pa.ArrowInvalid as error:
            if "conversion error" not in str(error):
                raise
        else:
            return
    with _opened(path, reader.schema.names) as reader:
        for chunk in chunks_of_batches(_without(reader, read), reader.schema, rows):
            narrow = [(name, _narrowed(cells, kind)) for (name, cells), kind in zip(chunk.columns, types, strict=True)]
            yield Chunk(chunk.rows, narrow)


def _opened(path: Path, texts: list[str] | None = None) -> Any:
    """A reader of the file, that takes the named columns as text."""
    import pyarrow as pa
    from pyarrow import csv

    types = None if texts is None else dict.fromkeys(texts, pa.string())
    convert = csv.ConvertOptions(column_types=types, null_values=sorted(MISSING), strings_can_be_null=True)
    parse = csv.ParseOptions(delimiter="\t" if path.suffix.lower() == ".tsv" else ",", newlines_in_values=True)
    return csv.open_csv(path, csv.ReadOptions(block_size=BLOCK), parse, convert)


def _without(batches: Any, rows: int) -> Iterator[Any]:
    """The batches without the first rows."""
    for batch in batches:
        if batch.num_rows > rows:
            yield batch.slice(rows)
        rows = max(0, rows - batch.num_rows)


def _narrowed(cells: Any, kind: Any) -> Any:
    """Cells of text as the type that the column had at first, else numbers as numbers beside the rest."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if types.is_string(kind):
        return cells
    for wanted in (kind, pa.int64(), pa.float64()):
        if not types.is_null(wanted):
            try:
                return cells.cast(wanted)
            except pa.ArrowInvalid:
                continue
    if types.is_null(kind) or not (types.is_integer(kind) or types.is_floating(kind)):
        return cells
    is_number = pc.fill_null(pc.match_substring_regex(cells, NUMBER), fill_value=False).to_pylist()
    pairs = zip(cells.to_pylist(), is_number, strict=True)
    return pd.Series([float(cell) if number else cell for cell, number in pairs], dtype=object)
