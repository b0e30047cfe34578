"""Memory that nothing uses any more, given back to the system.

Allocators keep what was freed for what may come. Over thousands of chunks of many sizes that adds up to several chunks,
which a process with a limit cannot spare.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any


def release() -> None:
    """Give back what Arrow and the C library hold in reserve; a few milliseconds, after a chunk."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    _trim()(0)


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], Any]:
    """`malloc_trim` of the GNU C library; elsewhere nothing, for other allocators give memory back by themselves."""
    if not sys.platform.startswith("linux"):
        return lambda _: None
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is None:
        return lambda _: None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return trim  # type: ignore[no-any-return]  # a function of C
