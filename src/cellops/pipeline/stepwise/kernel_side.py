"""What a kernel does for the step that it executes: takes values over before its cells, and hands values on behind."""

import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Protocol

from cellops.capture.environment.distributions import imported, installed, version_of
from cellops.capture.journal import Journal, read
from cellops.errors import CellopsError
from cellops.records.cached import Dependencies, KeptRun
from cellops.records.cell import CellRecord
from cellops.records.file import FileUse
from cellops.records.handover import HandedOver, Handover
from cellops.records.module import ModuleSource
from cellops.records.run import RunClosed, RunOpened


class Session(Protocol):
    """What has captured the cells of the kernel."""

    trail: list[CellRecord]
    journal: Journal

    def modules(self) -> tuple[ModuleSource, ...]: ...


BEGIN = """
__import__("cellops").notebook_of(get_ipython()).begin()
"""
"""What the kernel of a step executes first: it captures from then on."""
TAKE_OVER = """
__import__("cellops.pipeline.stepwise.kernel_side", fromlist=["x"]).take_over(get_ipython().user_ns, {order!r})
"""
"""What it executes, silently, before the step's own cells."""
HAND_OVER = """
__import__("cellops.pipeline.stepwise.kernel_side", fromlist=["x"]).hand_over(
    get_ipython().user_ns, {order!r}, __import__("cellops").notebook_of(get_ipython()).session
)
"""
"""What it executes, silently, behind them."""
UNSEEN = frozenset({"files-not-listed", "shell-command", "package-installed"})
"""Findings of cells of which nobody knows what they read: their step is executed each time."""


def take_over(namespace: MutableMapping[str, Any], order: str) -> None:
    """Bind the values of other steps.

    Parameters
    ----------
    namespace
        The user's names.
    order
        Path of a file with a `Handover`.

    Raises
    ------
    StepError
        When a value is gone or cannot be read.
    """
    from cellops.pipeline.values.store import ValueStore

    given = Handover.from_file(Path(order))
    namespace.update(ValueStore(Path(given.store)).load(given.values, given.names))


def hand_over(namespace: Mapping[str, Any], order: str, session: Session | None) -> None:
    """Keep the values that other steps take, and say what the cells were found to depend on.

    The answer, a `HandedOver`, goes to the file that the `Handover` names; `session` is what has captured the cells.
    """
    from cellops.pipeline.values.store import ValueStore, sharing_memory

    given = Handover.from_file(Path(order))
    held = {name: namespace[name] for name in given.outputs if name in namespace}
    try:
        kept = ValueStore(Path(given.store)).keep(held)
        found = None if session is None or _reads_unseen(session) else _dependencies(session)
        runs = () if session is None else tuple(_runs(session.journal.path))
        answer = HandedOver(values=kept, dependencies=found, runs=runs, views=tuple(sharing_memory(held)))
    except CellopsError as error:
        answer = HandedOver(problem=error.fact, remedy=error.remedy)
    Path(given.answer).write_bytes(answer.to_json())


def _reads_unseen(session: Session) -> bool:
    return any(finding.code in UNSEEN for record in session.trail for finding in record.findings)


def _dependencies(session: Session) -> Dependencies:
    found = installed()
    return Dependencies(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        files=of_all(session.trail),
        modules=session.modules(),
        distributions={name: version_of(found[name]) for name in imported(found, frozenset(sys.modules))},
        import_folders=tuple(sys.path),
    )


def _runs(journal: Path) -> Iterator[KeptRun]:
    """The runs that have ended, without what only their own record needs."""
    events = [event for event, _ in read(journal)]
    closed = {event.run: event for event in events if isinstance(event, RunClosed)}
    for event in events:
        if isinstance(event, RunOpened) and event.run in closed:
            of = closed[event.run]
            yield KeptRun(
                opened=event,
                closed=RunClosed(
                    run=of.run,
                    status=of.status,
                    ended=of.ended,
                    parameters=of.parameters,
                    metrics=of.metrics,
                    not_finite=of.not_finite,
                    measured=of.measured,
                    groups=of.groups,
                    findings=of.findings,
                ),
            )


def of_all(trail: Iterable[CellRecord]) -> tuple[FileUse, ...]:
    """The files of some cells, each once: what was written stays written, and what was read first is an input."""
    found: dict[str, FileUse] = {}
    for use in (use for record in trail for use in record.files):
        before = found.get(use.path)
        mode = use.mode if before is None else _joined(before.mode, use.mode)
        kept = use if before is None or use.mode != "read" or before.mode == "read" else before
        found[use.path] = kept.replace(mode=mode)
    return tuple(found.values())


def _joined(first: str, then: str) -> str:
    """How a file was used by two cells: one that was written before it was read is no input."""
    if first == then:
        return first
    return "write" if first == "write" and then == "read" else "update"
