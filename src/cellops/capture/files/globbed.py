"""What `glob` looks for without listing folders: Python tells of the pattern, and not of each place that it asks."""

import os
from pathlib import PosixPath, WindowsPath
from typing import Any

MAGIC = frozenset("*?[")
OF_FUNCTIONS = "glob.glob/2"
OF_PATHS = "pathlib.Path.glob"
HEARD = frozenset({OF_FUNCTIONS, OF_PATHS})
EVERYTHING_BELOW = "**"
"""Of folders below that are listed one by one, Python tells."""


def asked(event: str, given: tuple[Any, ...]) -> tuple[str, str] | None:
    """The folder and the pattern of an event, as far as no listing of a folder tells of it.

    Returns
    -------
    tuple of str, or None
        Where it looks, relative to the current folder or absolute, and what for: the parts up to a `**`. None where
        Python tells of all folders that are listed, and for patterns that are no texts.
    """
    if event == OF_FUNCTIONS:
        pattern, is_recursive, root, opened = given
        if opened is not None:
            return None
    else:
        (root, pattern), is_recursive = given, True
    texts = [_text(text) for text in (root, pattern)]
    if root is not None and texts[0] is None:
        return None
    parts = _parts(texts[1] or "", is_recursive=bool(is_recursive))
    fixed = next((place for place, part in enumerate(parts) if not MAGIC.isdisjoint(part)), len(parts))
    if fixed == len(parts) and parts:
        fixed -= 1
    folder = os.path.join(texts[0] or "", _root(texts[1] or ""), *parts[:fixed])  # noqa: PTH118 - as texts
    return (folder or os.curdir, "/".join(parts[fixed:])) if parts else None


def lists_all(pattern: str) -> bool:
    """Whether each folder in which a pattern looks is listed: it has no part without magic."""
    return not any(MAGIC.isdisjoint(part) for part in pattern.split("/"))


def _parts(pattern: str, *, is_recursive: bool) -> list[str]:
    parts = [part for part in pattern.replace(os.sep, "/").split("/") if part]
    return parts[: parts.index(EVERYTHING_BELOW)] if is_recursive and EVERYTHING_BELOW in parts else parts


def _root(pattern: str) -> str:
    drive, path = os.path.splitdrive(pattern)
    return drive + os.sep if path.startswith(("/", os.sep)) else drive


def _text(given: object) -> str | None:
    """A text or a path as a text; objects of other types are not asked."""
    return os.fsdecode(given) if type(given) in {str, bytes, PosixPath, WindowsPath} else None  # type: ignore[arg-type]
