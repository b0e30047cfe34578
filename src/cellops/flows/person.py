"""Who decides: as git knows them, else as the CI or the system does."""

import getpass
import os
from collections.abc import Mapping
from pathlib import Path

from cellops.capture.environment.repository import git
from cellops.errors import printable

OF_CI = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")
LONGEST = 120


def person(folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """A name, with an address where git has one.

    Examples
    --------
    >>> person(Path(), {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"})
    'Ada <ada@example.org>'
    """
    name, address = environment.get("GIT_AUTHOR_NAME"), environment.get("GIT_AUTHOR_EMAIL")
    of_ci = next(filter(None, map(environment.get, OF_CI)), None)
    if not name and of_ci:
        return _plain(of_ci)
    name = name or _of_git(folder, "user.name") or _of_the_system()
    address = address or _of_git(folder, "user.email")
    return _plain(f"{name} <{address}>" if address else name)


def _plain(text: str) -> str:
    return " ".join(printable(text).split())[:LONGEST]


def _of_git(folder: Path, key: str) -> str | None:
    return (git(folder, "config", "--get", key) or "").strip() or None


def _of_the_system() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
