"""The cells of two runs, cell by cell: nbdime finds which belongs to which."""

import difflib
import hashlib
import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from cellops.pipeline.compare.written import execution, places, written
from cellops.records.cell import CellRecord
from cellops.records.run_comparison import Change, SourceChange

CONTEXT = 2
"""Lines around a change."""
ALIKE = 0.6
"""The share of words from which on two sources are one that was edited."""
WORD = re.compile(r"\w+|[^\w\s]")


class Keyed(NamedTuple):
    """A cell with what it is known by in both runs."""

    key: str
    place: str
    record: CellRecord
    words: Counter[str]
    is_common: bool
    """Whether it was executed before both runs, on one trail."""


def cell_changes(
    before: Sequence[CellRecord], after: Sequence[CellRecord], trails: Sequence[Sequence[CellRecord]] = ()
) -> list[SourceChange]:
    """The cells that are not the same, in the order of the second run.

    What both runs have of one session is the same; else a cell is known by its id in the notebook where both runs have
    it, or by its source; nbdime finds among the others which are alike. Cells that nobody wrote are left out: the
    parameters from outside that some of them set are compared as such.

    Parameters
    ----------
    before, after
        The cells that each run depended on.
    trails
        All that were executed up to each run: of one trail, two cells are never one that was edited.
    """
    common = set.intersection(*({execution(record) for record in trail} for trail in trails)) if trails else set()
    named = places(before) | places(after)
    one, other = _keyed(*apart(*written(before, after)), common, named)
    pairs = list(_pairs(one, other))
    both = {record.source for record in before} & {record.source for record in after}
    moved = {cell.key: cell for cell, new in pairs if new is None and cell is not None}
    arrived = {new.key for cell, new in pairs if cell is None and new is not None}
    found = []
    for cell, new in pairs:
        if cell is None and new is not None:
            found.append(_change(moved.get(new.key), new, both))
        elif cell is not None and new is None and cell.key not in arrived:
            found.append(_change(cell, None, both))
        elif cell is not None and new is not None and cell.record.source != new.record.source:
            found.append(_change(cell, new, both))
    return found


def apart(before: Sequence[CellRecord], after: Sequence[CellRecord]) -> tuple[list[CellRecord], list[CellRecord]]:
    """The cells that each of two runs has for itself: one execution on one trail can be in both."""
    shared = {execution(record) for record in before} & {execution(record) for record in after}
    return [r for r in before if execution(r) not in shared], [r for r in after if execution(r) not in shared]


def source_lines(before: str, after: str) -> tuple[str, ...]:
    """The unified diff of two sources (GNU diffutils, "Unified Format"), without the lines that name files.

    Examples
    --------
    >>> source_lines("depth = 4", "depth = 5")
    ('@@ -1 +1 @@', '-depth = 4', '+depth = 5')
    """
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=CONTEXT)
    return tuple(found)[2:]


def _keyed(
    before: Sequence[CellRecord], after: Sequence[CellRecord], common: Container[str], named: Mapping[str, str]
) -> tuple[list[Keyed], list[Keyed]]:
    shared = {record.cell_id for record in before} & {record.cell_id for record in after} - {None}
    return [*_known(before, shared, common, named)][::-1], [*_known(after, shared, common, named)][::-1]


def _known(
    records: Sequence[CellRecord], shared: set[str | None], common: Container[str], named: Mapping[str, str]
) -> Iterator[Keyed]:
    """The cells with their keys; one that was executed several times has as many, counted from the last."""
    times: Counter[str] = Counter()
    for record in reversed(records):
        by_source = hashlib.sha256(record.source.encode(errors="replace")).hexdigest()
        key = record.cell_id if record.cell_id is not None and record.cell_id in shared else by_source
        times[key] += 1
        words, known = Counter(WORD.findall(record.source)), execution(record)
        yield Keyed(f"{key} {times[key]}", named[known], record, words, known in common)


def _pairs(before: Sequence[Keyed], after: Sequence[Keyed]) -> Iterator[tuple[Keyed | None, Keyed | None]]:
    """The cells that belong together, as nbdime aligns them; None beside one that has no other.

    nbdime's own measure of likeness takes minutes for two notebooks of 200 cells that have nothing in common.
    """
    from nbdime.diffing.snakes import compute_snakes_multilevel

    place, other = 0, 0
    for start, new_start, count in [
        *compute_snakes_multilevel(before, after, [_alike, _same]),
        (len(before), len(after), 0),
    ]:
        yield from ((cell, None) for cell in before[place:start])
        yield from ((None, cell) for cell in after[other:new_start])
        place, other = start + count, new_start + count
        yield from zip(before[start:place], after[new_start:other], strict=True)


def _same(before: Keyed, after: Keyed) -> bool:
    return before.key == after.key


def _alike(before: Keyed, after: Keyed) -> bool:
    """Whether two sources share most of their words: the coefficient of Dice (Ecology 26, 1945) on multisets."""
    if before.is_common and after.is_common:
        return _same(before, after)
    total = before.words.total() + after.words.total()
    return 2 * (before.words & after.words).total() >= ALIKE * total > 0


def _change(before: Keyed | None, after: Keyed | None, both: Container[str]) -> SourceChange:
    """What became of a cell; `both` are the sources that both runs have."""
    then = before.record.source if before is not None else ""
    now = after.record.source if after is not None else ""
    base = SourceChange(
        change=Change.MOVED, before=before.place if before else None, after=after.place if after else None
    )
    if before is not None and after is not None:
        return base if then == now else base.replace(change=Change.EDITED, lines=source_lines(then, now))
    base = base.replace(change=Change.ADDED if before is None else Change.REMOVED)
    if then + now in both:
        return base.replace(note="the same source was executed more often than in the other run")
    return base.replace(lines=_whole(then, now))


def _whole(before: str, after: str) -> tuple[str, ...]:
    return (*(f"-{line}" for line in before.splitlines()), *(f"+{line}" for line in after.splitlines()))
