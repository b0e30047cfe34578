"""Keep the folder of steps within its limit, and take nothing away that an execution still needs."""

import contextlib
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from cellops.capture.blobs import PART
from cellops.capture.lease import Lease, is_held

IN_USE = "in-use"
"""The folder of the leases of executions."""
LOCK = "lock"


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Let nobody delete what is written or used from now on, until the end or the death of this process."""
    with changing(folder):  # a lease that is being made must not be taken for a dead one
        lease = Lease(folder / IN_USE / f"{uuid.uuid4().hex}.alive")
    try:
        yield
    finally:
        lease.release()


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Hold the folder while files of it are deleted, or are looked for and marked as used."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(folder / LOCK, mode=0o600):
        yield


def tidy(folder: Path, limit: int) -> int:
    """Delete what was used longest ago until all files together have at most `limit` bytes.

    What was written or used since the oldest execution began that still runs is left, and what was half written by
    one that has died is deleted.

    Returns
    -------
    int
        Bytes that this freed.
    """
    if not folder.is_dir():
        return 0
    with changing(folder):
        since = min(_running(folder / IN_USE), default=float("inf"))
        seen = sorted(_files(folder))
        over = sum(size for _, size, _ in seen) - limit
        freed = 0
        for used, size, path in seen:
            if used < since and (path.suffix == PART or freed < over) and _delete(path, used):
                freed += size
    return freed


def is_in_use(folder: Path) -> bool:
    """Whether an execution runs that keeps steps there."""
    return any(is_held(path) for path in (folder / IN_USE).glob("*.alive"))


def _running(leases: Path) -> Iterator[float]:
    """When the executions began that still run; what is left of others is deleted."""
    for path in leases.glob("*.alive"):
        with contextlib.suppress(OSError):
            if is_held(path):
                yield path.stat().st_mtime
            else:
                path.unlink()


def _delete(path: Path, used: float) -> bool:
    """Delete a file, unless a kernel has just written it again."""
    with contextlib.suppress(OSError):
        if path.stat().st_mtime == used:
            path.unlink()
            return True
    return False


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each file was used last, its size and path; what has gone meanwhile is passed over."""
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            if path.name != LOCK and path.parent.name != IN_USE and stat.S_ISREG(status.st_mode):
                yield status.st_mtime, status.st_size, path
