"""What git says of a folder, with as few processes as can be: each costs more than a small cell."""

import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

TIMEOUT_SECONDS = 20


def repository(folder: Path) -> Path | None:
    """The top of the work tree that holds `folder`; no process is started unless git is told elsewhere by variables."""
    if "GIT_DIR" in os.environ or "GIT_WORK_TREE" in os.environ:
        root = git(folder, "rev-parse", "--show-toplevel")
        return Path(root.rstrip("\n")) if root else None
    resolved = folder.resolve()
    return next((top for top in (resolved, *resolved.parents) if _has_repository(top / ".git")), None)


def _has_repository(entry: Path) -> bool:
    """A folder, or a file that names one as submodules and further work trees have it."""
    try:
        return (entry / "HEAD").exists() or entry.is_file()
    except OSError:
        return False


def commit_at(folder: Path) -> str | None:
    """The commit that is checked out where `folder` lies; git is asked again only when it may have become another."""
    top = repository(folder)
    if top is None:
        return None
    state = _references(top / ".git")
    return _head(top) if state is None else _head_once(top, state)


References = tuple[str, str | None, tuple[int, int] | None]


def _references(own: Path) -> References | None:
    """All that the commit of HEAD follows from in git's files; None where they are stored otherwise."""
    try:
        head = (own / "HEAD").read_text(encoding="utf-8")
        if re.fullmatch(r"[0-9a-f]{40,64}\n", head):
            return head, None, None
        if not head.startswith("ref: refs/heads/") or head.endswith(".invalid\n"):
            return None
        branch, packed = own / head.removeprefix("ref: ").strip(), own / "packed-refs"
        return head, _text(branch), _identity(packed)
    except (OSError, ValueError):
        return None


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _identity(path: Path) -> tuple[int, int] | None:
    """Git never writes into `packed-refs`: it puts another file in its place."""
    found = path.stat() if path.exists() else None
    return (found.st_ino, found.st_mtime_ns) if found else None


@lru_cache(maxsize=64)
def _head_once(top: Path, _state: References) -> str | None:
    return _head(top)


def _head(top: Path) -> str | None:
    commit = git(top, "rev-parse", "--verify", "HEAD")
    return commit.strip() if commit else None


class WorkTree(NamedTuple):
    """What lies in a work tree on top of its commit."""

    commit: str | None
    """None before the first one."""
    branch: str | None
    """None where no branch is checked out."""
    changed: bool
    """Whether a tracked file is another one than in the commit."""
    untracked: list[str]


def work_tree(top: Path) -> WorkTree | None:
    """The state of a work tree by one call of git; None where git fails or there is none."""
    status = git(top, "status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=all", "-z")
    return _read_status(status) if status is not None else None


def _read_status(status: str) -> WorkTree:
    """What `git status` says in its second porcelain format, ended by NUL (git-status(1))."""
    headers: dict[str, str] = {}
    untracked: list[str] = []
    changed = False
    entries = iter(status.split("\0"))
    for entry in entries:
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            headers[name] = value
        elif kind == "?":
            untracked.append(rest)
        elif kind in ("1", "2", "u"):
            changed = True
            if kind == "2":
                next(entries, None)
    commit, branch = headers.get("branch.oid"), headers.get("branch.head")
    return WorkTree(
        commit=commit if commit != "(initial)" else None,
        branch=branch if branch != "(detached)" else None,
        changed=changed,
        untracked=untracked,
    )


def git(folder: Path, *arguments: str) -> str | None:
    """What git says in a folder; None where it fails or there is none. It takes no lock that the user's git needs."""
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        # In a group of its own: an interrupt of the kernel, which goes to its whole group, is not meant for git.
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False, process_group=0
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
