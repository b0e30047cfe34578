"""The comment at the head of an exported file: who has written it, from what, and what it does not carry over."""

import json
from collections.abc import Iterable
from pathlib import Path

from cellops.errors import UsageError, printable
from cellops.pipeline.export.workflow import Workflow

MARK = "# Written by cellops export from "


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


def require_ours(path: Path, notebook: str) -> None:
    """Refuse to replace a file that was not exported from this notebook.

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
    first = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    if first != mark(notebook):
        of_another = "was exported from another notebook" if first.startswith(MARK) else "was not written by cellops"
        fact = f"{path} is there already, and {of_another}"
        raise UsageError(fact, remedy="Give another path with -o FILE, or replace it with --force")


def mark(notebook: str) -> str:
    """The first line of what was exported from a notebook."""
    return f"{MARK}{json.dumps(_in_one_line(notebook), ensure_ascii=False)}"


def _in_one_line(text: str) -> str:
    """Text of others as a comment may hold it, which ends with its line."""
    plain = text.encode(errors="backslashreplace").decode()
    return printable(plain).replace("\n", "\\n")
