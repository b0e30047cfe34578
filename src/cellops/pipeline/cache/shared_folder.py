"""A folder on any file system that fsspec reaches, asked by one thread after the other, and in vain only once."""

import contextlib
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cellops.capture.blobs import PART, digest_of_file
from cellops.capture.redaction import redact
from cellops.errors import StepError
from cellops.settings import without_credentials

OBJECTS = frozenset({"abfs", "abfss", "adl", "az", "gcs", "gs", "oci", "oss", "s3", "s3a"})
"""Where an object is there in whole or not at all, in no folder; elsewhere a file is moved to its name at the end."""
TRIES = 3
"""How often a folder is made that others may be making at the same time."""
Answer = TypeVar("Answer")


class SharedError(Exception):
    """The shared store does not answer, or holds something else than what was written; its text says so."""


class SharedFolder:
    """A folder that several machines share; all that is asked of it raises SharedError where it does not answer.

    Parameters
    ----------
    address
        As fsspec takes it.
    public
        The same without credentials.

    Raises
    ------
    StepError
        When fsspec or the driver for such addresses is not installed, or the address is wrong.
    """

    def __init__(self, address: str, public: str) -> None:
        self._public = public
        self._system, self._root = _opened(address, public)
        self._turn = threading.Lock()
        self._broken: str | None = None
        """Why it does not answer: it is not asked again in vain for each step."""

    def put(self, name: str, size: int, content: Path | bytes) -> None:
        """Write a file unless it is there: a name stands for one content only."""
        self._do(lambda: self._put(f"{self._root}/{name}", size, content))

    def read(self, name: str) -> bytes | None:
        """A small file; None where it has gone."""
        return self._do(lambda: self._read(f"{self._root}/{name}"))

    def get(self, name: str, target: Path) -> bool:
        """Bring a file here; say whether it was there."""
        return self._do(lambda: self._get(f"{self._root}/{name}", target))

    def bring(self, name: str, digest: str, target: Path) -> None:
        """Bring a file here, readable by its owner only, unless its content is another than the one of a SHA-256.

        Raises
        ------
        SharedError
            When it is gone or has another content; then it is deleted there, so that it can be written again.
        """
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = target.with_name(f".{uuid.uuid4().hex}{PART}")
        try:
            if not self.get(name, part):
                fact = f"{self._public} has lost {name}"
                raise SharedError(fact)
            part.chmod(0o600)
            if digest_of_file(part) != digest:
                with contextlib.suppress(SharedError):
                    self.delete(name)
                fact = f"{name} in {self._public} is not what was written"
                raise SharedError(fact)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        self._do(lambda: self._system.rm_file(f"{self._root}/{name}"))

    def files(self, folder: str, largest: int) -> list[str]:
        """The names of the files in a folder of it, up to a number of bytes; none where there is no folder."""
        return self._do(lambda: self._files(folder, largest))

    def delete_folder(self, folder: str) -> None:
        """Delete all that is below a folder of it; nothing where there is no such folder."""
        self._do(lambda: self._delete_folder(f"{self._root}/{folder}"))

    def sizes(self) -> dict[str, int]:
        """The bytes of all files below it, by name."""
        return self._do(self._sizes)

    def _delete_folder(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._system.rm(path, recursive=True)

    def _sizes(self) -> dict[str, int]:
        try:
            found = self._system.find(self._root, detail=True)
        except FileNotFoundError:
            return {}
        return {path.removeprefix(self._root).lstrip("/"): one["size"] or 0 for path, one in found.items()}

    def _put(self, path: str, size: int, content: Path | bytes) -> None:
        if self._size(path) == size:
            return
        if OBJECTS & set(_protocols(self._system)):
            self._write(path, content)
            return
        part = f"{path}.{uuid.uuid4().hex}{PART}"
        self._make(path.rpartition("/")[0])
        self._write(part, content)
        self._system.mv(part, path)

    def _write(self, path: str, content: Path | bytes) -> None:
        if isinstance(content, bytes):
            self._system.pipe_file(path, content)
        else:
            self._system.put_file(str(content), path)

    def _read(self, path: str) -> bytes | None:
        try:
            content: bytes = self._system.cat_file(path)
        except Exception as error:  # drivers raise errors of their own for what is not there
            if self._size(path) is None:
                return None
            raise self._unreadable(path, error) from error
        return content

    def _get(self, path: str, target: Path) -> bool:
        try:
            self._system.get_file(path, str(target))
        except Exception as error:  # as above
            if self._size(path) is None:
                return False
            raise self._unreadable(path, error) from error
        return True

    def _unreadable(self, path: str, error: Exception) -> SharedError:
        """What is told of one file that is there: the others may be read."""
        return SharedError(f"{path.removeprefix(f'{self._root}/')} in {self._public} cannot be read: {_said(error)}")

    def _make(self, folder: str) -> None:
        for left in reversed(range(TRIES)):
            try:
                self._system.makedirs(folder, exist_ok=True)
            except Exception:  # as above, for what is there
                if not left and not self._system.isdir(folder):
                    raise
            else:
                return

    def _size(self, path: str) -> int | None:
        try:
            size: int | None = self._system.info(path)["size"]
        except FileNotFoundError:
            return None
        return size

    def _files(self, folder: str, largest: int) -> list[str]:
        try:
            entries = self._system.ls(f"{self._root}/{folder}", detail=True)
        except FileNotFoundError:
            return []
        small = [one["name"] for one in entries if one["type"] == "file" and (one["size"] or 0) <= largest]
        return [f"{folder}/{path.rpartition('/')[2]}" for path in small]

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
                self._broken = f"{self._public} does not answer: {_said(error)}"
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
