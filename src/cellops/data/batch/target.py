"""Where a batch puts its answers: a CSV or Parquet file, here or at an address, or a table of DuckDB.

What is written stands beside first, and takes its name at once and in whole at the end.
"""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from cellops.data.batch.duckdb_file import DuckDBTable, duckdb_table
from cellops.data.batch.files import CSV, KINDS, InputFile, address, is_address, said
from cellops.errors import InputError, OutputError, UsageError
from cellops.settings import without_credentials

OWN = ("", ".parts", *(f".rejects{kind}" for kind in KINDS))
"""What a batch calls files that it could read, beside its output."""
Tables = Iterable[Any]
"""Tables of Arrow, of one schema."""


class Target(Protocol):
    """One place, and what stands beside it."""

    public: str
    """As it may be shown."""
    suffix: str
    """Of tables beside it."""

    def stands(self) -> bool:
        """Whether something stands there."""

    def owns(self, file: InputFile) -> bool:
        """Whether a file is this place, or one that a batch makes beside it."""

    def put(self, schema: Any, tables: Tables, staging: Path) -> None:
        """Write tables there, in place of what stands there; `staging` is a folder that the batch has for itself.

        Raises
        ------
        OutputError
            When they cannot be written; what stood there still does.
        """

    def beside(self, name: str) -> "FileTarget | AddressTarget":
        """A file that is called as this one, and then as `name` says."""


class FileTarget:
    """A file on this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.public, self.suffix = str(path), path.suffix.lower()

    def stands(self) -> bool:
        return self.path.exists()

    def owns(self, file: InputFile) -> bool:
        folder, path = self.path.parent.resolve(), Path(file.place).resolve()
        return file.files is None and path.is_relative_to(folder) and _is_of(path.relative_to(folder), self.path.name)

    def put(self, schema: Any, tables: Tables, staging: Path) -> None:
        with writing(self.public):
            written = _written(schema, tables, staging / self.path.name)
            with written.open("rb") as file:  # the parts go away next, and must not be all that a crash leaves
                os.fsync(file.fileno())
            os.replace(written, self.path)  # noqa: PTH105 - over what is there, on Windows too

    def put_bytes(self, content: bytes, staging: Path) -> None:
        """The same of a small file."""
        with writing(self.public):
            (staging / self.path.name).write_bytes(content)
            os.replace(staging / self.path.name, self.path)  # noqa: PTH105

    def remove(self) -> None:
        with writing(self.public):
            self.path.unlink(missing_ok=True)

    def beside(self, name: str) -> "FileTarget":
        return FileTarget(self.path.with_name(f"{self.path.name}{name}"))


class AddressTarget:
    """A file at an address that fsspec takes; it is written here, and put there in whole."""

    def __init__(self, place: str) -> None:
        self._place = place
        folder, _, self._name = place.rpartition("/")
        self._folder = address(folder)
        self.public, self.suffix = without_credentials(place), Path(self._name).suffix.lower()

    def stands(self) -> bool:
        try:
            return self._folder.size(self._name) is not None
        except Exception as error:  # drivers raise errors of their own
            fact = f"{self.public} cannot be looked at: {said(error)}"
            raise OutputError(fact, remedy="Try again when the store answers") from error

    def owns(self, file: InputFile) -> bool:
        if file.files is None or type(file.files) is not type(self._folder.files):
            return False
        folder = f"{self._folder.root}/"
        return file.place.startswith(folder) and _is_of(Path(file.place.removeprefix(folder)), self._name)

    def put(self, schema: Any, tables: Tables, staging: Path) -> None:
        with writing(self.public):
            self._send(_written(schema, tables, staging / self._name))

    def put_bytes(self, content: bytes, staging: Path) -> None:
        """The same of a small file."""
        with writing(self.public):
            (staging / self._name).write_bytes(content)
            self._send(staging / self._name)

    def _send(self, written: Path) -> None:
        try:
            self._folder.put(written, self._name)
        except Exception as error:  # drivers raise errors of their own
            fact = f"{self.public} cannot be written: {said(error)}"
            raise OutputError(fact, remedy="Go on with --resume when the store answers") from error
        written.unlink()

    def remove(self) -> None:
        if self.stands():
            try:
                self._folder.files.rm_file(self._folder.path(self._name))
            except Exception as error:  # drivers raise errors of their own
                fact = f"{self.public} cannot be taken away: {said(error)}"
                raise OutputError(fact, remedy="Go on with --resume when the store answers") from error

    def beside(self, name: str) -> "AddressTarget":
        return AddressTarget(f"{self._place}{name}")


class TableTarget:
    """A table of DuckDB, which is written in one transaction."""

    def __init__(self, table: DuckDBTable) -> None:
        self.table = table
        self.public, self.suffix = f"{table.path}::{table.table}", ".parquet"

    def stands(self) -> bool:
        if not self.table.path.exists():
            return False
        import duckdb

        with self.table.opened(read_only=True) as connection:
            try:
                connection.execute(f"SELECT 1 FROM {self.table.quoted} LIMIT 0")  # noqa: S608 - quoted
            except duckdb.Error:
                return False
        return True

    def put(self, schema: Any, tables: Tables, staging: Path) -> None:  # noqa: ARG002 - as its sisters take it
        import duckdb

        with writing(self.public), self.table.opened(read_only=False) as connection:
            try:
                connection.execute("BEGIN")
                rows = f"cellops_rows_{uuid.uuid4().hex}"
                connection.register(rows, schema.empty_table())
                connection.execute(f"CREATE OR REPLACE TABLE {self.table.quoted} AS SELECT * FROM {rows}")  # noqa: S608 - quoted
                for table in tables:
                    connection.register(rows, table)
                    connection.execute(f"INSERT INTO {self.table.quoted} SELECT * FROM {rows}")  # noqa: S608 - quoted
                connection.execute("COMMIT")
            except duckdb.Error as error:
                fact = f"{self.public} cannot be written: {said(error)}"
                raise OutputError(fact, remedy="Correct that, and go on with --resume") from error

    def owns(self, file: InputFile) -> bool:
        return self.beside("").owns(file)

    def beside(self, name: str) -> FileTarget:
        # A table may be called as no file can be.
        return FileTarget(
            self.table.path.with_name(f"{self.table.path.name}.{quote(self.table.table, safe=' ')}{name}")
        )


def target(place: str) -> "FileTarget | AddressTarget | TableTarget":
    """What a place stands for.

    Raises
    ------
    UsageError
        When it is neither a CSV nor a Parquet file nor a table of DuckDB, or its folder is not there.
    """
    table = duckdb_table(place)
    if table is not None:
        _require_folder(table.path)
        return TableTarget(table)
    if not place.lower().endswith(KINDS):
        fact = f"{without_credentials(place)} is neither a CSV nor a Parquet file"
        raise UsageError(fact, remedy=f"Let its name end in {', '.join(KINDS)}, or give a table of DuckDB, FILE::TABLE")
    if is_address(place):
        return AddressTarget(place)
    path = Path(place)
    _require_folder(path)
    return FileTarget(path)


@contextmanager
def writing(place: str) -> Iterator[None]:
    """Say of a place that it cannot be written, where the system says so.

    Raises
    ------
    OutputError
        Instead of OSError.
    """
    try:
        yield
    except OSError as error:
        fact = f"{place} cannot be written: {error.strerror or said(error)}"
        raise OutputError(fact, remedy="Make room there, and go on with --resume") from error


def _is_of(path: Path, name: str) -> bool:
    """Whether a path is that of a file, of the rows that were set aside beside it, or in the folder of its batch."""
    return path.parts[0] in {f"{name}{each}" for each in OWN}


def _require_folder(path: Path) -> None:
    if not path.parent.is_dir():
        fact = f"There is no folder {path.parent}"
        raise UsageError(fact, remedy="Make it first, or give another path")
    if path.is_dir():
        fact = f"{path} is a folder"
        raise UsageError(fact, remedy="Give the path of a file in it")


def _written(schema: Any, tables: Tables, path: Path) -> Path:
    """A file with these tables."""
    write: Callable[[Any, Tables, Path], None] = _write_csv if path.suffix.lower() in CSV else _write_parquet
    write(schema, tables, path)
    return path


def _write_parquet(schema: Any, tables: Tables, path: Path) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, schema) as writer:
        for table in tables:
            writer.write_table(table)


def _write_csv(schema: Any, tables: Tables, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import csv

    try:
        with csv.CSVWriter(path, schema) as writer:
            for table in tables:
                writer.write_table(table)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        fact = f"A column cannot be written as CSV: {said(error)}"
        raise InputError(fact, remedy="Write Parquet, or leave the column out with --keep") from error
