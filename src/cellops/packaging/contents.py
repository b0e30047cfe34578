"""The files of a package, wherever they lie: every verb that takes a package comes through here."""

from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path
from typing import Protocol, Self

from cellops.errors import NotFoundError, PackageError
from cellops.packaging.archive import LOCAL_MARK, Archive
from cellops.packaging.folder import Folder


class Contents(Protocol):
    """A folder or an archive. Nothing that it says of itself is believed beyond the shape of a list of files."""

    place: Path

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def names(self) -> Iterable[str]:
        """Paths of all files, relative, with forward slashes.

        Raises
        ------
        IntegrityError
            When there is something other than plain files.
        """

    def open(self, name: str) -> tuple[BufferedReader, int]:
        """A file and the size that it claims.

        Raises
        ------
        IntegrityError
            When it is not there or cannot be read.
        """


def contents(package: Path) -> Contents:
    """The files of the package at a path.

    Raises
    ------
    NotFoundError
        When there is nothing.
    PackageError
        When it is neither a folder nor a zip archive.
    IntegrityError
        When it is an archive that is put together in a way that could mislead.
    """
    if package.is_dir():
        return Folder(package)
    if package.is_file():
        with package.open("rb") as file:
            begun = file.read(len(LOCAL_MARK))
        if begun == LOCAL_MARK:
            return Archive(package)
        fact = f"{package.name} is neither the folder of a package nor a zip archive of one"
        remedy = "Archives of other kinds, such as tar, are not read; write one with: cellops package RUN -o model.zip"
        raise PackageError(fact, remedy=remedy)
    if package.exists():
        fact = f"{package.name} is neither a folder nor a file"
        raise PackageError(fact, remedy="Give the folder or archive that `cellops package` wrote")
    fact = f"There is no package at {package}"
    raise NotFoundError(fact, remedy="Give the folder or archive that `cellops package` wrote")
