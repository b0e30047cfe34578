"""A forked process that goes on when the one that it was forked from has ended."""

import os
import select
from contextlib import suppress


class Detached:
    """Used as a `subprocess.Popen` is; how it ended is not known, as it is no child of this process.

    Raises
    ------
    OSError
        When this system lets nobody wait for such a process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._watched: int | None = None
        with suppress(ProcessLookupError):  # it has ended by now
            self._watched = os.pidfd_open(pid)

    @classmethod
    def can_be_awaited(cls) -> bool:
        """Whether this system tells of the end of a process that is no child."""
        try:
            return cls(os.getpid()).poll() is None
        except (AttributeError, OSError):
            return False

    def poll(self) -> int | None:
        """Zero when it has ended, else None."""
        return self._ended_within(0.0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it has ended, or so many seconds; as `poll`."""
        return self._ended_within(timeout)

    def close(self) -> None:
        """Watch it no longer."""
        watched, self._watched = self._watched, None
        if watched is not None:
            os.close(watched)

    def __del__(self) -> None:
        self.close()

    def _ended_within(self, seconds: float | None) -> int | None:
        if self._watched is None:
            return 0
        waiting = select.poll()
        waiting.register(self._watched, select.POLLIN)
        if not waiting.poll(None if seconds is None else seconds * 1000):
            return None
        self.close()
        return 0
