"""What the notebook holds, as it was saved last."""

import os
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread

import msgspec

LARGEST = 200_000_000
"""Bytes of a notebook beyond which it is not read."""


class _Cell(msgspec.Struct):
    cell_type: str = ""
    id: str | None = None
    source: str | list[str] = ""


class _Notebook(msgspec.Struct):
    cells: list[_Cell] = []


@dataclass(frozen=True)
class Saved:
    """The code cells of a saved notebook."""

    when: float
    """When it was saved, in seconds since the epoch."""
    sources: dict[str, str]
    """Source by cell id, in the order of the notebook."""


class SavedNotebook:
    """Reads the notebook file again when it has changed. One that cannot be read is as good as none."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path is not None and path.endswith(".ipynb") else None
        self._lock = Lock()
        self._seen: tuple[int, int] | None = None
        self._saved: Saved | None = None

    def prepare(self) -> None:
        """Read it beside the kernel's work, so that it is at hand when it is asked for."""
        if self._path is not None:
            Thread(target=self.read, name="cellops-notebook", daemon=True).start()

    def read(self) -> Saved | None:
        """The notebook as it stands on disk."""
        if self._path is None:
            return None
        with self._lock:
            try:
                status = self._path.stat()
                if (status.st_mtime_ns, status.st_size) != self._seen:
                    self._seen = (status.st_mtime_ns, status.st_size)
                    self._saved = _read(self._path, status)
            except (OSError, ValueError):
                self._saved = None
            return self._saved


def _read(path: Path, status: os.stat_result) -> Saved | None:
    """Only what is asked for is taken out of the file; outputs are passed over.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is no notebook.
    """
    if status.st_size > LARGEST:
        return None
    found = msgspec.json.decode(path.read_bytes(), type=_Notebook)
    cells = [cell for cell in found.cells if cell.cell_type == "code" and cell.id is not None]
    return Saved(status.st_mtime, {str(cell.id): _text(cell.source) for cell in cells})


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
