"""How the interpreter works while a server answers: what else it does must not hold up requests."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 20_000
"""New objects after which garbage is looked for. Requests leave none behind that is not freed at once, and what waits
for the log would be looked at again and again.
"""
TURN = 0.0005
"""Seconds for which a thread keeps the interpreter when others wait. By default it is ten times as long: for as much
would the event loop wait for the thread of the log at each of its turns.
"""


@contextmanager
def answering() -> Iterator[None]:
    """Leave all that is loaded now out of the search for garbage, and let threads take short turns, meanwhile."""
    young, turn = gc.get_threshold(), sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *young[1:])
    sys.setswitchinterval(TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        gc.set_threshold(*young)
        gc.unfreeze()
