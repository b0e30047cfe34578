"""The line from the kernel to the page: a copy of each record goes to every JupyterLab page that shows the notebook."""

from typing import Any

from cellops.records.cell import CellRecord
from cellops.records.run import RunSummary

TARGET = "cellops"


class Page:
    """Holds the open comms. A page that reloads opens a new one and is told the trail so far."""

    def __init__(self) -> None:
        self._trail: list[CellRecord] = []
        self._comms: list[Any] = []

    def open(self, trail: list[CellRecord]) -> None:
        """Offer the target to pages that come later, and call the one that is there.

        `trail` is the session's own list: a page that comes later is sent what it holds then.
        """
        import comm

        self._trail = trail
        comm.get_comm_manager().register_target(TARGET, self._accept)
        self._accept(comm.create_comm(target_name=TARGET))

    def close(self) -> None:
        import comm

        if not self._comms:
            return
        comm.get_comm_manager().unregister_target(TARGET, self._accept)
        for held in self._comms:
            held.close()
        self._comms.clear()

    def cell(self, record: CellRecord) -> None:
        self._send({"event": "cell", "record": record.to_dict()})

    def run(self, summary: RunSummary) -> None:
        self._send({"event": "run", "summary": summary.to_dict()})

    def _accept(self, opened: Any, _message: object = None) -> None:
        self._comms.append(opened)
        opened.on_close(lambda _: self._forget(opened))
        opened.send({"event": "trail", "records": [record.to_dict() for record in self._trail]})

    def _forget(self, closed: Any) -> None:
        self._comms = [held for held in self._comms if held is not closed]

    def _send(self, message: dict[str, Any]) -> None:
        for held in self._comms:
            held.send(message)
