"""Whatever verb comes next puts back what a killed verification has left changed in the project."""

import threading
from collections.abc import Callable

from cellops.records.aside import PROOFS, REPLAYING
from cellops.settings import Settings

AT_ONCE = 0.5
"""Seconds for which loading cellops waits; what takes longer goes on beside the kernel's work."""


def recover(settings: Settings, tell: Callable[[str], None]) -> None:
    """Put back the files of the project that a killed verification has left as its replay changed them.

    What somebody has written since stays in its place. It costs one look at one file where nothing is to be done.

    Parameters
    ----------
    tell
        Is told in one line what was done, and of each file that stays.
    """
    proofs = settings.folder / PROOFS
    if not (proofs / REPLAYING).exists():
        return
    from cellops.pipeline.verify.leftovers import put_back_leftovers

    try:
        put_back_leftovers(proofs, tell)
    except OSError as error:
        tell(f"Files that a killed verification has changed could not be put back: {error}")


def recover_beside(settings: Settings, tell: Callable[[str], None]) -> None:
    """The same, beside the kernel's work where it takes longer than a moment."""
    if (settings.folder / PROOFS / REPLAYING).exists():
        working = threading.Thread(target=recover, args=(settings, tell), name="cellops-recovery", daemon=True)
        working.start()
        working.join(AT_ONCE)
