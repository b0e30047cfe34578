"""Steps that are kept where other machines find them too: a folder on any file system that fsspec reaches.

What lies there could have been written by anybody who may write there, and loading a pickle runs code. So each entry is
signed with a key that only one's own machines know, and names the digests of all that belongs to it.
"""

import contextlib
import hashlib
import hmac
import itertools
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec

from cellops.capture.blobs import PART
from cellops.capture.redaction import redact
from cellops.capture.secrets import keep
from cellops.errors import StepError
from cellops.records.cached import KeptStep
from cellops.settings import without_credentials

SHORTEST_KEY = 16
"""Characters of the key that signs entries."""
SIGNED = b"cellops kept step 1\n"
MOST_ENTRIES = 64
"""Entries of one key that are given, the newest: their names begin with the time."""
MOST_READ = 256
"""Files among which they are looked for: some may be no use."""
LARGEST_ENTRY = 50_000_000
OBJECTS = frozenset({"abfs", "abfss", "adl", "az", "gcs", "gs", "oci", "oss", "s3", "s3a"})
"""Where an object is there in whole or not at all, in no folder; elsewhere a file is moved to its name at the end."""
TRIES = 3
"""How often a folder is made that others may be making at the same time."""
Answer = TypeVar("Answer")


class SharedError(Exception):
    """The shared store does not answer, or holds something else than what was written; its text says so."""


class SharedSteps:
    """Entries and their files in a folder that several machines share.

    Parameters
    ----------
    address
        Of the folder, as fsspec takes it: `s3://bucket/steps`, `sftp://host/steps`, `file:///mnt/steps`.
    key
        What signs entries; one that is signed with another key is not used.

    Raises
    ------
    StepError
        When there is no key, fsspec or the driver for such addresses is not installed, or the address is wrong.
    """

    def __init__(self, address: str, key: str | None) -> None:
        self.public = without_credentials(address)
        if key is None or len(key) < SHORTEST_KEY:
            fact = f"Steps are kept in {self.public} with a key of at least {SHORTEST_KEY} characters that signs them"
            remedy = "Set CELLOPS_STEP_STORE_KEY to one long random text on all of your machines, and on no other"
            raise StepError(fact, remedy=remedy)
        for secret in (key, unquote(urlsplit(address).password or "")):
            keep(secret)
        self._key = key.encode()
        self._files, self._root = _opened(address, self.public)
        self._turn = threading.Lock()
        self._broken: str | None = None
        """Why it does not answer: it is not asked again in vain for each step."""

    @property
    def salt(self) -> bytes:
        """What digests of secrets are made with, so that nobody finds them by trying."""
        return self._key

    def push(self, entry: KeptStep, folder: str, files: Mapping[str, Path]) -> None:
        """Write an entry behind all the files that belong to it.

        Parameters
        ----------
        folder
            What the entry is filed under.
        files
            The files by their names in the store.

        Raises
        ------
        SharedError
            When the store does not take them.
        """
        content = entry.to_json()
        signed = f"{self._signature(content)}\n".encode() + content
        for name, path in files.items():
            self._do(lambda name=name, path=path: self._put(name, path.stat().st_size, path))  # type: ignore[misc]
        name = f"{round(entry.ended * 1000):015d}-{hashlib.sha256(content).hexdigest()}.json"
        self._do(lambda: self._put(f"kept/{folder}/{name}", len(signed), signed))

    def find(self, folder: str, problems: list[str]) -> Iterator[KeptStep]:
        """The entries that are filed under something, newest first; what cannot be used is told in `problems`.

        Each is read when it is asked for: mostly the first will do.
        """
        listed = self._told(lambda: self._listed(f"kept/{folder}"), problems) or []
        contents = (self._told(lambda path=path: self._read(path), problems) for path in listed)  # type: ignore[misc]
        entries = (self._entry(content, problems) for content in contents if content)
        yield from itertools.islice((entry for entry in entries if entry is not None), MOST_ENTRIES)

    def pull(self, name: str, digest: str, target: Path) -> None:
        """Bring a file here, unless it is not the one that an entry names.

        Raises
        ------
        SharedError
            When it is gone or has another content; then it is deleted there, so that it can be written again.
        """
        path = f"{self._root}/{name}"
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = target.with_name(f".{uuid.uuid4().hex}{PART}")
        try:
            if not self._do(lambda: self._get(path, part)):
                fact = f"{self.public} has lost {name}"
                raise SharedError(fact)
            part.chmod(0o600)
            with part.open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == digest
            if not whole:
                with contextlib.suppress(SharedError):
                    self._do(lambda: self._files.rm_file(path))
                fact = f"{name} in {self.public} is not what was written"
                raise SharedError(fact)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def _put(self, name: str, size: int, content: Path | bytes) -> None:
        """Write a file unless it is there: a name stands for one content only."""
        path = f"{self._root}/{name}"
        if self._size(path) == size:
            return
        if OBJECTS & set(_protocols(self._files)):
            self._write(path, content)
            return
        part = f"{path}.{uuid.uuid4().hex}{PART}"
        self._make(path.rpartition("/")[0])
        self._write(part, content)
        self._files.mv(part, path)

    def _write(self, path: str, content: Path | bytes) -> None:
        if isinstance(content, bytes):
            self._files.pipe_file(path, content)
        else:
            self._files.put_file(str(content), path)

    def _read(self, path: str) -> bytes | None:
        """A small file; None where it has gone."""
        try:
            content: bytes = self._files.cat_file(path)
        except Exception as error:  # drivers raise errors of their own for what is not there
            if self._size(path) is None:
                return None
            raise self._unreadable(path, error) from error
        return content

    def _get(self, path: str, target: Path) -> bool:
        """Bring a file here; say whether it was there."""
        try:
            self._files.get_file(path, str(target))
        except Exception as error:  # as above
            if self._size(path) is None:
                return False
            raise self._unreadable(path, error) from error
        return True

    def _unreadable(self, path: str, error: Exception) -> SharedError:
        """What is told of one file that is there: the others may be read."""
        return SharedError(f"{path.removeprefix(f'{self._root}/')} in {self.public} cannot be read: {_said(error)}")

    def _make(self, folder: str) -> None:
        for left in reversed(range(TRIES)):
            try:
                self._files.makedirs(folder, exist_ok=True)
            except Exception:  # as above, for what is there
                if not left and not self._files.isdir(folder):
                    raise
            else:
                return

    def _size(self, path: str) -> int | None:
        try:
            size: int | None = self._files.info(path)["size"]
        except FileNotFoundError:
            return None
        return size

    def _listed(self, folder: str) -> list[str]:
        try:
            entries = self._files.ls(f"{self._root}/{folder}", detail=True)
        except FileNotFoundError:
            return []
        small = [one["name"] for one in entries if one["type"] == "file" and (one["size"] or 0) <= LARGEST_ENTRY]
        return sorted((name for name in small if name.endswith(".json")), reverse=True)[:MOST_READ]

    def _entry(self, content: bytes, problems: list[str]) -> KeptStep | None:
        signature, _, signed = content.partition(b"\n")
        if not hmac.compare_digest(signature, self._signature(signed).encode()):
            problems.append(f"what {self.public} holds of it is signed with another key than CELLOPS_STEP_STORE_KEY")
            return None
        try:
            return KeptStep.from_json(signed)
        except msgspec.DecodeError:
            problems.append(f"what {self.public} holds of it was kept by another version of cellops")
            return None

    def _signature(self, content: bytes) -> str:
        return hmac.new(self._key, SIGNED + content, "sha256").hexdigest()

    def _told(self, ask: Callable[[], Answer], problems: list[str]) -> Answer | None:
        """Ask the file system; None where that fails, which is told once."""
        try:
            return self._do(ask)
        except SharedError as error:
            problems += [] if str(error) in problems else [str(error)]
            return None

    def _do(self, ask: Callable[[], Answer]) -> Answer:
        """Ask the file system, one thread after the other: connections are not made for several."""
        with self._turn:
            if self._broken is not None:
                raise SharedError(self._broken)
            try:
                return ask()
            except SharedError:
                raise
            except Exception as error:  # drivers raise errors of their own
                self._broken = f"{self.public} does not answer: {_said(error)}"
                raise SharedError(self._broken) from error


def _opened(address: str, public: str) -> tuple[Any, str]:
    """The file system of an address, and the path of the folder there."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        fact = f"{public} is reached by fsspec, which is not installed"
        raise StepError(fact, remedy='Run: pip install "cellops[store]"') from error
    try:
        files, root = url_to_fs(address, use_listings_cache=False, skip_instance_cache=True)
    except ImportError as error:
        fact = f"{public} needs a driver that is not installed"
        raise StepError(fact, remedy=f"fsspec says: {error}") from error
    except Exception as error:  # a driver may refuse an address in any way, or ask at once for what it names
        fact = f"Steps cannot be kept in {public}: {_said(error)}"
        raise StepError(fact, remedy="Correct CELLOPS_STEP_STORE, or what it reaches") from error
    return files, root.rstrip("/")


def _said(error: Exception) -> str:
    return without_credentials(redact(f"{type(error).__name__}: {error}"))[:200]


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)
