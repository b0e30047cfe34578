"""The cells of a run as a person has written them, by however many kernels they were executed."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from cellops.pipeline.in_kernel import DEFINITIONS
from cellops.pipeline.parameters.declaration import INJECTED_TAG
from cellops.records.cell import CellRecord, place
from cellops.records.handover import TAKEN_OVER
from cellops.records.recorded import kernel_names, kernels

OF_NOBODY = {INJECTED_TAG, TAKEN_OVER}
"""Cells that give parameters from outside, and that take values over from other kernels."""


def places(cells: Iterable[CellRecord]) -> dict[str, str]:
    """What a person calls each execution, `In [3]`; with its step where each has a kernel of its own."""
    held = list(cells)
    steps = kernel_names(held) if held else {}
    return {
        execution(record): ", ".join(filter(None, (steps[record.session], place(record.execution_count))))
        for record in held
    }


def execution(record: CellRecord) -> str:
    """What tells one execution of a cell from all others, on whatever trail it stands."""
    return f"{record.session} {record.started!r} {record.source}"


def written(before: Iterable[CellRecord], after: Iterable[CellRecord]) -> tuple[list[CellRecord], list[CellRecord]]:
    """The cells of two runs without those that nobody wrote, those that several steps share once.

    Where one run had one kernel and the other a kernel a step, definitions that steps share stand in cells of the one,
    and gathered in a cell of their own in the other: they are left out where both have them. The kernels of the second
    run stand in the order of the first, for which of them was executed first says nothing.
    """
    one, other = once(before), once(after)
    one, other = [*_without(one, other)], [*_without(other, one)]
    one = _ordered(one, other)
    return one, _ordered(other, one)


def once(cells: Iterable[CellRecord]) -> list[CellRecord]:
    """The cells of a run that somebody wrote, each once however many kernels have executed it."""
    found: dict[tuple[str | None, str], CellRecord] = {}
    kept = []
    for record in cells:
        first = found.setdefault((record.cell_id, record.source), record)
        again_elsewhere = first.session != record.session and record.cell_id is not None
        if record.cell_id not in OF_NOBODY and not again_elsewhere:
            kept.append(record)
    return kept


def _without(cells: Sequence[CellRecord], others: Sequence[CellRecord]) -> Iterator[CellRecord]:
    """The cells, except those of definitions that the other run has in other cells."""
    gathered = {text for record in others if record.cell_id == DEFINITIONS for text in _statements(record)}
    anywhere = {text for record in others for text in _statements(record)} if _has_definitions(cells) else set()
    for record in cells:
        elsewhere = anywhere if record.cell_id == DEFINITIONS else gathered
        texts = _statements(record) if elsewhere else []
        if not texts or not elsewhere.issuperset(texts):
            yield record


def _ordered(cells: Iterable[CellRecord], like: Iterable[CellRecord]) -> list[CellRecord]:
    """The cells, kernel by kernel in the order in which others stand."""
    known = {record.cell_id or record.source: place for place, record in enumerate(like)}

    def first(own: Iterable[CellRecord]) -> int:
        return min(known.get(record.cell_id or record.source, len(known)) for record in own)

    return [*chain.from_iterable(sorted(kernels(cells), key=first))]


def _has_definitions(cells: Iterable[CellRecord]) -> bool:
    return any(record.cell_id == DEFINITIONS for record in cells)


def _statements(record: CellRecord) -> list[str]:
    """The statements of a cell, without comments and layout; none where it is not plain Python."""
    source = "\n".join(line for line in record.source.splitlines() if not line.startswith("%%mlops"))
    try:
        return [ast.unparse(node) for node in ast.parse(source).body]
    except (SyntaxError, ValueError):
        return []
