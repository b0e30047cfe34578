"""The files that a name, a folder, a pattern or an address stands for, each brought here while it is read."""

import glob
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellops.data.address import Address
from cellops.errors import InputError, NotFoundError, UsageError
from cellops.settings import without_credentials

CSV, PARQUET, LINES = (".csv",), (".parquet", ".pq"), (".jsonl", ".ndjson")
KINDS = CSV + PARQUET + LINES
NAMED = "CSV, Parquet or JSON lines"
"""The kinds, as they may be shown."""
PATTERN = frozenset("*?[")
SHOWN = 200


@dataclass(frozen=True)
class InputFile:
    """A file that a batch reads."""

    name: str
    """As it may be shown, below the folder that was given."""
    place: str
    """Its path, or what the file system of its address calls it."""
    files: Any = None
    """The file system of fsspec; None on this machine."""

    @contextmanager
    def here(self) -> Iterator[Path]:
        """A path on this machine; what came from elsewhere goes away again.

        Raises
        ------
        InputError
            When it cannot be brought.
        """
        if self.files is None:
            yield Path(self.place)
            return
        with tempfile.TemporaryDirectory(prefix="cellops-score-") as folder:
            path = Path(folder) / Path(self.place).name
            try:
                self.files.get_file(self.place, str(path))
            except Exception as error:  # drivers raise errors of their own
                fact = f"{self.name} cannot be brought here: {said(error)}"
                raise InputError(fact, remedy="Try again with --resume when the store answers") from error
            yield path


def found(place: str) -> list[InputFile]:
    """The files that a place stands for, in the order of their names.

    Parameters
    ----------
    place
        A path, a folder, a pattern such as `april/*.parquet`, or any of these at an address that fsspec takes.

    Raises
    ------
    NotFoundError
        When there is none.
    InputError
        When a file is of another kind than CSV, Parquet or JSON lines.
    UsageError
        When the driver for an address is not installed.
    """
    paths = _at_address(place) if is_address(place) else _here(place)
    if not paths:
        fact = f"There is no file of {NAMED} {without_credentials(place)}"
        raise NotFoundError(fact, remedy="Give a file, a folder with such files, or a pattern in quotes: 'april/*.csv'")
    return paths


def is_address(place: str) -> bool:
    return "://" in place


def address(place: str) -> Address:
    """A folder at an address.

    Raises
    ------
    UsageError
        When fsspec or the driver is not installed, or the address is wrong.
    """
    public = without_credentials(place)
    try:
        return Address(place)
    except ImportError as error:
        fact = f"{public} is reached by fsspec, and it or a driver for such addresses is not installed: {error}"
        raise UsageError(fact, remedy='Run: pip install "cellops[store]", and the driver, such as s3fs') from error
    except Exception as error:  # a driver may refuse an address in any way
        fact = f"{public} cannot be reached: {said(error)}"
        raise UsageError(fact, remedy="Correct the address, or what it reaches") from error


def said(error: Exception) -> str:
    """What the error of a library says, in a line; it may quote an address with what opens it."""
    return without_credentials((str(error).splitlines() or [type(error).__name__])[0])[:SHOWN]


def readable(name: str) -> str:
    r"""The name of a file that can be written down: one may hold bytes that are no text.

    >>> readable("april.csv"), readable(b"\xff.csv".decode(errors="surrogateescape"))
    ('april.csv', '\\xff.csv')
    """
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _here(place: str) -> list[InputFile]:
    path = Path(place)
    if path.is_file():
        _require_kind(path.name)
        return [InputFile(readable(path.name), str(path))]
    if path.is_dir():
        paths, base = sorted(path.rglob("*")), path
    else:
        paths = [Path(each) for each in sorted(glob.glob(place, recursive=True))] if PATTERN & set(place) else []  # noqa: PTH207 - with the folders of the pattern
        base = path.parent
    return [
        InputFile(readable(str(each.relative_to(base) if each.is_relative_to(base) else each)), str(each))
        for each in paths
        if each.suffix.lower() in KINDS and each.is_file() and not each.name.startswith(".")
    ]


def _at_address(place: str) -> list[InputFile]:
    reached = address(place)
    try:
        if PATTERN & set(place):
            paths = reached.files.glob(reached.root)
        elif reached.files.isdir(reached.root):
            paths = reached.files.find(reached.root)
        else:
            paths = [reached.root] if reached.files.exists(reached.root) else []
    except Exception as error:
        fact = f"{reached.public} cannot be read: {said(error)}"
        raise InputError(fact, remedy="Try again when the store answers") from error
    kept = sorted(each for each in paths if each.lower().endswith(KINDS))
    return [InputFile(_shown(each, reached.root), each, reached.files) for each in kept]


def _shown(path: str, root: str) -> str:
    """What a file at an address is called, below the folder that was given; some drivers call it by its whole address.

    >>> _shown("bucket/april/1.csv", "bucket/april"), _shown("http://ada:key@host/1.csv", "http://ada:key@host/*.csv")
    ('1.csv', 'host/1.csv')
    """
    return without_credentials(path.removeprefix(f"{root}/")).rpartition("://")[2]


def _require_kind(name: str) -> None:
    if not name.lower().endswith(KINDS):
        fact = f"{name} is not {NAMED}"
        raise InputError(fact, remedy=f"Its name must end in {', '.join(KINDS)}; a table of DuckDB is FILE::TABLE")
