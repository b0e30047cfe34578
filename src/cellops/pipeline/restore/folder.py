"""A folder that is there whole or not at all."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from cellops.errors import NotebookError, UsageError


def require_free(output: Path) -> None:
    """Refuse a folder that holds something, and a file.

    Raises
    ------
    UsageError
        When it does.
    """
    if output.is_symlink() or (output.exists() and not (output.is_dir() and not any(output.iterdir()))):
        fact = f"{output} is already there, and nothing is overwritten"
        raise UsageError(fact, remedy="Choose another folder with -o, or remove it")


def write(output: Path, files: Mapping[str, str]) -> None:
    """Write files, named relative to the folder, in one stroke.

    Raises
    ------
    NotebookError
        When the disk refuses it; nothing is left of it then.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".cellops-", dir=output.parent) as temporary:
            folder = Path(temporary) / "restored"
            _fill(folder, files)
            if output.exists():
                output.rmdir()
            folder.rename(output)
    except OSError as error:
        fact = f"{output} cannot be written: {error.strerror or error}"
        raise NotebookError(fact, remedy="Choose a folder on a disk with room where you may write") from error


def _fill(folder: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")
