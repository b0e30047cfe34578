"""A short load: single rows over kept connections, from threads of this process. Its figures are indicative."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence

from cellops.packaging.deployment.wire import Wire
from cellops.records.deployment import LoadFigures

CONNECTIONS = 4
WARMING = 0.2
"""Share of the time before answers are counted."""
PATH = "/invocations"
PERCENT = 100


def load(connect: Callable[[], Wire], bodies: list[bytes], seconds: float) -> tuple[LoadFigures, int]:
    """Ask as fast as answers come.

    Returns
    -------
    tuple
        The figures, and how many requests were answered with rows from the first to the last one.
    """
    began = time.perf_counter()
    counted_from, ends = began + seconds * WARMING, began + seconds
    asked = [_Client(connect, bodies[number:] + bodies[:number], ends) for number in range(CONNECTIONS)]
    for client in asked:
        client.start()
    for client in asked:
        client.join()
    answers = [answer for client in asked for answer in client.answers]
    took = sorted(end - start for start, end in answers if start >= counted_from) or [0.0]
    counted = sum(start >= counted_from for start, _ in answers)
    last = max((end for _, end in answers), default=ends)
    figures = LoadFigures(
        connections=CONNECTIONS,
        seconds=round(last - counted_from, 3),
        requests=counted,
        errors=sum(client.errors for client in asked),
        requests_per_second=round(counted / max(last - counted_from, 1e-9), 1),
        p50_ms=round(1000 * statistics.median(took), 3),
        p99_ms=round(1000 * took[min(len(took) - 1, len(took) * 99 // PERCENT)], 3),
    )
    return figures, len(answers)


class _Client(threading.Thread):
    """Asks one question after the other over one connection."""

    def __init__(self, connect: Callable[[], Wire], bodies: Sequence[bytes], ends: float) -> None:
        super().__init__(daemon=True)
        self.answers: list[tuple[float, float]] = []
        """When each was asked, and when it was answered."""
        self.errors = 0
        self._connect, self._bodies, self._ends = connect, bodies, ends

    def run(self) -> None:
        with self._connect() as wire:
            number = 0
            while (start := time.perf_counter()) < self._ends:
                try:
                    status, _ = wire.post(PATH, self._bodies[number % len(self._bodies)])
                except OSError:
                    self.errors += 1
                    return
                if status == Wire.OK:
                    self.answers.append((start, time.perf_counter()))
                else:
                    self.errors += 1
                number += 1
