"""The background writer: a process of its own, so that MLflow's two seconds of import are never the kernel's."""

import os
import subprocess
import sys
from pathlib import Path

from cellops.settings import Settings


class Handle:
    """Starts the writer of a session when there is something to write, and again when it has gone."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self, journal: Path) -> None:
        """Have a writer follow `journal`. Failing to start one loses nothing: `cellops sync` does the same work."""
        if not self._settings.writer or (self._process is not None and self._process.poll() is None):
            return
        command = [sys.executable, "-m", "cellops", "sync", "--follow", str(journal)]
        log = os.open(self._settings.folder / "writer.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=self._settings.project,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"CELLOPS_PROJECT": str(self._settings.project)},
                start_new_session=True,
            )
        finally:
            os.close(log)
