"""A lease: a lock that a kernel holds for as long as it lives, and that the system gives back however it dies.

Unlike a process number it cannot pass to another process, and unlike a time of start it needs no clock. On POSIX it
belongs to one opening of its file, so that code which opens and closes that file too does not give it up.
"""

import contextlib
import errno
import os
import sys
from pathlib import Path


def lease_of(journal: Path) -> Path:
    """Where the lease of a journal's kernel stands: beside it."""
    return journal.with_suffix(".alive")


def is_alive(journal: Path) -> bool:
    """Whether the kernel that writes a journal still runs."""
    return is_held(lease_of(journal))


class Lease:
    """Held from construction until `release` or the end of the process; a forked child does not share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor: int | None = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        _lock(self._descriptor)
        _HELD.add(self)

    def release(self) -> None:
        if self._descriptor is not None:
            self._close()
            self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        _HELD.discard(self)
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)


_HELD: set[Lease] = set()
"""Those of this process."""


def _give_up_in_child() -> None:
    """A forked child does not keep the lock of a kernel that has died."""
    for lease in [*_HELD]:
        lease._close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_give_up_in_child)


def share(path: Path) -> None:
    """Hold a lease together with others until this process and those that were forked from it have ended.

    Windows has no such lock: there nobody holds it.
    """
    _share(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def is_held(path: Path) -> bool:
    """Whether a process holds the lease; of one that may not even be read nobody can say, and it counts as not held."""
    try:
        descriptor = _open_to_ask(path)
    except (FileNotFoundError, PermissionError):
        return False
    try:
        _lock(descriptor)
    except OSError as error:
        return error.errno != errno.EBADF  # a network file system refuses to lock what is open for reading only
    else:
        return False
    finally:
        os.close(descriptor)


def _open_to_ask(path: Path) -> int:
    """Open a lease as it stands, for reading only where the project may not be written to."""
    try:
        return os.open(path, os.O_RDWR)
    except OSError as error:
        if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise
    return os.open(path, os.O_RDONLY)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _share(descriptor: int) -> None:
        os.close(descriptor)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _share(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
