"""Several processes behind one socket: started, watched and replaced by one that serves nothing itself.

Each worker loads the packages by itself and is a whole server; the system divides the connections among them. A worker
that dies is replaced, and none outlives the process that watches it.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count as count_up
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from cellops.errors import CellopsError, UsageError
from cellops.serving.running import in_terminal

DRAINING = 35
"""Seconds after a signal to stop in which workers may end; a little more than each gives to its requests."""
PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between the start of a worker that dies and that of the next in its place; doubled each time, up to these."""
STABLE = 60.0
"""Seconds after which a worker's death is not taken for the last one's cause."""
STOPPING = (signal.SIGTERM, signal.SIGINT)
HEARD = (*STOPPING, signal.SIGHUP)
Done = TypeVar("Done")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """What a worker tells: that it answers, what it has done, or why it ends."""

    ready: object = None
    done: object = None
    error: CellopsError | None = None


@dataclass(eq=False)
class Worker:
    """One process, in a place that soon has another when it ends."""

    name: str
    process: Any
    told: Connection
    started: float
    pause: float = PAUSE
    ready: bool = False


@dataclass
class Group(Generic[Done]):
    """The workers of a server.

    Parameters
    ----------
    count
        How many.
    work
        Serves until a signal, in a process of its own; takes its name, which no other has had, and a function that it
        calls when it answers, and gives what it has done.
    on_death
        Is told the name of each worker that has died.
    """

    count: int
    work: Callable[[str, Callable[[object], None]], Done]
    on_death: Callable[[str], None]
    _names: Iterator[int] = field(default_factory=count_up)
    _workers: list[Worker] = field(default_factory=list)
    _done: list[Done] = field(default_factory=list)

    def run(self, on_ready: Callable[[Any], None]) -> list[Done]:
        """Serve until SIGTERM or SIGINT; SIGHUP is passed on to one worker that answers.

        Parameters
        ----------
        on_ready
            Called once all workers answer, with what the last of them said.

        Returns
        -------
        list
            What each worker has done; nothing of those that were killed.

        Raises
        ------
        UsageError
            Where processes cannot be forked.
        CellopsError
            The reason for which a worker could not start at first.
        """
        if "fork" not in multiprocessing.get_all_start_methods():
            fact = "This system cannot fork processes"
            raise UsageError(fact, remedy="Leave out --workers, and start a server for each port")
        alive, self._alive = os.pipe()
        self._outlived = alive
        with _signals() as heard:
            try:
                self._workers = [self._started() for _ in range(self.count)]
                self._watch(heard, on_ready)
            finally:
                self._stop()
                for descriptor in (alive, self._alive):
                    os.close(descriptor)
        return self._done

    def _started(self, pause: float = PAUSE) -> Worker:
        name = f"worker-{next(self._names)}"
        here, there = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("fork")
        process = context.Process(target=self._be_worker, args=(name, there), name=f"cellops-{name}")
        # No signal is to find the new process with the handlers of this one.
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
        there.close()
        return Worker(name, process, here, time.monotonic(), pause)

    def _be_worker(self, name: str, told: Connection) -> None:
        """What the new process does."""
        os.close(self._alive)
        for number in HEARD:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
        threading.Thread(target=_end_with, args=(self._outlived,), daemon=True).start()
        try:
            told.send(Told(done=self.work(name, lambda said: told.send(Told(ready=said)))))
        except CellopsError as error:
            told.send(Told(error=error))

    def _watch(self, heard: "Heard", on_ready: Callable[[Any], None]) -> None:
        """Until a signal to stop."""
        all_ready = False
        while not heard.stopping:
            due = [worker.started + worker.pause for worker in self._workers if worker.process is None]
            patience = max(0.0, min(due) - time.monotonic()) if due else None
            waited_for = [worker.told for worker in self._workers if worker.process is not None]
            for connection in wait([*waited_for, heard.reader], patience):
                if connection == heard.reader:
                    heard.clear()
                    continue
                worker = next(worker for worker in self._workers if worker.told is connection)
                said = self._hear(worker, first=not all_ready)
                if not all_ready and all(each.ready for each in self._workers):
                    all_ready = True
                    on_ready(said)
            answering = [worker for worker in self._workers if worker.ready]
            if heard.hung_up and answering:
                heard.hung_up = False
                # What one does all of them follow.
                self._signal(signal.SIGHUP, answering[:1])
            for worker in [worker for worker in self._workers if worker.process is None]:
                if time.monotonic() >= worker.started + worker.pause:
                    again = self._started(worker.pause)
                    self._workers[self._workers.index(worker)] = again

    def _hear(self, worker: Worker, *, first: bool) -> object:
        """What a worker tells; one that has ended leaves its place empty."""
        try:
            told: Told = worker.told.recv()
        except EOFError:
            self._bury(worker, None, first=first)
            return None
        if told.ready is not None:
            worker.ready = True
            return told.ready
        if told.error is not None:
            self._bury(worker, told.error, first=first)
        elif told.done is not None:
            self._done.append(told.done)  # type: ignore[arg-type]
        return None

    def _bury(self, worker: Worker, error: CellopsError | None, *, first: bool) -> None:
        worker.process.join(DRAINING)
        code, worker.process, worker.ready = worker.process.exitcode, None, False
        worker.told.close()
        if error is not None and first:
            raise error
        reason = error.text() if error else f"exit code {code}"
        if first:
            fact = f"A worker ended before it answered: {reason}"
            raise UsageError(fact, remedy="Serve with one worker to see why")
        lived = time.monotonic() - worker.started
        worker.pause = PAUSE if lived > STABLE else min(2 * worker.pause, LONGEST_PAUSE)
        self.on_death(worker.name)
        logger.error("%s has ended (%s) and is started again", worker.name, reason)

    def _stop(self) -> None:
        """Let every worker answer what has come, and end those that do not end."""
        self._signal(signal.SIGTERM, self._workers)
        until = time.monotonic() + DRAINING
        for worker in self._workers:
            if worker.process is None:
                continue
            with suppress(EOFError, OSError):
                while worker.told.poll(max(0.0, until - time.monotonic())):
                    told: Told = worker.told.recv()
                    if told.done is not None:
                        self._done.append(told.done)  # type: ignore[arg-type]
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.told.close()

    def _signal(self, number: int, workers: Iterable[Worker]) -> None:
        for worker in workers:
            if worker.process is not None and worker.process.is_alive():
                with suppress(ProcessLookupError):
                    os.kill(worker.process.pid, number)


class Heard:
    """The signals that have come."""

    def __init__(self) -> None:
        self.reader, self._writer = multiprocessing.Pipe(duplex=False)
        self._in_terminal = in_terminal()
        self.stopping = False
        self.hung_up = False

    def hear(self, number: int, _frame: object) -> None:
        if number in STOPPING or (self._in_terminal and not in_terminal()):
            self.stopping = True
        else:
            self.hung_up = True
        self._writer.send_bytes(b"!")

    def clear(self) -> None:
        self.reader.recv_bytes()


@contextmanager
def _signals() -> Iterator[Heard]:
    heard = Heard()
    before = {number: signal.signal(number, heard.hear) for number in HEARD}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with(pipe: int) -> None:
    """End this process as by SIGTERM when the one that watches it is gone, which leaves the pipe without a writer."""
    with suppress(OSError):
        os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
