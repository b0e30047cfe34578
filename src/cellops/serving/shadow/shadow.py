"""What a server shows to a challenger in another process: by a bounded queue, and never waiting for it."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cellops.data.decoder import Columns
from cellops.data.matrix import Matrix
from cellops.monitoring.answered import Answered
from cellops.packaging.predictor import Predictions
from cellops.serving.dataplane import Call
from cellops.serving.rollout.ledger import Ledger
from cellops.serving.shadow.idleness import Idleness
from cellops.serving.shadow.log import ShadowLog
from cellops.serving.shadow.process import EndedError, Load, Process
from cellops.serving.shadow.waiting import Shown, Waiting
from cellops.serving.strategies.strategy import Slot

MOST_ROWS = 1000
"""Of a request that it is shown."""
STARTING = 120.0
"""Seconds in which the package must be loaded."""
PAUSE, LONGEST_PAUSE, STABLE = 0.5, 60.0, 30.0
"""Seconds before a process is started again, doubled each time; after a while without an end they are as at first."""
SHARE = 0.1
"""Of a processor, at most, that handing over takes: Python runs it in turn with the champion's own work."""
RESTING = 0.25
"""Seconds between two looks at a process that has nothing to do."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """Who is the challenger, and under which conditions it is asked."""

    load: Load
    path: Path
    digest: str
    patience: float
    """Seconds for an answer."""
    most_bytes: int
    """Of memory."""
    off_peak: bool
    """Whether it is asked only while the server has little to do."""


class Shadow:
    """Shows requests to a challenger.

    Parameters
    ----------
    kind
        The challenger.
    ledger
        Where its answers are counted and compared with the champion's.
    log
        Takes its answers.
    count
        Hears what became of each request: `answered`, `failed`, `dropped` or `peak`.
    """

    def __init__(
        self,
        kind: Kind,
        ledger: Ledger,
        log: ShadowLog,
        count: Callable[[str], None],
    ) -> None:
        self._kind = kind
        self._ledger = ledger
        self._log = log
        self._count = count
        self._waiting = Waiting()
        self._idleness = Idleness() if kind.off_peak else None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="cellops-shadow", daemon=True)
        self._thread.start()

    def show(self, columns: Columns, call: Call, predictions: Predictions) -> None:
        """Show a request, if there is room; at once."""
        if self._idleness is not None and not self._idleness.is_idle:
            self._count("peak")
            return
        # Most requests of a busy server are dropped: first is looked whether this one is.
        if (
            self._waiting.is_full()
            or len(predictions.labels) > MOST_ROWS
            or not self._waiting.put(Shown(columns, call, predictions))
        ):
            self._count("dropped")

    def close(self) -> None:
        """End the process, and forget what waits."""
        self._ended.set()
        self._thread.join()
        self._log.close()

    def _work(self) -> None:
        pause, name = PAUSE, self._kind.digest[:12]
        while not self._ended.is_set():
            started = time.monotonic()
            try:
                self._live()
            except EndedError as error:
                if not self._ended.is_set():
                    logger.error("The shadow %s: %s. It is started again", name, error)  # noqa: TRY400
            except Exception:
                # Whatever a challenger answers, and whatever this machine has no room for: the next one may do.
                logger.exception("The shadow %s is started again", name)
            if time.monotonic() - started > STABLE:
                pause = PAUSE
            self._ended.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _live(self) -> None:
        """One process from its start to its end."""
        kind = self._kind
        process = Process(kind.load, kind.path, kind.digest, kind.most_bytes)
        try:
            process.ready(STARTING, self._ended)
            while not self._ended.is_set():
                before = time.thread_time()
                self._look(process)
                self._ended.wait((time.thread_time() - before) * (1 / SHARE - 1))
        finally:
            process.kill()

    def _look(self, process: Process) -> None:
        if self._idleness is not None:
            self._idleness.measure()
        try:
            shown = self._waiting.take(RESTING)
        except queue.Empty:
            process.check_memory()
            return
        name = shown.call.prediction_id
        self._ledger.begin(name, Slot.CHALLENGER)
        try:
            # A matrix is sent as one array, in a fifth of the time of its columns.
            columns = shown.columns if isinstance(shown.columns, Matrix) else dict(shown.columns)
            told = process.ask(columns, len(shown.predictions.labels), self._kind.patience, self._ended)
        except EndedError:
            self._failed(name)
            raise
        if told.predictions is None:
            self._failed(name)
            return
        self._count("answered")
        self._ledger.answered(name, Slot.CHALLENGER, told.seconds)
        self._ledger.compare(differed=differ(shown.predictions, told.predictions))
        self._log.take(self._entry(shown, told.predictions), len(told.predictions.labels))

    def _failed(self, prediction_id: str) -> None:
        self._count("failed")
        self._ledger.failed(prediction_id, Slot.CHALLENGER)

    def _entry(self, shown: Shown, predictions: Predictions) -> Answered:
        call = shown.call
        return Answered(
            prediction_id=call.prediction_id,
            request_id=call.request_id,
            time=call.time,
            received=call.received,
            protocol=call.protocol,
            package=self._kind.digest,
            columns=shown.columns,
            labels=predictions.labels,
            probabilities=predictions.probabilities,
        )


def differ(one: Predictions, other: Predictions) -> bool:
    """Whether two answers to a request are not the same; numbers may differ in their last digits."""
    if one.labels.dtype.kind == "f":
        return not np.allclose(one.labels, np.asarray(other.labels, dtype=float), rtol=1e-6)
    return bool(one.labels.tolist() != other.labels.tolist())
