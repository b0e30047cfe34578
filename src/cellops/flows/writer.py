"""The background writer: a process of its own, so that MLflow's two seconds of import are never the kernel's."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.settings import Settings

if TYPE_CHECKING:
    from cellops.pipeline.forkserver.detached import Detached
    from cellops.pipeline.forkserver.forkserver import ForkServer

NICENESS = 10
"""How far the writer steps back behind other processes, of 19."""


class Handle:
    """Starts the writer of a session when there is something to write, and again when it has gone.

    Parameters
    ----------
    awaited
        Whether somebody waits until it has done its work, so that nothing is won when it steps back.
    models
        Whether it is sure to have models to keep, and better gets ready for that at once.
    """

    def __init__(self, settings: Settings, *, awaited: bool = False, models: bool = False) -> None:
        self._settings = settings
        asked = {"--awaited": awaited, "--models": models}
        self._options = tuple(option for option, is_asked in asked.items() if is_asked)
        self._process: subprocess.Popen[bytes] | Detached | None = None
        self._starting: threading.Thread | None = None

    def ensure(self, journal: Path, forks: "ForkServer | None" = None) -> None:
        """Have a writer follow `journal`. Failing to start one loses nothing: `cellops sync` does the same work.

        Parameters
        ----------
        forks
            What it may be forked from as soon as that can be done: it has imported much that a writer imports too.
        """
        is_starting = self._starting is not None and self._starting.is_alive()
        if not self._settings.writer or is_starting or (self._process is not None and self._process.poll() is None):
            return
        arguments = (*self._options, "--follow", str(journal))
        if forks is None:
            self._process = _start(self._settings, *arguments)
            return
        self._starting = threading.Thread(
            target=self._fork, args=(forks, arguments), name="cellops-writer-begins", daemon=True
        )
        self._starting.start()

    def _fork(self, forks: "ForkServer", options: Sequence[str]) -> None:
        place, log = _environment(self._settings), self._settings.folder / "writer.log"
        forked = forks.program(("sync", *options), place, self._settings.project, log)
        self._process = forked or _start(self._settings, *options)

    def wait(self) -> None:
        """Wait until the writer has ended, which it does once a journal is carried whose session has ended."""
        if self._starting is not None:
            self._starting.join()
        if self._process is not None:
            self._process.wait()


def carry_all(settings: Settings) -> None:
    """Have all journals carried once, beside whoever asks; as `Handle.ensure`, it loses nothing."""
    if settings.writer:
        _start(settings)


def step_back() -> None:
    """Let this process, a writer, leave the processors to the kernel: its libraries count on all of them."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    # Where Linux shares the processors out among sessions, a process has its weight within its session only.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICENESS), encoding="ascii")


def _environment(settings: Settings) -> dict[str, str]:
    return os.environ | {"CELLOPS_PROJECT": str(settings.project)}


def _start(settings: Settings, *options: str) -> subprocess.Popen[bytes]:
    log = os.open(settings.folder / "writer.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "cellops", "sync", *options],
            cwd=settings.project,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(settings),
            start_new_session=True,
        )
    finally:
        os.close(log)
