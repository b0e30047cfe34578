"""The time that what one kernel executes may take."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError

from cellops.records.execution import CellProgress, CellState


class Clock:
    """Ends an execution when `stop` is done, or some seconds after its first cell has begun: a kernel starts slowly.

    Parameters
    ----------
    seconds
        None where it may take as long as it likes.
    tell
        Whom to pass on what happens to its cells.
    """

    def __init__(self, seconds: float | None, stop: Future[None], tell: Callable[[CellProgress], None]) -> None:
        self.ends: Future[None] = Future()
        """Done when it shall end."""
        self.is_over = False
        """Whether that is because its time is."""
        self.cell: CellProgress | None = None
        """The cell that has begun last."""
        self._timer = None if seconds is None else threading.Timer(seconds, self._over)
        self._pass_on = tell
        stop.add_done_callback(lambda _: self._end())

    def tell(self, event: CellProgress) -> None:
        """Start with the first cell."""
        if self.cell is None and self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        if event.state is CellState.RUNNING:
            self.cell = event
        self._pass_on(event)

    def _over(self) -> None:
        self.is_over = self._end()

    def _end(self) -> bool:
        try:
            self.ends.set_result(None)
        except InvalidStateError:
            # The client cancels it when it leaves.
            return False
        return True

    def __enter__(self) -> "Clock":
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
