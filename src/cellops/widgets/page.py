"""The line between kernel and page: a copy of each record goes to every JupyterLab page that shows the notebook.

The pages tell in turn how the notebook stands on them, before they have a cell executed.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from cellops.records.base import Record
from cellops.records.cell import CellRecord
from cellops.records.notebook import NotebookShown
from cellops.records.run import RunSummary

TARGET = "cellops"


class Page:
    """Holds the open comms. A page that reloads opens a new one and is told what happened so far."""

    def __init__(self) -> None:
        self._comms: list[Any] = []
        self._cells: list[CellRecord] = []
        self._runs: dict[str, RunSummary] = {}
        self._shown: Callable[[NotebookShown], None] = lambda _: None

    def open(self, shown: Callable[[NotebookShown], None], *, call: bool = True) -> None:
        """Offer the target to pages that come later.

        Parameters
        ----------
        shown
            Hears what pages tell.
        call
            Whether to call the page that is there: an execution has none, which would only cost its kernel.
        """
        import comm

        self._shown = shown
        comm.get_comm_manager().register_target(TARGET, self._accept)
        if call:
            self._accept(comm.create_comm(target_name=TARGET))

    def close(self) -> None:
        """Hang up, while the kernel goes on."""
        import comm

        comm.get_comm_manager().unregister_target(TARGET, self._accept)
        for held in self._comms:
            held.close()
        self._comms.clear()

    def cell(self, record: CellRecord) -> None:
        self._cells.append(record)
        self._send("cell", "record", record)

    def run(self, summary: RunSummary) -> None:
        self._runs[summary.run] = summary
        self._send("run", "summary", summary)

    def _accept(self, opened: Any, _message: object = None) -> None:
        self._comms.append(opened)
        opened.on_close(lambda _: self._forget(opened))
        opened.on_msg(self._hear)
        for summary in self._runs.values():
            opened.send({"event": "run", "summary": _plain(summary)})
        opened.send({"event": "trail", "records": [_plain(record) for record in self._cells]})

    def _hear(self, message: Any) -> None:
        """Take what a page tells. It may have an older or newer cellops: what does not fit is not for this kernel."""
        try:
            data = message["content"]["data"]
            if data["event"] == "notebook":
                self._shown(msgspec.convert(data, NotebookShown))
        except (LookupError, TypeError, msgspec.ValidationError):
            return

    def _forget(self, closed: Any) -> None:
        self._comms = [held for held in self._comms if held is not closed]

    def _send(self, event: str, name: str, record: Record) -> None:
        if self._comms:
            message = {"event": event, name: _plain(record)}
            for held in self._comms:
                held.send(message)


def _plain(record: Record) -> Any:
    """What JSON can hold: the kernel's own encoder would write NaN, which is none."""
    return msgspec.json.decode(record.to_json())
