"""Turns: who changes what lies in a folder waits until nobody else does."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Wait until nobody else has a turn in a folder, in whatever process.

    The lock is on the folder itself, so that no file of it stays, and the system gives it back however a process ends.
    Where folders cannot be locked, as on Windows and on some network file systems, nobody waits.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            held.callback(os.close, descriptor)
            _wait(descriptor)
        yield


if sys.platform == "win32":

    def _wait(descriptor: int) -> None:
        del descriptor

else:
    import fcntl

    def _wait(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
