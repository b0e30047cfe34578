"""Where a session stands: its notebook, its working folder, and what it puts back where it executes a run again."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cellops.capture.files.guard import Guard
from cellops.capture.files.pointers import shown
from cellops.capture.reporting import SWEEP
from cellops.records.recorded import Restoring
from cellops.records.run import SessionOpened
from cellops.settings import Settings
from cellops.version import __version__

EXECUTION = "CELLOPS_EXECUTION"
"""The variable in which an execution tells its kernels its identifier."""
NOTEBOOKS = (".ipynb", ".py", ".md", ".markdown", ".myst", ".mystnb", ".Rmd", ".rmd")
"""How the names of notebooks end; what a front end tells may also be the name of a console."""


def notebook_path(namespace: Mapping[str, Any]) -> str | None:
    """The notebook's path, as far as its front end tells: cellops' own runner, VS Code, Jupyter Server."""
    candidates = (
        os.environ.get("CELLOPS_NOTEBOOK"),
        namespace.get("__vsc_ipynb_file__"),
        os.environ.get("JPY_SESSION_NAME"),
    )
    return next((str(path) for path in candidates if path and str(path).endswith(NOTEBOOKS)), None)


def is_execution() -> bool:
    """Whether a notebook is executed here from its first cell to its last, and nobody looks at it meanwhile."""
    return EXECUTION in os.environ


def session_opened(session: str, settings: Settings, notebook: str | None, started: float) -> SessionOpened:
    """The first event of a session's journal."""
    return SessionOpened(
        session=session,
        pid=os.getpid(),
        started=started,
        version=__version__,
        project=str(settings.project),
        notebook=notebook,
        execution=os.environ.get(EXECUTION),
        store=settings.store,
        sweep=os.environ.get(SWEEP),
    )


def working_folder(project: Path) -> str | None:
    try:
        return shown(Path.cwd(), project)
    except OSError:
        return None


def restoring() -> Restoring | None:
    """What this kernel puts back, where it executes the slice of a run again."""
    path = os.environ.get("CELLOPS_RESTORING")
    return Restoring.from_file(Path(path)) if path else None


def guarding(restoring: Restoring | None) -> Guard | None:
    """What keeps the files that cells touch, where this kernel executes them again."""
    if restoring is None or restoring.guarding is None:
        return None
    guard = Guard(restoring.guarding)
    guard.start()
    return guard
