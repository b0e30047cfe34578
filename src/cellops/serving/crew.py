"""The workers of one server as one of them sees them: an order that one has carried out reaches all the others.

What is to be served stands in a file that all share. Whoever takes an order carries it out first, so that a package
which cannot be loaded troubles nobody else; then it writes down what is served from now on, and waits until the others
have followed. A worker that starts in the place of one that has died begins with what is written there.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cellops.errors import CellopsError, NotReadyError
from cellops.serving.errors import failure, sentence
from cellops.serving.placement import PlacedPackage, Placement, Stand, read_placement, read_stand, write

FOLDER, PLACEMENT, TURN = "crew", "placement", "turn.lock"
SUFFIX = ".stand"
EVERY = 0.1
"""Seconds between two looks whether there is something to follow."""
LOOK = 0.02
"""Seconds between two looks whether the others have followed."""
Packages = tuple[PlacedPackage, ...]
logger = logging.getLogger(__name__)


class Crew:
    """One worker among those of a server.

    Parameters
    ----------
    shared
        The folder that all workers of the server share.
    worker
        A name that no other worker has; the process that takes its place has another.
    seconds
        How long an order may take.
    """

    def __init__(self, shared: Path, worker: str, seconds: float) -> None:
        self.worker = worker
        self._folder = shared / FOLDER
        self._folder.mkdir(exist_ok=True)
        self._own = self._folder / f"{worker}{SUFFIX}"
        self._placement = self._folder / PLACEMENT
        self._seconds = seconds
        self._stopping = threading.Event()
        # Before it reads what is to be served: an order that comes now is either read, or waits for this worker.
        write(self._own, Stand())

    def wanted(self) -> Packages | None:
        """What this worker is to serve when it starts; None where no worker has answered yet."""
        placement = read_placement(self._placement)
        return None if placement is None else placement.packages

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While no other worker carries out an order.

        Raises
        ------
        NotReadyError
            When others take too long, or the server stops meanwhile.
        """
        lock = self._lock()
        until = time.monotonic() + self._seconds
        while True:
            try:
                lock.acquire(timeout=EVERY)
                break
            except Timeout:
                if self._stopping.is_set() or time.monotonic() > until:
                    fact = "Another order is being carried out"
                    raise NotReadyError(fact, remedy="Give this one again when that is done") from None
        try:
            yield
        finally:
            lock.release()

    def _lock(self) -> FileLock:
        return FileLock(self._folder / TURN, thread_local=False)

    def pass_on(self, packages: Packages) -> None:
        """Have all workers serve these from now on and look after their rollouts, and wait until they do.

        Called in a turn, by the worker that does so already.

        Raises
        ------
        NotReadyError
            When not all of them do; it says which.
        """
        before = read_placement(self._placement)
        placement = Placement(number=before.number + 1 if before else 0, packages=packages)
        write(self._placement, placement)
        behind = self._awaited(placement.number)
        if behind:
            fact = f"Not every worker has done it: {'; '.join(f'{name}: {why}' for name, why in behind.items())}"
            raise NotReadyError(fact, remedy="Ask for the index, and give the order again")

    def lacking(self, package: PlacedPackage) -> str:
        """Which of the others do not have a package at work, and why; those that start will have it."""
        found = []
        for name, stand in self._stands().items():
            if stand.number >= 0 and package.digest not in (each.digest for each in stand.packages):
                found.append(f"{name}: {stand.trouble or 'not loaded'}")
        return "; ".join(found)

    @contextmanager
    def followed(self, follow: Callable[[Packages], str], packages: Callable[[], Packages]) -> Iterator[None]:
        """Follow the orders that others take, in a thread.

        Parameters
        ----------
        follow
            Serves what is given, and says what stands against that.
        packages
            What is served now.
        """

        def look_on() -> None:
            done, told = -1, ""
            while not self._stopping.wait(EVERY):
                try:
                    done = self._look(done, follow, packages)
                except CellopsError as error:
                    if sentence(error) != told:
                        told = sentence(error)
                        logger.error("%s of the server: %s", self.worker, told)  # noqa: TRY400 - for an operator

        thread = threading.Thread(target=look_on, name="cellops-crew", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.leave()
            thread.join()
            self._own.unlink(missing_ok=True)

    def leave(self) -> None:
        """Wait for nobody any more: the server stops."""
        self._stopping.set()

    def _look(self, done: int, follow: Callable[[Packages], str], packages: Callable[[], Packages]) -> int:
        """Follow what is newer than the order that was done last; gives its number."""
        placement = read_placement(self._placement) or self._first(packages)
        if placement is None or placement.number == done:
            return done
        try:
            trouble = follow(placement.packages)
        except NotReadyError:
            return done  # it does not answer yet, or not any more
        except Exception as error:  # noqa: BLE001 - whatever a package does, the next order is followed all the same
            trouble = sentence(failure("Following the other workers failed", error))
        if trouble:
            logger.error("%s does not serve what the others do: %s", self.worker, trouble)
        write(self._own, Stand(number=placement.number, packages=packages(), trouble=trouble))
        return placement.number

    def _first(self, packages: Callable[[], Packages]) -> Placement | None:
        """What the first that answers serves is what all are to serve.

        None while another has its turn: that may be an order, which writes down what is served and waits until this
        worker follows. So this worker must not wait for the turn.
        """
        try:
            held = self._lock().acquire(blocking=False)
        except Timeout:
            return None
        with held:
            placement = read_placement(self._placement)
            if placement is None:
                placement = Placement(packages=packages())
                write(self._placement, placement)
            return placement

    def _awaited(self, number: int) -> dict[str, str]:
        """Why workers have not carried out an order, when all have tried or the time is over."""
        until = time.monotonic() + self._seconds
        while True:
            stands = self._stands()
            late = [name for name, stand in stands.items() if stand.number < number]
            if not late:
                return {name: stand.trouble for name, stand in stands.items() if stand.trouble}
            if time.monotonic() > until:
                return dict.fromkeys(late, f"it is not done after {self._seconds:g} s, and may still be")
            if self._stopping.wait(LOOK):
                return dict.fromkeys(late, "the server is being stopped")

    def _stands(self) -> dict[str, Stand]:
        found = {path.stem: read_stand(path) for path in sorted(self._folder.glob(f"*{SUFFIX}"))}
        return {name: stand for name, stand in found.items() if stand is not None}


def bury(shared: Path, worker: str) -> None:
    """Wait no more for a worker that has died."""
    (shared / FOLDER / f"{worker}{SUFFIX}").unlink(missing_ok=True)
