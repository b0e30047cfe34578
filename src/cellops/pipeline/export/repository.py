"""Where an exported pipeline stands: the top of its repository, and paths from there on."""

import os
from collections.abc import Iterator
from pathlib import Path

from cellops.capture.environment.repository import git, repository
from cellops.errors import UsageError

REMOTE_HEAD = "refs/remotes/origin/"


def top(notebook: Path, project: Path, *, in_git: bool) -> Path:
    """The folder in which commands are executed: the top of the repository, else of the project.

    Raises
    ------
    UsageError
        When it has to be a repository and there is none.
    """
    found = repository(notebook.parent)
    if found is not None:
        return found.resolve()
    if in_git:
        fact = f"{notebook.name} is in no git repository, and what is exported is executed from one"
        raise UsageError(fact, remedy="Make one around it: git init")
    return project.resolve() if notebook.is_relative_to(project.resolve()) else notebook.parent


def within(root: Path, path: Path, what: str) -> str:
    """A path from the top of the repository on.

    Raises
    ------
    UsageError
        When it lies outside.
    """
    whole = path.parent.resolve() / path.name
    if not whole.is_relative_to(root):
        fact = f"{what} {path} lies outside of the repository {root}"
        raise UsageError(fact, remedy="What is exported finds only what the repository holds: move it there")
    return whole.relative_to(root).as_posix()


def branch(root: Path) -> str:
    """The default branch, as the remote has it, else the one of the usual names, else the one that is checked out."""
    remote = git(root, "symbolic-ref", "--quiet", f"{REMOTE_HEAD}HEAD")
    if remote:
        return remote.strip().removeprefix(REMOTE_HEAD)
    known = (git(root, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads") or "").split()
    current = (git(root, "symbolic-ref", "--quiet", "--short", "HEAD") or "").split()
    return next((name for name in ("main", "master") if name in known), [*current, *known, "main"][0])


def not_in_git(root: Path, paths: list[str]) -> Iterator[str]:
    """Those of the paths that are there and that git does not know."""
    if not paths or repository(root) is None:
        return
    known = (git(root, "ls-files", "-z", "--", *(f":(literal){path}" for path in paths)) or "").split("\0")
    yield from (path for path in paths if os.path.lexists(root / path) and path not in known)
