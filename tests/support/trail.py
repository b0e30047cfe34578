"""A trail made with `exec`, thousands a minute: the watcher of names and the slices without a kernel around them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cellops.capture.blobs import Blobs
from cellops.capture.dataflow.analysis import analyse
from cellops.capture.names.slice import Slices
from cellops.capture.names.watcher import Names
from cellops.capture.randomness.watcher import Generators
from cellops.capture.watcher import Ending, OpenCell, Watcher
from cellops.records.cell import CellRecord, ErrorSeen, Outcome
from cellops.records.slice import Slice


class Trail:
    """Executes cells in a namespace of their own and knows their slices.

    Parameters
    ----------
    states
        A folder for the states of random generators, where these are to be watched too.
    """

    def __init__(self, states: Path | None = None, **given: Any) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__", **given}
        self.records: list[CellRecord] = []
        self.slices = Slices()
        self._watchers: list[Watcher[Any]] = [Names()]
        if states is not None:
            self._watchers.append(Generators(Blobs(states)))
        for watcher in self._watchers:
            watcher.start(SimpleNamespace(user_ns=self.namespace, user_ns_hidden={"__builtins__": None}))

    def run(self, source: str) -> CellRecord:
        order = len(self.records) + 1
        cell = OpenCell(None, order, source, None, thread=1, body=source, flow=analyse(source))
        before = [watcher.before(cell) for watcher in self._watchers]
        ending = execute(source, self.namespace)
        seen = [watcher.after(cell, state, ending) for watcher, state in zip(self._watchers, before, strict=True)]
        record = CellRecord(
            session="s",
            order=order,
            execution_count=order,
            source=source,
            started=0.0,
            duration=0.0,
            overhead=0.0,
            outcome=Outcome.OK,
            reads=cell.flow.reads,
            writes=cell.flow.writes,
            findings=tuple(finding for one in seen for finding in one.findings),
        ).replace(**{name: value for one in seen for name, value in one.fields.items()})
        self.records.append(record)
        self.slices.add(record)
        return record

    def slice(self) -> Slice:
        """The slice of the last cell."""
        return self.slices.of(len(self.records))

    def replay(self) -> dict[str, Any]:
        """The namespace after the slice of the last cell alone."""
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for order in self.slice().cells:
            execute(self.records[order - 1].source, namespace)
        return namespace


def execute(source: str, namespace: dict[str, Any]) -> Ending:
    """Execute a cell as a kernel does: one that fails leaves what it did before."""
    try:
        exec(compile(source, "<cell>", "exec"), namespace)
    except Exception as error:
        trace = error.__traceback__
        line = None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "<cell>":
                line = trace.tb_lineno
                break
            trace = trace.tb_next
        return Ending(Outcome.ERROR, ErrorSeen(type=type(error).__name__, message="", line=line))
    return Ending(Outcome.OK)


def results(cells: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """What cells bind to `r`, and what their slice alone does in a folder that holds none of their files."""
    trail = Trail()
    for name in ("first", "again"):
        (folder / name).mkdir()
    monkeypatch.chdir(folder / "first")
    for cell in (*cells, "result = r"):
        trail.run(cell)
    monkeypatch.chdir(folder / "again")
    return trail.namespace["result"], trail.replay().get("result")
