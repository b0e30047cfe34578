"""The requests that wait for a challenger: bounded in number and in bytes, and one too many costs next to nothing."""

import queue
import threading
from dataclasses import dataclass
from typing import Any

from cellops.data.decoder import Columns
from cellops.data.matrix import Matrix
from cellops.packaging.predictor import Predictions
from cellops.serving.dataplane import Call

MOST_WAITING = 64
"""Requests."""
MOST_BYTES = 32 << 20
"""Of their columns."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A request with the champion's answer."""

    columns: Columns
    call: Call
    predictions: Predictions


class Waiting:
    """A queue that any thread puts into and one takes from; nobody waits to put."""

    def __init__(self, most: int = MOST_WAITING, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._queue: queue.SimpleQueue[tuple[Shown, int]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._bytes = 0

    def is_full(self) -> bool:
        """Whether no request can be put: looked at before anything is made of one."""
        return self._queue.qsize() >= self._most

    def put(self, shown: Shown) -> bool:
        """Whether there was room."""
        size = size_of(shown.columns)
        with self._lock:
            if self.is_full() or self._bytes + size > self._most_bytes:
                return False
            self._bytes += size
            self._queue.put((shown, size))
            return True

    def take(self, timeout: float) -> Shown:
        """The next request; `queue.Empty` where there is none in so many seconds."""
        shown, size = self._queue.get(timeout=timeout)
        with self._lock:
            self._bytes -= size
        return shown


def size_of(columns: Columns) -> int:
    """About how many bytes columns take; texts by their characters.

    >>> import numpy as np
    >>> size_of({"distance": np.zeros(3), "carrier": np.array(["AA", None, "B6"], dtype=object)})
    52
    """
    return columns.array.nbytes if isinstance(columns, Matrix) else sum(map(_bytes_of, columns.values()))


def _bytes_of(values: Any) -> int:
    plain: int = values.nbytes
    if values.dtype.kind != "O":
        return plain
    return plain + sum(len(value) for value in values.tolist() if isinstance(value, str))
