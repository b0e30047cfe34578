"""Verified copies of a package: packed into an archive, or unpacked into a folder that goes away again."""

import os
import tempfile
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cellops.errors import PackageError
from cellops.packaging.archive import ArchiveWriter
from cellops.packaging.layout import SIGNATURE
from cellops.packaging.manifest import Target, Verified, verify


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


def pack(package: Path, output: Path, signatures: bytes | None = None) -> None:
    """Write a package as an archive, which appears when it is whole and on the disk.

    Parameters
    ----------
    package
        Its folder, or its archive.
    output
        The file to make; one that is there is replaced.
    signatures
        What shall stand beside the manifest instead of the signatures that are there.

    Raises
    ------
    IntegrityError
        When the files are not those of the manifest.
    OSError
        When it cannot be written.
    """
    with replacing(output) as file:
        writer = ArchiveWriter(file)
        verified = verify(package, target=writer)
        _sign(writer, verified.signatures if signatures is None else signatures)
        writer.close()


def _sign(target: Target, signatures: bytes | None) -> None:
    if signatures is not None:
        with target.create(SIGNATURE) as file:
            file.write(signatures)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of another when it is whole and on the disk; else nothing of it is left."""
    part = path.with_name(f".cellops-{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


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
    with tempfile.TemporaryDirectory(prefix="cellops-") as name:
        folder = Path(name) / "package"
        try:
            folder.mkdir()
            target = _FolderTarget(folder)
            verified = verify(package, trusted_keys=trusted_keys, target=target)
            _sign(target, verified.signatures)
        except OSError as error:
            fact = f"The package cannot be copied to {tempfile.gettempdir()}: {error.strerror or error}"
            raise PackageError(fact, remedy="Make room there, or set TMPDIR to another folder") from error
        yield folder, verified
