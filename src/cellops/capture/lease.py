"""A lease: a lock that a kernel holds for as long as it lives, and that the system gives back however it dies.

Unlike a process number it cannot pass to another process, and unlike a time of start it needs no clock. On POSIX it
is a record lock, which a forked child does not inherit.
"""

import os
import sys
from pathlib import Path
from typing import ClassVar


def lease_of(journal: Path) -> Path:
    """Where the lease of a journal's kernel stands: beside it."""
    return journal.with_suffix(".alive")


def is_alive(journal: Path) -> bool:
    """Whether the kernel that writes a journal still runs."""
    return is_held(lease_of(journal))


class Lease:
    """Held from construction until `release` or the end of the process."""

    _here: ClassVar[dict[tuple[int, int], int]] = {}
    """Which files this process holds, with its number: a record lock is the process's own, and so is this.

    A process that opens and closes the file of its own record lock gives the lock up, so it has to know without asking.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        _lock(self._descriptor)
        self._file = _identity(os.fstat(self._descriptor))
        self._here[self._file] = os.getpid()

    def release(self) -> None:
        self._here.pop(self._file, None)
        os.close(self._descriptor)
        self._path.unlink(missing_ok=True)

    @classmethod
    def held_here(cls, path: Path) -> bool:
        """Whether this process itself holds the lease; a forked child does not."""
        return cls._here.get(_identity(path.stat())) == os.getpid()


def is_held(path: Path) -> bool:
    """Whether a process holds the lease."""
    try:
        if Lease.held_here(path):
            return True
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        _lock(descriptor)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _identity(file: os.stat_result) -> tuple[int, int]:
    return file.st_dev, file.st_ino


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
