"""What a killed verification leaves: files as its replay had changed them, put back by whoever comes next.

While a replay goes on, a file beside the proofs says so and when it last was alive. The replay's processes hold a
lock of theirs, which the system gives back however they end.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from cellops.capture.lease import is_held
from cellops.pipeline.verify.putting_back import FOUND, put_back
from cellops.records.aside import ALIVE, ASIDE, LIST, REPLAYING

LOCK = "lock"
BEAT = 0.2
"""Seconds between signs of life."""
GRACE = 1.5
"""Seconds after its last sign of life in which a killed verification's kernel may still write: it looks for its parent
once a second."""
PATIENCE = 5.0
"""Seconds for which a kernel is waited for whose verification was killed."""
NAMED = 3


@contextlib.contextmanager
def replaying(proofs: Path) -> Iterator[None]:
    """Say that a slice is being executed again, as long as this process lives."""
    sign = proofs / REPLAYING
    sign.touch()
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=(sign, ended), name="cellops-replaying", daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()
        _forget(proofs)


def put_back_leftovers(proofs: Path, tell: Callable[[str], None]) -> None:
    """Put back what a killed verification has left, unless one goes on; files written since stay.

    Parameters
    ----------
    tell
        Is told in one line what was put back, and of each file that stays.

    Raises
    ------
    OSError
        When the folder of the proofs may not be written to.
    """
    lock = FileLock(proofs / LOCK)
    with contextlib.suppress(Timeout), lock.acquire(timeout=0):
        put_back_all(proofs, tell)


def put_back_all(proofs: Path, tell: Callable[[str], None]) -> None:
    """The same for whoever holds the lock of the proofs."""
    sign = proofs / REPLAYING
    if not sign.exists():
        return
    alive = sign.stat().st_mtime + GRACE
    changed, kept = [], ""
    for listed in proofs.glob(f"*/{ASIDE}/{LIST}"):
        if _lives(listed.parent / ALIVE):
            tell("The kernel of a verification that was killed still runs; its files are put back when it has ended")
            continue
        changed += put_back(listed, tell, alive)
        found = listed.parent.parent / FOUND
        kept = f"; what stood there is kept in {found}" if found.is_dir() else kept
    if changed:
        more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        tell(f"Put back as before a verification that was killed: {', '.join(changed[:NAMED])}{more}{kept}")
    _forget(proofs)


def _lives(lease: Path) -> bool:
    """Whether a process of a replay lives on; one whose verification was killed ends soon."""
    tick = threading.Event()
    return all(is_held(lease) and not tick.wait(BEAT) for _ in range(round(PATIENCE / BEAT)))


def _beat(sign: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with contextlib.suppress(OSError):
            os.utime(sign)


def _forget(proofs: Path) -> None:
    """Take the sign away, unless something is left to be put back."""
    if not any(proofs.glob(f"*/{ASIDE}/{LIST}")):
        (proofs / REPLAYING).unlink(missing_ok=True)
