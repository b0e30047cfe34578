"""What a cell used of the machine: processor time and memory."""

import sys
import time
from dataclasses import dataclass
from typing import Any

from cellops.capture.watcher import Ending, OpenCell, Seen

if sys.platform == "win32":

    def peak_memory() -> int | None:
        """Windows has no `getrusage`."""
        return None

else:
    import resource

    UNIT = 1 if sys.platform == "darwin" else 1024
    """What `ru_maxrss` counts in: bytes on macOS, kibibytes elsewhere."""

    def peak_memory() -> int | None:
        """The most memory that this process has had, in bytes."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT


@dataclass(frozen=True)
class Used:
    processor: float
    memory: int | None


class Resources:
    """Processor time of all threads in seconds, and by how much the process's peak of memory grew, in bytes."""

    name = "resources"

    def start(self, shell: Any) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Nothing to take away."""

    def before(self, _cell: OpenCell) -> Used:
        return Used(time.process_time(), peak_memory())

    def after(self, _cell: OpenCell, state: Used, _ending: Ending) -> Seen:
        now = peak_memory()
        growth = None if now is None or state.memory is None else now - state.memory
        return Seen({"processor_time": time.process_time() - state.processor, "memory_growth": growth})
