"""Journals as a kernel writes them, without the kernel."""

import os
from pathlib import Path

from cellops.capture.journal import Journal
from cellops.records.base import Record
from cellops.records.cell import CellRecord, Outcome
from cellops.records.run import RunClosed, RunOpened, RunStatus, SessionOpened


def session(project: Path, name: str, *events: Record, store: str | None = None, execution: str | None = None) -> Path:
    """The journal of a kernel that has gone."""
    opened = SessionOpened(
        session=name, pid=os.getpid(), started=1.0, version="0", project=str(project), store=store, execution=execution
    )
    journal = Journal(project / ".cellops" / "journal", name, opened)
    for event in events:
        journal.append(event)
    journal.close()
    return journal.path


def key(name: str) -> str:
    return name.encode().hex().ljust(32, "0")


def cell(order: int = 1, run: str | None = None) -> CellRecord:
    return CellRecord(
        session="s", order=order, source="", started=1.0, duration=1.0, overhead=0.0, outcome=Outcome.OK, run=run
    )


def run(name: str, *, experiment: str | None = None, started: float = 1.0, **closed: object) -> tuple[Record, ...]:
    """A run from its opening to its end."""
    opened = RunOpened(run=key(name), session="s", name=name, started=started, order=1, experiment=experiment)
    ended = RunClosed(run=key(name), status=RunStatus.FINISHED, ended=started + 1.0, **closed)  # type: ignore[arg-type]
    return opened, cell(run=key(name)), ended
