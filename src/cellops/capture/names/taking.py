"""The cell by which a step takes values over: it binds them, and depends on the cells of other kernels."""

from collections.abc import Mapping
from typing import Any

from cellops.capture.names.types import name_of
from cellops.records.cell import CellRecord
from cellops.records.effects import ANYTHING, Effects
from cellops.records.handover import Handover
from cellops.records.run import RunClosed
from cellops.records.slice import Slice


def taking(record: CellRecord, handover: Handover, namespace: Mapping[str, Any]) -> CellRecord:
    """The record of such a cell: its source does not tell what the values are made of, and the handover does.

    Parameters
    ----------
    namespace
        The user's names: values may be of classes among them.
    """
    found = record.effects or Effects()
    classes = tuple(name for name, value in dict(namespace).items() if _is_of_notebook(value))
    aliases = {name: tuple(o for o in found.aliases.get(name, ()) if o != ANYTHING) for name in record.writes}
    for first, *others in handover.groups():
        aliases |= {name: (*aliases.get(name, ()), first) for name in others}
    effects = Effects(
        needs=classes,
        active=classes,
        binds=(*record.writes, *record.changed),  # classes of values stand in the notebook behind it
        aliases={name: others for name, others in aliases.items() if others},
        constant=found.constant,
        passive=found.passive,
    )
    sessions = {name: handover.sessions[name] for name in record.writes if name in handover.sessions}
    return record.replace(effects=effects, uncertain=(), findings=(), files=(), taken=sessions)


def above(handover: Handover) -> Slice:
    """What the values depend on, as places on the trail."""
    return Slice(cells=tuple(record.order for record in handover.trail.cells), widened=handover.trail.widened)


def with_above(closed: RunClosed, handover: Handover) -> RunClosed:
    """The record of a run with the files and modules of the cells of other kernels that it depends on."""
    wanted = set(closed.slice.cells) if closed.slice is not None else set()
    cells = [record for record in handover.trail.cells if record.order in wanted]
    if not cells:
        return closed
    files = (use for record in cells for use in record.files if use.mode != "write")
    return closed.replace(
        files=tuple(dict.fromkeys((*files, *closed.files))),
        modules=tuple(dict.fromkeys((*handover.trail.modules, *closed.modules))),
    )


def _is_of_notebook(value: object) -> bool:
    return issubclass(type(value), type) and name_of(value)[0] == "__main__"  # type: ignore[arg-type]  # it is a class
