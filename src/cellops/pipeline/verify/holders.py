"""Who has files open while they are written to by cells that are executed again."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

PROCESSES = Path("/proc")
GONE = " (deleted)"


def holders() -> dict[str, list[int]]:
    """The processes that have files open or mapped, by path: this user's, where the system says so (on Linux).

    A path is also that of a file whose name is gone.
    """
    found: dict[str, dict[int, None]] = {}
    for process in PROCESSES.glob("[0-9]*"):
        for path in _held_by(process):
            found.setdefault(path.removesuffix(GONE), {})[int(process.name)] = None
    return {path: list(processes) for path, processes in found.items()}


def _held_by(process: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for opened in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(opened.readlink())
    with contextlib.suppress(OSError):
        for line in os.fsdecode((process / "maps").read_bytes()).splitlines():
            _, slash, name = line.partition("/")
            yield slash + name
