"""Files that are written as a whole, or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cellops.errors import UsageError


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Have a file written beside its place, and put it there when it is whole.

    Raises
    ------
    UsageError
        When it cannot be written.
    """
    torn = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(torn)
        torn.replace(path)
    except OSError as error:
        fact = f"{path} cannot be written: {error.strerror or error}"
        raise UsageError(fact, remedy="Give a file in a folder that you may write to") from error
    finally:
        torn.unlink(missing_ok=True)
