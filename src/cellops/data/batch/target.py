"""Where a batch puts its answers: a file, here or at an address, a folder of Parquet files, or a table of DuckDB.

What is written stands beside first, and takes its name at once and in whole at the end.
"""

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from cellops.data.batch.duckdb_file import DuckDBTable, duckdb_table
from cellops.data.batch.files import KINDS, NAMED, InputFile, address, is_address, said
from cellops.data.batch.table_file import ARROW, FOLDER, TableFile
from cellops.errors import OutputError, UsageError
from cellops.settings import without_credentials

OWN = ("", ".parts", *(f".rejects{kind}" for kind in KINDS))
"""What a batch calls files that it could read, beside its output."""
PART_NAME = re.compile(r"part-\d{5,}\.parquet")


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

    def owns(self, file: InputFile) -> bool:
        folder, path = self.path.parent.resolve(), Path(file.place).resolve()
        return file.files is None and path.is_relative_to(folder) and _is_of(path.relative_to(folder), self.path.name)

    def file(self, staging: Path) -> TableFile:
        return TableFile(staging / self.path.name, self.public)

    def put(self, file: TableFile) -> None:
        written = file.close()
        with writing(self.public):
            _sync(written)
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


class FolderTarget:
    """A folder of Parquet files on this machine, one for each chunk, in the order of their names."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.public, self.suffix = f"{path}/", ".parquet"

    def stands(self) -> bool:
        return self._path.exists()

    def owns(self, file: InputFile) -> bool:
        return self.beside("").owns(file)

    def file(self, staging: Path) -> TableFile:
        return TableFile(staging / f"output{FOLDER}", self.public)

    def put(self, file: TableFile) -> None:
        written = file.close()
        before = written.with_name(f"before{FOLDER}")
        with writing(self.public):
            for part in written.iterdir():
                _sync(part)
            if self._path.exists():
                self._path.rename(before)
            written.rename(self._path)

    def beside(self, name: str) -> FileTarget:
        return FileTarget(self._path.with_name(f"{self._path.name}{name}"))


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
    """A table of DuckDB, which is written in one transaction at the end: meanwhile others may use the file."""

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

    def file(self, staging: Path) -> TableFile:
        return TableFile(staging / f"output{ARROW}", self.public)

    def put(self, file: TableFile) -> None:
        import duckdb
        import pyarrow as pa

        written = file.close()
        with writing(self.public), self.table.opened(read_only=False) as connection, pa.OSFile(str(written)) as opened:
            try:
                rows = f"cellops_rows_{uuid.uuid4().hex}"
                connection.register(rows, pa.ipc.open_stream(opened))
                connection.execute(f"CREATE OR REPLACE TABLE {self.table.quoted} AS SELECT * FROM {rows}")  # noqa: S608 - quoted
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


def target(place: str) -> Target:
    """What a place stands for.

    Raises
    ------
    UsageError
        When it is none of these, or its folder is not there.
    """
    table = duckdb_table(place)
    if table is not None:
        _require_folder(table.path)
        return TableTarget(table)
    if place.endswith("/"):
        return _folder(place)
    if not place.lower().endswith(KINDS):
        fact = f"{without_credentials(place)} is not {NAMED}"
        remedy = f"Let its name end in {', '.join(KINDS)}, or in / for a folder; a table of DuckDB is FILE::TABLE"
        raise UsageError(fact, remedy=remedy)
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


def _sync(path: Path) -> None:
    """Have a file on the disk: the parts go away next, and must not be all that a crash leaves."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _folder(place: str) -> FolderTarget:
    if is_address(place):
        fact = f"{without_credentials(place)} would be a folder at an address, which cannot take its name at once"
        raise UsageError(fact, remedy="Give a file at the address, or a folder on this machine")
    path = Path(place)
    if not path.parent.is_dir():
        fact = f"There is no folder {path.parent}"
        raise UsageError(fact, remedy="Make it first, or give another path")
    if path.exists() and not _is_of_parts(path):
        fact = f"{path} holds other things than parts"
        raise UsageError(fact, remedy="Give a folder that is not there yet")
    return FolderTarget(path)


def _is_of_parts(path: Path) -> bool:
    """Whether a folder is one of ours, which --force may replace."""
    return path.is_dir() and all(PART_NAME.fullmatch(each.name) for each in path.iterdir())


def _require_folder(path: Path) -> None:
    if not path.parent.is_dir():
        fact = f"There is no folder {path.parent}"
        raise UsageError(fact, remedy="Make it first, or give another path")
    if path.is_dir():
        fact = f"{path} is a folder"
        raise UsageError(fact, remedy="Give the path of a file in it, or let it end in / for a folder of parts")
