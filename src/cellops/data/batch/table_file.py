"""Tables of Arrow on their way into one file, or a folder, which is written beside the place that it is for."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec

from cellops.data.batch.files import CSV, LINES, said
from cellops.data.batch.json_lines import mixed_columns, values_of
from cellops.errors import InputError, OutputError

ARROW, FOLDER = ".arrow", ".folder"
"""How a file is called that is read again here, and a folder of Parquet files, one for each table."""
DISTINCT, LABELS = "prediction_id", "prediction"
"""Columns of which no two values are alike, and of which few differ."""


class Writer(Protocol):
    """What a library writes tables with."""

    def write_table(self, table: Any, /) -> None:
        """Append rows."""

    def close(self) -> None:
        """Write what ends the file."""


class TableFile:
    """A file that tables are appended to; their types are those of the first.

    Parameters
    ----------
    path
        Its suffix says how it is written. It is begun with the first table.
    public
        What it is for, as it may be shown.
    """

    def __init__(self, path: Path, public: str) -> None:
        self.path, self._public = path, public
        self._writer: Writer | None = None
        self._schema: Any = None

    def write(self, table: Any) -> None:
        """Append a table.

        Raises
        ------
        InputError
            When its types are not those of the first, or cannot be written to such a file.
        OutputError
            When there is no room.
        """
        import pyarrow as pa

        try:
            if self._writer is None:
                self._schema = table.schema
                self._writer = _WRITERS.get(self.path.suffix.lower(), _parquet)(self.path, table.schema)
            else:
                table = _alike(table, self._schema)
            self._writer.write_table(table)
        except OSError as error:
            raise _no_room(self._public, error) from error
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            fact = f"A column cannot be written to {self._public}: {said(error)}"
            raise InputError(fact, remedy="Write Parquet, or leave the column out with --keep") from error

    def close(self) -> Path:
        """The file in whole; raises `OutputError` where there is no room for it."""
        try:
            if self._writer is not None:
                self._writer.close()
        except OSError as error:
            raise _no_room(self._public, error) from error
        self._writer = None
        return self.path

    def abandon(self) -> None:
        """Leave nothing of it, as room may be what was wanting."""
        with suppress(Exception):  # it has already been told what is wrong
            if self._writer is not None:
                self._writer.close()
        if self.path.is_dir():
            shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _alike(table: Any, schema: Any) -> Any:
    import pyarrow as pa

    if table.schema == schema:
        return table
    try:
        return table.cast(schema)
    except (pa.ArrowException, ValueError) as error:
        fact = f"A column is not of one type in all of the input: {said(error)}"
        remedy = "Write the files with the same columns and types, or leave it out with --keep"
        raise InputError(fact, remedy=remedy) from error


def _no_room(place: str, error: OSError) -> OutputError:
    fact = f"{place} cannot be written: {error.strerror or said(error)}"
    return OutputError(fact, remedy="Make room there, and go on with --resume")


def _parquet(path: Path, schema: Any) -> Writer:
    import pyarrow.parquet as pq

    named = [field.name for field in schema if _repeats(field)]
    writer: Writer = pq.ParquetWriter(path, schema, use_dictionary=named, write_statistics=True)
    return writer


def _repeats(field: Any) -> bool:
    """Whether values of a column are likely to be alike: a dictionary of others costs time, and makes no file less."""
    import pyarrow as pa

    if field.name == LABELS:
        return not pa.types.is_floating(field.type)
    return field.name != DISTINCT and not (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))


def _csv(path: Path, schema: Any) -> Writer:
    from pyarrow import csv

    writer: Writer = csv.CSVWriter(path, schema)
    return writer


def _arrow(path: Path, schema: Any) -> Writer:
    import pyarrow as pa

    writer: Writer = pa.ipc.new_stream(str(path), schema)
    return writer


class _Lines:
    """Writes each row as an object of JSON in a line."""

    def __init__(self, path: Path, _schema: Any) -> None:
        self._file = path.open("wb")
        self._encoder = msgspec.json.Encoder()

    def write_table(self, table: Any, /) -> None:
        mixed = {name: values_of(table[name]) for name in mixed_columns(table)}
        names = table.column_names
        columns = [mixed.get(name) or table[name].to_pylist() for name in names]
        self._file.write(
            self._encoder.encode_lines([dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)])
        )

    def close(self) -> None:
        self._file.close()


class _Folder:
    """Writes each table as a file of its own, so that a batch of many rows can be read by many."""

    def __init__(self, path: Path, _schema: Any) -> None:
        self._path, self._count = path, 0
        if path.is_dir():
            shutil.rmtree(path)
        path.mkdir()

    def write_table(self, table: Any, /) -> None:
        writer = _parquet(self._path / f"part-{self._count:05}.parquet", table.schema)
        writer.write_table(table)
        writer.close()
        self._count += 1

    def close(self) -> None:
        pass


_WRITERS: dict[str, Callable[[Path, Any], Writer]] = {
    **dict.fromkeys(CSV, _csv),
    **dict.fromkeys(LINES, _Lines),
    ARROW: _arrow,
    FOLDER: _Folder,
}
