"""What a kernel on another machine has left: its journal, the blobs that this names, and the executed notebook.

It travels as one file that is named by its digest, in a folder that all machines reach, and is compared with that
before it is opened. Whoever asked for it takes it in once, so that nothing is there twice, however often it was made.
"""

import os
import shutil
import tarfile
import tempfile
import uuid
from pathlib import Path

import msgspec

from cellops.capture.blobs import PART, digest_of_file
from cellops.errors import ClusterError
from cellops.pipeline.cache.shared_folder import SharedError, SharedFolder
from cellops.pipeline.dask.place import Place
from cellops.records.base import Record

JOURNALS = "journal"


class Handed(Record, frozen=True, kw_only=True):
    """Names what a worker has handed over."""

    name: str
    """Of the file in the folder that all reach."""
    digest: str
    """Its SHA-256, in hexadecimal digits."""
    place: str
    """Where its files stood on the worker: journals name them by their paths."""


class Bundles:
    """Files on their way from workers, in a folder that all of them reach.

    Raises
    ------
    StepError
        When fsspec or the driver for its address is not installed, or the address is wrong.
    """

    def __init__(self, place: Place) -> None:
        self._folder = SharedFolder(place.address, place.public)

    def hand_over(self, folder: Path, below: str) -> Handed:
        """Send all files of a folder of cellops; raises ClusterError where that is not taken."""
        with tempfile.TemporaryDirectory(dir=folder.parent) as held:
            path = Path(held) / "bundle"
            with tarfile.open(path, "w:gz", compresslevel=1) as archive:
                archive.add(folder, ".")
            digest = digest_of_file(path)
            name = f"{below}/{digest}.tar.gz"
            try:
                self._folder.put(name, path.stat().st_size, path)
            except SharedError as error:
                raise not_handed_over(str(error)) from error
        return Handed(name=name, digest=digest, place=str(folder))

    def take_in(self, handed: Handed, folder: Path) -> None:
        """Bring what was handed over into the folder of cellops of this project; journals come last.

        Raises
        ------
        ClusterError
            When it is not there, or is not what was handed over.
        """
        with tempfile.TemporaryDirectory(dir=folder) as held:
            path, content = Path(held) / "bundle", Path(held) / "content"
            try:
                self._folder.bring(handed.name, handed.digest, path)
                with tarfile.open(path, "r:gz") as archive:
                    archive.extractall(content, filter="data")
                self._folder.delete(handed.name)
            except (SharedError, tarfile.TarError) as error:
                raise not_handed_over(str(error)) from error
            files = [file.relative_to(content) for file in content.rglob("*") if file.is_file()]
            for file in sorted(files, key=lambda one: one.parts[0] == JOURNALS):
                if file.parts[0] == JOURNALS:
                    _move_journal(content / file, folder / file, handed, folder)
                else:
                    _move(content / file, folder / file)


def located(content: bytes, handed: Handed, folder: Path) -> bytes:
    """JSON of a worker with the paths that its files have here."""
    return content.replace(_in_a_text(handed.place), _in_a_text(str(folder)))


def not_handed_over(why: str) -> ClusterError:
    """The error of what a worker has done and nobody can take in."""
    fact = f"What a worker has done cannot be handed over: {why}"
    return ClusterError(fact, remedy="Give a folder that this machine and all workers reach, with --store URL")


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)


def _move_journal(source: Path, target: Path, handed: Handed, folder: Path) -> None:
    """A journal with the paths that its files have here: it is there in whole, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{uuid.uuid4().hex}{PART}")
    part.write_bytes(located(source.read_bytes(), handed, folder))
    part.chmod(source.stat().st_mode)
    os.replace(part, target)  # noqa: PTH105 - over what is there, on Windows too


def _in_a_text(path: str) -> bytes:
    return msgspec.json.encode(path)[1:-1]
