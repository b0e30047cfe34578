"""Which journals may be carried: carrying one unpickles the models that it names, which runs their code."""

import os
import subprocess
from pathlib import Path

from cellops.errors import TrackingError


def require_own(journal: Path) -> None:
    """Refuse a journal that came from someone else.

    Raises
    ------
    TrackingError
        When another user owns it, or git tracks it.
    """
    if os.name == "posix" and journal.stat().st_uid != os.getuid():
        fact = f"{journal} belongs to another user, and carrying it could run their code"
        raise TrackingError(fact, remedy="Have them run: cellops sync")
    if _tracked(journal):
        fact = f"{journal} is tracked by git, and carrying a journal that someone else wrote could run their code"
        raise TrackingError(fact, remedy=f"If you wrote it, run: git rm --cached {journal}. Else delete it")


def _tracked(journal: Path) -> bool:
    """Whether git tracks the file; without git, or outside a repository, it does not."""
    real = journal.resolve()
    command = ["git", "-C", str(real.parent), "ls-files", "--error-unmatch", "--", real.name]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own command
    except FileNotFoundError:
        return False
