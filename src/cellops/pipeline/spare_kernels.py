"""Kernels that are started beside others that are at work, before it is known what they are to execute."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellops.pipeline.client import Client


class SpareKernels:
    """As many kernels as executions go on at once, so that none of these waits for its kernel but the first.

    Each of them executes one notebook, as any kernel does.

    Parameters
    ----------
    start
        Starts one, and gives what drives it.
    most
        How many are there at once.
    needed
        How many are needed in all; None where that is not known.
    """

    def __init__(self, start: "Callable[[], Client]", most: int, needed: int | None) -> None:
        self._start = start
        self._most = most
        self._needed = needed
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="cellops-spare")
        self._deciding = threading.Lock()
        self._found: list[Future[Client]] = []
        self._is_closed = False

    def prepare(self) -> None:
        """Have another one started, if there is still a use for it."""
        with self._deciding:
            if self._is_closed or len(self._found) >= self._most or self._needed == 0:
                return
            self._needed = None if self._needed is None else self._needed - 1
            self._found.append(self._pool.submit(self._start))

    def take(self) -> "Client | None":
        """One that is there or will be at once; None where none is, or it did not start."""
        with self._deciding:
            found = self._found.pop(0) if self._found else None
        if found is None:
            return None
        with suppress(Exception):  # whoever needs a kernel starts it, and says why that cannot be done
            return found.result()
        return None

    def close(self) -> None:
        """End those that nobody has taken."""
        with self._deciding:
            self._is_closed = True
            left, self._found = self._found, []
        self._pool.shutdown(cancel_futures=True)
        for one in left:
            if not one.cancelled():
                with suppress(Exception):
                    one.result().leave()
