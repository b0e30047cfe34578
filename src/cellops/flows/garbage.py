"""Python's search for garbage, put off while libraries are imported: they leave next to none, and it costs a tenth."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def left_alone(*, keep: bool = False) -> Iterator[None]:
    """Look for no garbage meanwhile; with `keep`, what is there by then is never looked through again."""
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if keep:
            gc.freeze()
        if looking:
            gc.enable()
