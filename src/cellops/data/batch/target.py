"""Where a batch puts its answers: a CSV or Parquet file, here or at an address, or a table of DuckDB.

What is written stands beside first, and takes its name at once and in whole at the end.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from cellops.data.batch.duckdb_file import DuckDBTable, duckdb_table
from cellops.data.batch.files import KINDS, address, is_address, said
from cellops.data.batch.table_file import ARROW, TableFile
from cellops.errors import OutputError, UsageError
from cellops.settings import without_credentials


class Target(Protocol):
    """One place, and what stands beside it."""

    public: str
    """As it may be shown."""
    suffix: str
    """Of tables beside it."""

    def stands(self) -> bool:
        """Whether something stands there."""

    def file(self, staging: Path) -> TableFile:
        """A file for all of its rows, in a folder that the batch has for itself."""

    def put(self, file: TableFile) -> None:
        """Take the file in whole, in place of what stands there.

        Raises
        ------
        OutputError
            When that cannot be; what stood there still does.
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

    def file(self, staging: Path) -> TableFile:
        return TableFile(staging / self.path.name, self.public)

    def put(self, file: TableFile) -> None:
        written = file.close()
        with writing(self.public):
            os.replace(written, self.path)  # noqa: PTH105 - over what is there, on Windows too

    def put_bytes(self, content: bytes, staging: Path) -> None:
        """The same of a small file."""
        with writing(self.public):
            (staging / self.path.name).write_bytes(content)
            os.replace(staging / self.path.name, self.path)  # noqa: PTH105

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

    def file(self, staging: Path) -> TableFile:
        return TableFile(staging / self._name, self.public)

    def put(self, file: TableFile) -> None:
        self._send(file.close())

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

    def beside(self, name: str) -> "AddressTarget":
        return AddressTarget(f"{self._place}{name}")


class TableTarget:
    """A table of DuckDB, which is written in one transaction at the end: meanwhile others may use the file."""

    def __init__(self, table: DuckDBTable) -> None:
        self._table = table
        self.public, self.suffix = f"{table.path}::{table.table}", ".parquet"

    def stands(self) -> bool:
        if not self._table.path.exists():
            return False
        import duckdb

        with self._table.opened(read_only=True) as connection:
            try:
                connection.execute(f"SELECT 1 FROM {self._table.quoted} LIMIT 0")  # noqa: S608 - quoted
            except duckdb.Error:
                return False
        return True

    def file(self, staging: Path) -> TableFile:
        return TableFile(staging / f"output{ARROW}", self.public)

    def put(self, file: TableFile) -> None:
        import duckdb
        import pyarrow as pa

        written = file.close()
        with writing(self.public), self._table.opened(read_only=False) as connection, pa.OSFile(str(written)) as opened:
            try:
                connection.register("cellops_rows", pa.ipc.open_stream(opened))
                connection.execute(f"CREATE OR REPLACE TABLE {self._table.quoted} AS SELECT * FROM cellops_rows")  # noqa: S608 - quoted
            except duckdb.Error as error:
                fact = f"{self.public} cannot be written: {said(error)}"
                raise OutputError(fact, remedy="Correct that, and go on with --resume") from error

    def beside(self, name: str) -> FileTarget:
        return FileTarget(self._table.path.with_name(f"{self._table.path.name}.{self._table.table}{name}"))


def target(place: str) -> Target:
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


def _require_folder(path: Path) -> None:
    if not path.parent.is_dir():
        fact = f"There is no folder {path.parent}"
        raise UsageError(fact, remedy="Make it first, or give another path")
    if path.is_dir():
        fact = f"{path} is a folder"
        raise UsageError(fact, remedy="Give the path of a file in it")
