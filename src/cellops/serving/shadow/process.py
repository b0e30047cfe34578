"""The process in which a challenger answers: it loads the package by itself, and ends with the server."""

import ctypes
import multiprocessing
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from cellops.packaging.load import LoadedPackage
from cellops.packaging.predictor import Predictions
from cellops.serving import chunks
from cellops.serving.output_check import OutputCheck

NICE = 10
"""What the champion needs of the processor comes first."""
POLLED = 0.1
"""Seconds between two looks at the memory of a process that is busy."""
STALLED = 5.0
"""Seconds that a message may stand still on its way: a process that is stopped reads none, or leaves half of one."""
PR_SET_PDEATHSIG = 1
Load = Callable[[Path], LoadedPackage]


class EndedError(Exception):
    """The process answers no more; its text says why."""


class Told(msgspec.Struct, frozen=True):
    """What the process says of one request."""

    predictions: Predictions | None
    """None where it has none."""
    seconds: float = 0.0


class Process:
    """One process, from its start to its end.

    Parameters
    ----------
    load
        Opens a package with its model; it can be pickled.
    path
        Where the package lies.
    digest
        What it must be.
    most_bytes
        Of memory that it may take.
    """

    def __init__(self, load: Load, path: Path, digest: str, most_bytes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        _limit(self._here)
        self._most_bytes = most_bytes
        self._process = context.Process(target=_work, args=(there, load, path, digest), daemon=True)
        self._process.start()
        there.close()

    def ready(self, patience: float, ended: threading.Event) -> None:
        """Wait until the package is loaded; `EndedError` where that fails."""
        self._received(patience, ended)

    def ask(self, columns: Any, rows: int, patience: float, ended: threading.Event) -> Told:
        """What the challenger answers.

        Raises
        ------
        EndedError
            When the process has died, does not answer in time, or takes too much memory.
        """
        try:
            self._here.send((columns, rows))
        except OSError as error:
            raise EndedError(self._death()) from error
        told: Told = self._received(patience, ended)
        return told

    def check_memory(self) -> None:
        """`EndedError` where it takes too much, or is not there any more."""
        if not self._process.is_alive():
            raise EndedError(self._death())
        with suppress(OSError, ValueError, IndexError):
            # Where there is no such file, memory is not watched.
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
            taken = pages * os.sysconf("SC_PAGE_SIZE")
            if taken > self._most_bytes:
                message = f"it took {taken // 2**20} MiB of memory, and may take {self._most_bytes // 2**20}"
                raise EndedError(message)

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._here.close()

    def _received(self, patience: float, ended: threading.Event) -> Any:
        until = time.monotonic() + patience
        try:
            while not self._here.poll(POLLED):
                self.check_memory()
                if ended.is_set() or time.monotonic() > until:
                    message = f"it did not answer within {patience:g} s"
                    raise EndedError(message)
            return self._here.recv()
        except (EOFError, OSError) as error:
            raise EndedError(self._death()) from error

    def _death(self) -> str:
        self._process.join(1)
        code = self._process.exitcode
        return f"it ended with exit code {code}" if code is not None else f"it stood still for {STALLED:g} s"


def _limit(connection: Connection) -> None:
    """Let nobody wait for ever in the middle of a message; where the system knows no such limit they do."""
    limit = struct.pack("ll", int(STALLED), int(STALLED % 1 * 1e6))
    with suppress(OSError, AttributeError), socket.socket(fileno=os.dup(connection.fileno())) as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)


def _work(connection: Connection, load: Load, path: Path, digest: str) -> None:
    """What the process does: an answer for each request, until nobody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    if sys.platform == "linux":
        # Also where a model lets no other thread of this process run.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with_server, daemon=True).start()
    package = load(path)
    if package.digest != digest:
        message = "the package has been replaced"
        raise SystemExit(message)
    outputs = OutputCheck(package.contract)
    connection.send(True)
    while True:
        try:
            columns, rows = connection.recv()
        except EOFError:
            return
        connection.send(_told(package, outputs, columns, rows))


def _told(package: LoadedPackage, outputs: OutputCheck, columns: Any, rows: int) -> Told:
    started = time.perf_counter()
    try:
        predictions = chunks.predict(package.predictor, columns, rows)
    except Exception:  # noqa: BLE001 - whatever it is, it is no answer
        return Told(None)
    seconds = time.perf_counter() - started
    return Told(predictions if outputs.holds(predictions, rows) else None, seconds)


def _end_with_server() -> None:
    """Also when the model hangs: nobody else would end this process after a server that was killed."""
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
    os._exit(0)
