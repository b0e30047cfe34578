"""Copies of files that are about to be touched, from which they are put back as the same files."""

import contextlib
import os
import shutil
from pathlib import Path

SAME = ".same"
"""What a second link to the file itself ends with, beside its copy: whoever has the file open goes on with it."""


def copy_aside(path: str | Path, copied: str | Path) -> None:
    """Copy a file with its mode and times, and hold it where the file system lets it have a second name.

    Raises
    ------
    OSError
        When it cannot be copied.
    """
    shutil.copy2(path, copied)
    with contextlib.suppress(OSError):  # another disk, or one without links
        os.link(path, f"{copied}{SAME}")
