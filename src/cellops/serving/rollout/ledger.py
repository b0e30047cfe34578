"""What one process has seen of both packages since a stage began."""

import threading
import time

from cellops.records.rollout import Evidence
from cellops.serving.rollout.tally import SlotTally
from cellops.serving.strategies.strategy import Slot


class Ledger:
    """Counts requests; for any thread.

    Parameters
    ----------
    patience
        Seconds after which a request that is still under way counts as one that failed.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._tallies = {slot: SlotTally() for slot in Slot}
        self._under_way: dict[tuple[str, Slot], float] = {}
        self._compared = self._differed = 0

    def begin(self, prediction_id: str, slot: Slot) -> None:
        """A package is asked."""
        with self._lock:
            self._under_way[prediction_id, slot] = time.perf_counter()

    def answered(self, prediction_id: str, slot: Slot, seconds: float | None = None) -> None:
        """It has answered; `seconds` where they were measured elsewhere."""
        with self._lock:
            begun = self._under_way.pop((prediction_id, slot), None)
            if begun is not None:  # else long given up
                self._tallies[slot].count(time.perf_counter() - begun if seconds is None else seconds, error=False)

    def failed(self, prediction_id: str, slot: Slot) -> None:
        """It has no answer, and the request is not to blame."""
        with self._lock:
            if self._under_way.pop((prediction_id, slot), None) is not None:
                self._tallies[slot].count(0.0, error=True)

    def refused(self, prediction_id: str, slot: Slot) -> None:
        """It was not really asked, or not what it can answer."""
        with self._lock:
            self._under_way.pop((prediction_id, slot), None)

    def compare(self, *, differed: bool) -> None:
        """Both have answered one request."""
        with self._lock:
            self._compared += 1
            self._differed += differed

    def evidence(self) -> Evidence:
        """All that was seen until now; what is under way for too long counts as failed."""
        with self._lock:
            late = time.perf_counter() - self._patience
            for key in [key for key, begun in self._under_way.items() if begun < late]:
                del self._under_way[key]
                self._tallies[key[1]].count(0.0, error=True)
            return Evidence(
                champion=self._tallies[Slot.CHAMPION].evidence(),
                challenger=self._tallies[Slot.CHALLENGER].evidence(),
                compared=self._compared,
                differed=self._differed,
            )
