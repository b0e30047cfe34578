"""How long a request would wait for its model: by how many wait already, and how often one was answered of late.

What is measured is the time from one answer to the next while many wait, so that calls for several requests, threads
beside each other and whatever else the machine has to do are counted in. What is measured while few wait says nothing
of that: a model may answer twenty requests by one call as fast as one.
"""

import math
import time
from collections.abc import Callable

from cellops.errors import NotReadyError

LEAST = 16
"""Requests that may wait for a model however long it takes: as many as a few clients send who each wait for theirs."""
FEW = 4
"""Many wait from the least that are refused until only so many are left."""
ENOUGH = 32
"""Answers after which it is known how long one takes; the first calls of a model are no example for the others."""
MEMORY = 1.0
"""Seconds of work after which what was measured counts for about a third."""


class Backlog:
    """The requests that wait for one model; used in the thread of the event loop.

    Parameters
    ----------
    clock
        Gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._waiting = self._measured = 0
        self._are_many = False
        self._since = 0.0
        self._seconds = self._answered = 0.0

    def begin(self) -> None:
        """A request waits."""
        self._waiting += 1
        if not self._are_many and self._waiting >= LEAST:
            self._are_many = True
            self._since = self._clock()

    def end(self, *, answered: bool) -> None:
        """It waits no more; one that was refused for what it asked says nothing of the model."""
        if self._are_many and answered:
            now = self._clock()
            self._seconds, self._answered = self._with_another(now)
            self._since = now
            self._measured += 1
        self._waiting -= 1
        if self._waiting < FEW:
            self._are_many = False

    def expected(self) -> float:
        """Seconds until a request that came now would be answered last; 0 before enough is known, or while few wait."""
        if not self._are_many or self._measured < ENOUGH:
            return 0.0
        # At least as if one were answered only now: a model that is stuck has answered none of late.
        seconds, answered = self._with_another(self._clock())
        return self._waiting * max(self._seconds / self._answered, seconds / answered)

    def admit(self, most: float) -> None:
        """Refuse a request that would wait longer than so many seconds, unless few wait.

        Raises
        ------
        NotReadyError
            So; `data["retry_after"]` has the seconds after which it would be admitted if no others came.
        """
        if self._waiting < LEAST:
            return
        expected = self.expected()
        if expected > most:
            again = max(1, math.ceil(expected - most))
            fact = f"The model would answer this request in about {expected:.1f} s, as {self._waiting} wait before it"
            raise NotReadyError(fact, remedy=f"Send the request again in {again} s", retry_after=again)

    def _with_another(self, now: float) -> tuple[float, float]:
        """The seconds of work, and how many were answered in them, if one is answered now."""
        seconds = now - self._since
        kept = math.exp(-seconds / MEMORY)
        return self._seconds * kept + seconds, self._answered * kept + 1
