"""What a kernel does for the step that it executes: takes values over before its cells, and hands values on behind."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from cellops.capture.journal import Journal, read
from cellops.errors import CellopsError
from cellops.pipeline.cache.dependencies import dependencies
from cellops.pipeline.cache.witness import witness
from cellops.records.cached import KeptRun
from cellops.records.cell import CellRecord
from cellops.records.handover import HandedOver, Handover
from cellops.records.module import ModuleSource
from cellops.records.run import RunClosed, RunOpened
from cellops.records.step_trail import StepTrail
from cellops.settings import Settings


class Session(Protocol):
    """What has captured the cells of the kernel."""

    trail: list[CellRecord]
    journal: Journal
    settings: Settings

    def modules(self) -> tuple[ModuleSource, ...]: ...

    def trail_of(self, names: Iterable[str]) -> StepTrail: ...


class Notebook(Protocol):
    """The notebook face of the kernel's shell."""

    handover: Handover

    @property
    def session(self) -> Session | None: ...

    def begin(self, handover: Handover) -> bool: ...


BEGIN = """
__import__("cellops.pipeline.stepwise.kernel_side", fromlist=["x"]).begin(
    __import__("cellops").notebook_of(get_ipython()), {order!r}
)
"""
"""What the kernel of a step executes first, silently: it captures from then on."""
TAKE_OVER = """\
# What earlier steps have handed on
[{names}] = __import__("cellops.pipeline.stepwise.kernel_side", fromlist=["x"]).taken(get_ipython().cellops, {texts})"""
"""The source of the cell by which it binds the values of other steps."""
HAND_OVER = """
__import__("cellops.pipeline.stepwise.kernel_side", fromlist=["x"]).hand_over(
    get_ipython().cellops, get_ipython().user_ns
)
"""
"""What it executes, silently, behind its cells."""


def take_over(names: Sequence[str]) -> str:
    """The source of the cell that binds some names; empty without any."""
    return TAKE_OVER.format(names=", ".join(names), texts=", ".join(map(repr, names))) if names else ""


def begin(notebook: Notebook, order: str) -> None:
    """Begin to capture the cells of a notebook; `order` is the path of a file with a `Handover`."""
    notebook.begin(Handover.from_file(Path(order)))
    witness()


def taken(notebook: Notebook, *names: str) -> list[Any]:
    """The values of other steps that stand under some names.

    Raises
    ------
    StepError
        When a value is gone or cannot be read.
    """
    from cellops.pipeline.values.store import ValueStore

    given = notebook.handover
    found = ValueStore(Path(given.store)).load(given.values, names)
    return [found[name] for name in names]


def hand_over(notebook: Notebook, namespace: Mapping[str, Any]) -> None:
    """Keep the values that other steps take from the user's names, and say what the cells were found to depend on.

    The answer, a `HandedOver`, goes to the file that the `Handover` names.
    """
    from cellops.pipeline.values.store import ValueStore, sharing_memory

    given, session = notebook.handover, notebook.session
    held = {name: namespace[name] for name in given.outputs if name in namespace}
    try:
        answer = HandedOver() if session is None else _of_session(session, held)
        kept = ValueStore(Path(given.store)).keep(held)
        answer = answer.replace(values=kept, views=tuple(sharing_memory(held, kept)))
    except CellopsError as error:
        answer = HandedOver(problem=error.fact, remedy=error.remedy)
    Path(given.answer).write_bytes(answer.to_json())


def _of_session(session: Session, names: Iterable[str]) -> HandedOver:
    held = session.settings
    found = dependencies(session.trail, session.modules(), witness(), project=held.project, own=held.folder)
    return HandedOver(dependencies=found, runs=tuple(_runs(session.journal.path)), trail=session.trail_of(names))


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
