"""What a kernel on another machine has left: its journal, the blobs that this names, and the executed notebook.

It travels as one file that is named by its digest, in a folder that all machines reach, and is compared with that
before it is opened. Whoever asked for it takes it in once, so that nothing is there twice, however often it was made.
"""

import hashlib
import os
import shutil
import tarfile
import tempfile
import uuid
from pathlib import Path

import msgspec

from cellops.capture.blobs import PART
from cellops.errors import SweepError
from cellops.pipeline.cache.shared_folder import SharedError, SharedFolder
from cellops.records.base import Record
from cellops.settings import without_credentials

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

    Parameters
    ----------
    address
        Of that folder, as fsspec takes it.

    Raises
    ------
    StepError
        When fsspec or the driver for such addresses is not installed, or the address is wrong.
    """

    def __init__(self, address: str) -> None:
        self._folder = SharedFolder(address, without_credentials(address))

    def hand_over(self, folder: Path, below: str) -> Handed:
        """Send all files of a folder of cellops; raises SweepError where that is not taken."""
        with tempfile.TemporaryDirectory() as held:
            path = Path(held) / "bundle"
            with tarfile.open(path, "w:gz", compresslevel=1) as archive:
                archive.add(folder, ".")
            digest = _digest(path)
            name = f"{below}/{digest}.tar.gz"
            try:
                self._folder.put(name, path.stat().st_size, path)
            except SharedError as error:
                raise _lost(str(error)) from error
        return Handed(name=name, digest=digest, place=str(folder))

    def take_in(self, handed: Handed, folder: Path) -> None:
        """Bring what was handed over into the folder of cellops of this project; journals come last.

        Raises
        ------
        SweepError
            When it is not there, or is not what was handed over.
        """
        with tempfile.TemporaryDirectory(dir=folder) as held:
            path, content = Path(held) / "bundle", Path(held) / "content"
            try:
                is_there = self._folder.get(handed.name, path)
                if not is_there or _digest(path) != handed.digest:
                    why = f"{handed.name} is {'not what a worker has written' if is_there else 'not there'}"
                    raise _lost(why)
                with tarfile.open(path, "r:gz") as archive:
                    archive.extractall(content, filter="data")
                self._folder.delete(handed.name)
            except (SharedError, tarfile.TarError) as error:
                raise _lost(str(error)) from error
            files = [file.relative_to(content) for file in content.rglob("*") if file.is_file()]
            for file in sorted(files, key=lambda one: one.parts[0] == JOURNALS):
                if file.parts[0] == JOURNALS:
                    _move_journal(content / file, folder / file, handed.place, str(folder))
                else:
                    _move(content / file, folder / file)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)


def _move_journal(source: Path, target: Path, before: str, now: str) -> None:
    """A journal with the paths that its files have here: it is there in whole, or not at all."""
    text = source.read_bytes().replace(_in_a_text(before), _in_a_text(now))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{uuid.uuid4().hex}{PART}")
    part.write_bytes(text)
    part.chmod(source.stat().st_mode)
    os.replace(part, target)  # noqa: PTH105 - over what is there, on Windows too


def _in_a_text(path: str) -> bytes:
    return msgspec.json.encode(path)[1:-1]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lost(why: str) -> SweepError:
    fact = f"What a worker has done cannot be handed over: {why}"
    return SweepError(fact, remedy="Give a folder that this machine and all workers reach, with --store URL")
