"""The comment at the head of an exported file: who has written it, from what, and what it does not carry over."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from cellops.errors import UsageError, visible
from cellops.pipeline.export.workflow import Workflow

MARK = "# Written by cellops export from "
DIGEST = "# SHA-256 of what follows: "


def head(workflow: Workflow, commands: Iterable[str], line: str, notes: Iterable[str]) -> str:
    """The comment, as all targets write comments.

    Parameters
    ----------
    commands
        What the file executes.
    line
        The command line that writes the file again.
    """
    more = [f"# - {_in_one_line(note)}" for note in notes]
    lines = [f"#   {_in_one_line(command)}" for command in commands]
    return "\n".join(
        (
            mark(workflow.notebook),
            f"# with cellops {workflow.cellops}. Do not edit it: write it again with",
            f"#   {_in_one_line(line)}",
            "# It executes, at the top of the repository:",
            *lines,
            *(("# What it does not carry over, and what it needs:", *more) if more else ()),
            "",
        )
    )


def sealed(comment: str, text: str) -> str:
    """A file with its comment in front, which shows whether somebody has edited what stands below."""
    return f"{comment}{_digest(text)}\n{text}"


def require_ours(path: Path, notebook: str) -> None:
    """Refuse to replace a file that was not exported from this notebook, or that somebody has edited since.

    Raises
    ------
    UsageError
        Naming it.
    """
    if path.is_dir():
        fact = f"{path} is a folder"
        raise UsageError(fact, remedy="Give the path of a file: -o FILE")
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    if lines[0] != mark(notebook):
        why = "was exported from another notebook" if lines[0].startswith(MARK) else "was not written by cellops"
    elif any(
        line.startswith(DIGEST) and line == _digest("\n".join(lines[place:])) for place, line in enumerate(lines, 1)
    ):
        return
    else:
        why = "has been edited since it was exported"
    fact = f"{path} is there already, and {why}"
    raise UsageError(fact, remedy="Give another path with -o FILE, or replace it with --force")


def mark(notebook: str) -> str:
    """The first line of what was exported from a notebook."""
    return f"{MARK}{json.dumps(_in_one_line(notebook), ensure_ascii=False)}"


def _digest(text: str) -> str:
    return f"{DIGEST}{hashlib.sha256(text.encode(errors='surrogateescape')).hexdigest()}"


def _in_one_line(text: str) -> str:
    """Text of others as a comment may hold it, which ends with its line."""
    return visible(text.encode(errors="backslashreplace").decode())
