"""Whether this process has little to do, by the share of a processor that it took of late."""

import time

EVERY = 0.25
"""Seconds over which it is measured."""
LITTLE = 0.3
"""Share of one processor."""


class Idleness:
    """Measured in one thread, read in any."""

    def __init__(self) -> None:
        self.is_idle = False
        self._wall, self._taken = time.monotonic(), time.process_time()

    def measure(self) -> None:
        """Look at the clocks, if it is time."""
        wall = time.monotonic()
        if wall - self._wall >= EVERY:
            taken = time.process_time()
            self.is_idle = (taken - self._taken) / (wall - self._wall) < LITTLE
            self._wall, self._taken = wall, taken
