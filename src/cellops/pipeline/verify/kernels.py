"""The slice of a run of a step: a kernel for each kernel that it was executed in, and values handed on between them."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import StepError
from cellops.pipeline.stepwise.kernel_side import BEGIN, HAND_OVER
from cellops.pipeline.verify.slice_notebook import SETUP, cell_id
from cellops.records.cell import CellRecord
from cellops.records.handover import HandedOver, Handover
from cellops.records.recorded import kernels
from cellops.records.step_trail import StepTrail
from cellops.records.stored import StoredValue

if TYPE_CHECKING:
    from nbformat import NotebookNode

Execute = Callable[[Sequence[CellRecord], "NotebookNode", Mapping[int, str]], None]
"""Executes the notebook of one kernel's cells, with what it does silently between them."""


def in_their_kernels(cells: Sequence[CellRecord], whole: "NotebookNode", folder: Path, execute: Execute) -> None:
    """Execute the cells of a slice, those of each kernel in one of their own, and hand values on as it was done.

    Parameters
    ----------
    cells
        The slice; `CellRecord.taken` says who has handed on what.
    whole
        Its notebook. Each kernel is given one of its own cells, which are the same objects, behind one that does
        nothing: a step captures before its first cell.
    folder
        Where values stand meanwhile.

    Raises
    ------
    StepError
        When values cannot be handed on.
    """
    groups = kernels(cells)
    if len(groups) == 1:
        execute(cells, whole, {})
        return
    kept: dict[str, dict[str, StoredValue]] = {}
    trail = StepTrail()
    for own in groups:
        session = own[0].session
        taken = {name: kept[origin][name] for name, origin in _taken(own).items() if name in kept.get(origin, {})}
        wanted = tuple(name for other in groups for name, origin in _taken(other).items() if origin == session)
        given = Handover(
            store=str(folder / "handed-on"),
            values=tuple(dict.fromkeys(taken.values())),
            names=tuple(taken),
            outputs=tuple(dict.fromkeys(wanted)),
            answer=str(folder / f"answer-{session}.json"),
            trail=trail,
        )
        order = folder / f"order-{session}.json"
        order.write_bytes(given.to_json())
        part = _part(whole, own)
        execute(own, part, {0: BEGIN.format(order=str(order)), len(part.cells): HAND_OVER})
        answer = HandedOver.from_file(Path(given.answer))
        if answer.problem:
            raise StepError(answer.problem, remedy=answer.remedy)
        trail = StepTrail(parameters=trail.parameters | answer.trail.parameters)
        kept[session] = {name: value for value in answer.values for name in value.names}


def _taken(cells: Sequence[CellRecord]) -> dict[str, str]:
    """The names that the cells of a kernel take over, with the sessions of the kernels that hand them on."""
    return {name: session for record in cells for name, session in record.taken.items()}


def _part(whole: "NotebookNode", own: Sequence[CellRecord]) -> "NotebookNode":
    from nbformat import from_dict

    wanted = set(map(cell_id, own))
    part: NotebookNode = from_dict({**whole, "cells": []})  # type: ignore[no-untyped-call]
    setup = deepcopy(next(cell for cell in whole.cells if cell.id == SETUP))
    setup.source = "pass"
    part.cells = [setup, *(cell for cell in whole.cells if cell.id in wanted)]
    return part
