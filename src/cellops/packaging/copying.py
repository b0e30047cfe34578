"""Verified copies of a package: packed into an archive, or unpacked into a folder that goes away again."""

import os
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from cellops.capture.temporary import temporary_folder
from cellops.errors import PackageError
from cellops.packaging.archive import ArchiveWriter
from cellops.packaging.layout import MANIFEST, SIGNATURE
from cellops.packaging.manifest import Target, Verified, verify
from cellops.packaging.paths import broken


class _FolderTarget:
    """A new folder to copy into. The paths of a package are plain ones when it is asked for a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def create(self, name: str) -> Iterator[BinaryIO]:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            yield file


def pack(package: Path, output: Path, signatures: bytes | None = None, *, digest: str | None = None) -> None:
    """Write a package as an archive, which appears when it is whole and on the disk.

    Parameters
    ----------
    package
        Its folder, or its archive.
    output
        The file to make; one that is there is replaced.
    signatures
        What shall stand beside the manifest instead of the signatures that are there.
    digest
        SHA-256 of the manifest that the package had when it was looked at.

    Raises
    ------
    IntegrityError
        When the files are not those of the manifest, or this is another one by now.
    OSError
        When it cannot be written.
    """
    with replacing(output) as file:
        writer = ArchiveWriter(file)
        verified = verify(package, target=writer)
        if digest not in {None, verified.digest}:
            raise broken(MANIFEST, "was changed meanwhile", "Ask again, when nobody writes to the package")
        _sign(writer, verified.signatures if signatures is None else signatures)
        writer.close()


def _sign(target: Target, signatures: bytes | None) -> None:
    if signatures is not None:
        with target.create(SIGNATURE) as file:
            file.write(signatures)


@contextmanager
def replacing(path: Path, beside: Path | None = None) -> Iterator[BinaryIO]:
    """A file that takes the place of another when it is whole and on the disk; else nothing of it is left.

    Parameters
    ----------
    path
        Where it will stand.
    beside
        The folder in which it is written until then, on the same disk; default is its own.
    """
    with temporary_folder(beside or path.parent) as folder:
        part = folder / path.name
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    if os.name == "posix":
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def unpacked(package: Path, *, trusted_keys: Collection[bytes] = ()) -> Iterator[tuple[Path, Verified]]:
    """A verified copy of a package in a private folder, for as long as it is needed.

    Raises
    ------
    NotFoundError, SignatureError, IntegrityError
        As `verify`.
    PackageError
        When there is no room for it.
    """
    with ExitStack() as held:
        try:
            folder = held.enter_context(temporary_folder()) / "package"
            folder.mkdir()
            target = _FolderTarget(folder)
            verified = verify(package, trusted_keys=trusted_keys, target=target)
            _sign(target, verified.signatures)
        except OSError as error:
            fact = f"The package cannot be copied to the folder of temporary files: {error.strerror or error}"
            raise PackageError(fact, remedy="Make room there, or set TMPDIR to another folder") from error
        yield folder, verified
