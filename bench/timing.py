"""The time of a piece of work that others on the machine have disturbed least."""

import time
from collections.abc import Callable


def fastest(work: Callable[[], object], repetitions: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of the fastest of several repetitions, by a clock: `time.process_time` counts those of the processor."""
    times = []
    for _ in range(repetitions):
        begun = clock()
        work()
        times.append(clock() - begun)
    return min(times)
