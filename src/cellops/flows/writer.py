"""The background writer: a process of its own, so that MLflow's two seconds of import are never the kernel's."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from cellops.settings import Settings

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
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self, journal: Path) -> None:
        """Have a writer follow `journal`. Failing to start one loses nothing: `cellops sync` does the same work."""
        if not self._settings.writer or (self._process is not None and self._process.poll() is None):
            return
        self._process = _start(self._settings, *self._options, "--follow", str(journal))

    def wait(self) -> None:
        """Wait until the writer has ended, which it does once a journal is carried whose session has ended."""
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


def _start(settings: Settings, *options: str) -> subprocess.Popen[bytes]:
    log = os.open(settings.folder / "writer.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "cellops", "sync", *options],
            cwd=settings.project,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {"CELLOPS_PROJECT": str(settings.project)},
            start_new_session=True,
        )
    finally:
        os.close(log)
