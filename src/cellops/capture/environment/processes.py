"""Processes that are started for a while: each in a group of its own, and none left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

HIDDEN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "CONDA_PREFIX")
"""Variables that would lead the new environment back to this one."""
DISMISSED = b"."
GUARD = """
import os, signal, sys
number = sys.stdin.buffer.readline()
if number and not sys.stdin.buffer.read(1):
    os.killpg(int(number), signal.SIGKILL)
"""
"""Waits at a pipe that the system closes when its other end is killed, unless it is dismissed before."""
LONGEST_LINE = 400
SHOWN = 12
"""Lines of a log that an error repeats."""


def surroundings(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment's variables for a Python of its own; those of uv and pip are as the person has set them."""
    return {name: value for name, value in os.environ.items() if name not in HIDDEN} | dict(given or {})


@contextlib.contextmanager
def started(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], **streams: Any
) -> Iterator["subprocess.Popen[str]"]:
    """A process, which is killed with all that it has started, when it is still there at the end.

    It is killed, but for Windows, also where this process cannot do it because it was killed itself. It does not hear
    the terminal's Ctrl-C: whoever started it decides what becomes of it.
    """
    with contextlib.ExitStack() as held:
        guard = held.enter_context(_guard())
        with _held_back():
            process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                start_new_session=True,
                **streams,
            )
            held.callback(_end, process)
            guard(process.pid)
        yield process


@contextlib.contextmanager
def _guard() -> Iterator[Callable[[int], object]]:
    """A process that ends another one, told by its number, when this one is killed and can do so no more."""
    if os.name != "posix":
        yield lambda _: None
        return
    command = [sys.executable, "-I", "-S", "-c", GUARD]
    silent = subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 - our own command
        command, bufsize=0, stdin=subprocess.PIPE, stdout=silent, stderr=silent, start_new_session=True
    ) as guard:
        pipe = guard.stdin
        assert pipe is not None  # noqa: S101 - it was asked for
        try:
            yield lambda number: pipe.write(b"%d\n" % number)
        finally:
            with contextlib.suppress(OSError):
                pipe.write(DISMISSED)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Let signals come when the block has ended: a process that is there and that nobody knows yet would stay."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    known = {number: signal.getsignal(number) for number in _endings(signal.SIGINT)}
    before = {number: handler for number, handler in known.items() if callable(handler) or handler is signal.SIG_DFL}
    for number in before:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


def _endings(*others: int) -> list[int]:
    """The signals by which a process is told to end."""
    return [*others, *(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))]


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        _kill(process)
    process.wait()


def _kill(process: "subprocess.Popen[str]") -> None:
    with contextlib.suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as an exception does, so that what it has started is put away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {n: signal.signal(n, end) for n in _endings() if signal.getsignal(n) is signal.SIG_DFL}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Log:
    """What a process says, line by line, as it says it."""

    def __init__(self, stream: IO[str]) -> None:
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def wait_for(self, beginning: str, seconds: float) -> str | None:
        """The first line that begins so; None when the process falls silent for good before, or time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._find(beginning) is not None, seconds)
            return self._find(beginning)

    def end(self) -> tuple[str, ...]:
        """The last lines."""
        with self._changed:
            return tuple(line[:LONGEST_LINE] for line in self._lines[-SHOWN:])

    def _find(self, beginning: str) -> str | None:
        return next((line for line in self._lines if line.startswith(beginning)), None)

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    self._lines.append(line.rstrip())
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
