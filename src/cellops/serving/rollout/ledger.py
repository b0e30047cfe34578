"""What one process has seen of both packages since a stage began."""

import threading
import time
from collections import deque

from cellops.records.rollout import Evidence
from cellops.serving.rollout.tally import SlotTally
from cellops.serving.strategies.strategy import Slot

FAILED = -1.0
"""In the place of seconds."""


class Ledger:
    """Counts requests; for any thread. A request waits for no lock: what it adds is counted when somebody asks.

    Parameters
    ----------
    patience
        Seconds after which a request that is still under way counts as one that failed.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._tallies = {slot: SlotTally() for slot in Slot}
        self._under_way: dict[Slot, dict[str, float]] = {slot: {} for slot in Slot}
        self._ended: dict[Slot, deque[float]] = {slot: deque() for slot in Slot}
        self._compared = self._differed = 0

    def begin(self, prediction_id: str, slot: Slot) -> None:
        """A package is asked."""
        self._under_way[slot][prediction_id] = time.perf_counter()

    def answered(self, prediction_id: str, slot: Slot, seconds: float | None = None) -> None:
        """It has answered; `seconds` where they were measured elsewhere."""
        begun = self._under_way[slot].pop(prediction_id, None)
        if begun is not None:  # else long given up
            self._ended[slot].append(time.perf_counter() - begun if seconds is None else seconds)

    def failed(self, prediction_id: str, slot: Slot) -> None:
        """It has no answer, and the request is not to blame."""
        if self._under_way[slot].pop(prediction_id, None) is not None:
            self._ended[slot].append(FAILED)

    def refused(self, prediction_id: str, slot: Slot) -> None:
        """It was not really asked, or not what it can answer."""
        self._under_way[slot].pop(prediction_id, None)

    def compare(self, *, differed: bool) -> None:
        """Both have answered one request."""
        with self._lock:
            self._compared += 1
            self._differed += differed

    def evidence(self) -> Evidence:
        """All that was seen until now; what is under way for too long counts as failed."""
        with self._lock:
            for slot in Slot:
                self._count(slot)
            return Evidence(
                champion=self._tallies[Slot.CHAMPION].evidence(),
                challenger=self._tallies[Slot.CHALLENGER].evidence(),
                compared=self._compared,
                differed=self._differed,
            )

    def _count(self, slot: Slot) -> None:
        late = time.perf_counter() - self._patience
        for prediction_id, begun in self._under_way[slot].copy().items():
            if begun < late:
                self.failed(prediction_id, slot)
        ended, tally = self._ended[slot], self._tallies[slot]
        while ended:
            seconds = ended.popleft()
            tally.count(seconds, error=seconds == FAILED)
