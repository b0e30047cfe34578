"""What one process has seen of both packages since a stage began."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from cellops.monitoring.label_log import Labelled
from cellops.packaging.predictor import Predictions
from cellops.records.contract import Contract, Task
from cellops.records.rollout import Evidence
from cellops.serving.rollout.tally import SlotTally
from cellops.serving.strategies.strategy import Slot

MOST_ROWS = 200_000
"""Answers that wait for their labels; the oldest are forgotten first."""
Loss = Callable[[Any, Any], float]


class Ledger:
    """Counts requests, and joins labels with the answers that they are of; for any thread.

    Parameters
    ----------
    patience
        Seconds after which a request that is still under way counts as one that failed.
    loss
        From 0 to 1, of a predicted and a true label; None where it cannot be told.
    """

    def __init__(self, patience: float, loss: Loss | None) -> None:
        self._patience = patience
        self._loss = loss
        self._lock = threading.Lock()
        self._tallies = {slot: SlotTally() for slot in Slot}
        self._under_way: dict[tuple[str, Slot], float] = {}
        self._answers: OrderedDict[tuple[str, Slot], list[Any]] = OrderedDict()
        self._rows = 0
        self._compared = self._differed = 0

    def begin(self, prediction_id: str, slot: Slot) -> None:
        """A package is asked."""
        with self._lock:
            self._under_way[prediction_id, slot] = time.perf_counter()

    def answered(self, prediction_id: str, slot: Slot, predictions: Predictions, seconds: float | None = None) -> None:
        """It has answered; `seconds` where they were measured elsewhere."""
        key = (prediction_id, slot)
        with self._lock:
            begun = self._under_way.pop(key, None)
            if begun is None:
                return  # long given up
            self._tallies[slot].count(time.perf_counter() - begun if seconds is None else seconds, error=False)
            if self._loss is not None:
                self._answers[key] = labels = predictions.labels.tolist()
                self._rows += len(labels)
                while self._rows > MOST_ROWS:
                    self._rows -= len(self._answers.popitem(last=False)[1])

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

    def learn(self, labels: Labelled) -> None:
        """Labels of answers, as far as they are known here; of each the first one counts."""
        if self._loss is None:
            return
        with self._lock:
            for name, truth in zip(labels.prediction_ids, labels.labels.tolist(), strict=True):
                prediction_id, _, row = name.rpartition(":")
                for slot in Slot:
                    known = self._answers.get((prediction_id, slot), [])
                    place = int(row) if row.isdecimal() else len(known)
                    if place < len(known) and known[place] is not None:
                        self._tallies[slot].learn(self._loss(known[place], truth))
                        known[place] = None

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


def loss_of(contract: Contract) -> Loss | None:
    """Of a classifier whether it was wrong; of a regression the error beside the span of what the model gives."""
    if contract.schema.task is not Task.REGRESSION:
        return _is_wrong
    known = contract.output.moments if contract.output else None
    span = known.maximum - known.minimum if known else 0.0
    if not span > 0:
        return None
    return lambda predicted, truth: min(1.0, abs(predicted - truth) / span)


def _is_wrong(predicted: Any, truth: Any) -> float:
    return float(predicted != truth)
