"""What the notebook holds: as the page showed it last, or as it was saved last, whichever is newer."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread

import msgspec

from cellops.records.notebook import NotebookShown

LARGEST = 200_000_000
"""Bytes of a notebook beyond which it is not read."""


class _Cell(msgspec.Struct):
    cell_type: str = ""
    id: str | None = None
    source: str | list[str] = ""


class _File(msgspec.Struct):
    cells: list[_Cell] = []


@dataclass(frozen=True)
class Standing:
    """The code cells of a notebook as they stood at a time."""

    when: float
    """When it was saved or shown, in seconds since the epoch."""
    sources: dict[str, str]
    """Source by cell id, in the order of the notebook."""


class Notebook:
    """Takes what pages show, and reads the file again when it has changed; one that cannot be read is as good as none.

    A page tells of its notebook whenever it has another one than it told before, just before it executes a cell. A file
    that is newer was saved from that page, or was changed by someone else: it says how the notebook stands either way.
    """

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path is not None and path.endswith(".ipynb") else None
        self._lock = Lock()
        self._seen: tuple[int, int] | None = None
        self._saved: Standing | None = None
        self._shown: Standing | None = None

    def show(self, shown: NotebookShown) -> None:
        """A page has told how the notebook stands on it."""
        self._shown = Standing(time.time(), {cell.id: cell.source for cell in shown.cells})

    def prepare(self) -> None:
        """Read the file beside the kernel's work, so that it is at hand when it is asked for."""
        if self._path is not None:
            Thread(target=self.read, name="cellops-notebook", daemon=True).start()

    def read(self) -> Standing | None:
        """The notebook as it stands now, as far as anyone tells."""
        saved, shown = self._read_file(), self._shown
        return saved if shown is None or (saved is not None and saved.when > shown.when) else shown

    def _read_file(self) -> Standing | None:
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


def _read(path: Path, status: os.stat_result) -> Standing | None:
    """Only what is asked for is taken out of the file; outputs are passed over.

    A file of an older format has no cell ids, so it does not say which cells it holds.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is no notebook.
    """
    if status.st_size > LARGEST:
        return None
    found = msgspec.json.decode(path.read_bytes(), type=_File)
    cells = [cell for cell in found.cells if cell.cell_type == "code"]
    if any(cell.id is None for cell in cells):
        return None
    return Standing(status.st_mtime, {str(cell.id): _text(cell.source) for cell in cells})


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
