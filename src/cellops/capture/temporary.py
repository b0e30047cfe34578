"""Temporary folders that are gone with their process: what a killed one has left, the next one takes away."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cellops.capture.lease import Lease, is_held

PREFIX = "cellops-"
OWNER = "owner"
"""The lease of the process that made the folder."""
NEW = 60.0
"""Seconds within which the lease of a new folder may still have to be taken."""


@contextlib.contextmanager
def temporary_folder(place: Path | None = None) -> Iterator[Path]:
    """A new folder for as long as the context lasts.

    Parameters
    ----------
    place
        Where it is made, hidden; default is the system's folder of temporary ones.
    """
    prefix = PREFIX if place is None else f".{PREFIX}"
    _take_away_what_was_left(place or Path(tempfile.gettempdir()), prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place, ignore_cleanup_errors=True) as name:
        lease = Lease(Path(name) / OWNER)
        try:
            yield Path(name)
        finally:
            lease.release()


def _take_away_what_was_left(place: Path, prefix: str) -> None:
    for folder in place.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # its owner takes it away meanwhile
            if _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Whether a folder is one of ours, and of a process of this user that has ended."""
    status = folder.lstat()
    if folder.is_symlink() or not (folder / OWNER).is_file() or time.time() - status.st_mtime < NEW:
        return False
    return (not hasattr(os, "getuid") or status.st_uid == os.getuid()) and not is_held(folder / OWNER)
