"""A run while its cell is being executed: what was asked of it, and the code version that is read meanwhile."""

from pathlib import Path
from threading import Thread

from cellops.capture.bindings import Bindings
from cellops.capture.code import read_code_version
from cellops.records.base import Record
from cellops.records.run import CodeVersion, RunOpened
from cellops.settings import Settings


class RunOptions(Record, frozen=True, kw_only=True):
    """The options of `%%mlops run`."""

    name: str | None = None
    experiment: str | None = None
    seed: int | None = None
    training: tuple[str, ...] = ()
    """Inputs and target, where the cell's source does not show them: two expressions that name tables."""
    evaluation: tuple[str, ...] = ()
    model: bool = True


class OpenRun:
    """A run whose cell is being executed, the names as they stood before it, and its code version."""

    def __init__(self, opened: RunOpened, options: RunOptions, settings: Settings, before: Bindings) -> None:
        self.opened = opened
        self.options = options
        self.before = before
        self._settings = settings
        self._code: CodeVersion | None = None
        self._reader = Thread(target=self._read, name="cellops-code-version", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        self._code = read_code_version(self._settings.project, patch_limit=self._settings.patch_limit)

    def code(self) -> CodeVersion | None:
        self._reader.join()
        return self._code


def default_name(notebook: str | None, number: int) -> str:
    return f"{Path(notebook).stem if notebook else 'session'}-{number}"
