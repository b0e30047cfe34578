"""A lease: a lock that a kernel holds for as long as it lives, and that the system gives back however it dies.

Unlike a process number it cannot pass to another process, and unlike a time of start it needs no clock. On POSIX it
is a record lock, which a forked child does not inherit.
"""

import os
import sys
from pathlib import Path


def lease_of(journal: Path) -> Path:
    """Where the lease of a journal's kernel stands: beside it."""
    return journal.with_suffix(".alive")


def is_alive(journal: Path, pid: int) -> bool:
    """Whether the kernel with the process number `pid` that writes a journal still runs."""
    return pid == os.getpid() or is_held(lease_of(journal))


class Lease:
    """Held from construction until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        _lock(self._descriptor)

    def release(self) -> None:
        os.close(self._descriptor)
        self._path.unlink(missing_ok=True)


def is_held(path: Path) -> bool:
    """Whether another process holds the lease. The holder itself must not ask: asking would give it up."""
    try:
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


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
