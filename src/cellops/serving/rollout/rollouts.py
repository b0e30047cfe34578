"""The rollouts of all models of a server, and the thread that follows and judges them beside the requests."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cellops.errors import CellopsError
from cellops.records.rollout import RolloutState
from cellops.serving.division import Traffic
from cellops.serving.errors import sentence
from cellops.serving.model import Model
from cellops.serving.rollout.rollout import Rollout, Shadowed

EVERY = 0.25
"""Seconds between two looks at the state, and at least between two at the evidence."""
JUDGE_SHARE = 0.01
"""Of a processor, at most, that looking at the evidence takes: the tests hold however seldom they are looked at."""
LABELS_EVERY = 0.5
"""Seconds between two looks for labels, at least."""
LABELS_SHARE = 0.05
"""Of the time, at most, that is spent on them."""
logger = logging.getLogger(__name__)


class Rollouts:
    """One rollout for each model, under way or not.

    Parameters
    ----------
    folder
        Where a model of some name logs.
    patience
        Seconds after which a request counts as failed.
    put
        Divides the traffic of a model from now on.
    shadowed
        Begins to show requests to the challenger of a state.
    """

    def __init__(
        self,
        folder: Callable[[str], Path],
        patience: float,
        put: Callable[[str, Traffic], None],
        shadowed: Shadowed,
    ) -> None:
        self._folder = folder
        self._patience = patience
        self._put = put
        self._shadowed = shadowed
        self._all: dict[str, Rollout] = {}
        self._acting = threading.RLock()
        self._said: dict[tuple[str, str], str | None] = {}
        """What was told last of a part of the work."""
        self._judged_again: dict[str, float] = {}
        """When the evidence is looked at the next time, by the monotonic clock."""

    def of(self, name: str) -> Rollout:
        with self._acting:
            if name not in self._all:
                self._all[name] = Rollout(name, self._folder(name), self._patience, self._put, self._shadowed)
            return self._all[name]

    @property
    def states(self) -> tuple[RolloutState, ...]:
        """Of the models that have or had a rollout."""
        with self._acting:
            return tuple(rollout.state for rollout in self._all.values() if rollout.state is not None)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """While the thread beside does nothing."""
        with self._acting:
            yield

    def follow(self, versions: Mapping[str, Sequence[Model]]) -> None:
        """Divide the traffic as the states on the disk say now."""
        with self._acting:
            for name, models in versions.items():
                self.of(name).follow(models)

    @contextmanager
    def watched(self, versions: Callable[[], Mapping[str, Sequence[Model]]]) -> Iterator[None]:
        """Follow and judge in a thread meanwhile."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(EVERY):
                for name, models in versions().items():
                    self._look(name, models)

        threads = [
            threading.Thread(target=watch, name="cellops-rollouts", daemon=True),
            threading.Thread(target=self._learn_until, args=(ended,), name="cellops-rollout-labels", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join()
            self.close()

    def close(self) -> None:
        """Show nothing to challengers any more."""
        for rollout in self._all.values():
            rollout.close()

    def _learn_until(self, ended: threading.Event) -> None:
        """Join labels, which may have to search a long log: never more than a share of the time."""
        pause = LABELS_EVERY
        while not ended.wait(pause):
            begun = time.monotonic()
            for name, rollout in list(self._all.items()):
                self._guarded(name, "labels", rollout.learn)
            pause = max(LABELS_EVERY, (time.monotonic() - begun) / LABELS_SHARE)

    def _look(self, name: str, models: Sequence[Model]) -> None:
        def look() -> None:
            with self._acting:
                rollout = self.of(name)
                rollout.follow(models)
                if time.monotonic() >= self._judged_again.get(name, 0.0):
                    begun = time.thread_time()
                    rollout.judge(models)
                    self._judged_again[name] = time.monotonic() + (time.thread_time() - begun) / JUDGE_SHARE
                rollout.count()

        self._guarded(name, "state", look)

    def _guarded(self, name: str, part: str, work: Callable[[], None]) -> None:
        """Do a part of the work for a model. What fails there keeps no other rollout from being judged, and is said
        once.
        """
        said = trouble = None
        try:
            work()
        except CellopsError as error:
            said = f"The rollout of {name}: {sentence(error)}"
        except OSError as error:
            said = f"The rollout of {name} cannot be written: {error.strerror}"
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread goes on
            said, trouble = f"The rollout of {name} stays as it is: {type(error).__name__}", error
        if said is not None and said != self._said.get((name, part)):
            logger.error("%s", said, exc_info=trouble)
        self._said[name, part] = said
