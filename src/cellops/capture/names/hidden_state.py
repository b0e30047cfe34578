"""State that the notebook no longer shows: names bound by cells that have been edited, deleted or run out of order."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cellops.capture.dataflow.meaning import mean_the_same
from cellops.capture.names.namespace import OF_IPYTHON
from cellops.capture.names.notebook import Notebook, Standing
from cellops.capture.names.slice import Slices
from cellops.capture.redaction import redact_source
from cellops.records.cell import CellRecord
from cellops.records.finding import Finding, Severity
from cellops.records.slice import Slice

MOST_NAMED = 5
OF_NOTEBOOKS = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""The ids that the notebook format allows; VS Code has others while a notebook is open."""


class Use(NamedTuple):
    """A name with the cell that bound it and a cell that read it, by their places on the trail."""

    name: str
    definer: int
    reader: int | None = None


class History:
    """The trail of a session with the slices of its runs, beside the notebook as it was saved last."""

    def __init__(self, notebook: str | None) -> None:
        self.notebook = Notebook(notebook)
        self._slices = Slices()
        self._trail: dict[int, CellRecord] = {}
        self._latest: dict[str, CellRecord] = {}
        """The last execution of each cell of the notebook."""

    def add(self, record: CellRecord, *, seeded: bool = False, above: Slice | None = None) -> None:
        """A cell has ended; the parameters are those of `Slices.add`."""
        self._trail[record.order] = record
        if record.cell_id is not None:
            self._latest[record.cell_id] = record
        self._slices.add(record, seeded=seeded, above=above)

    def slice(self, order: int) -> Slice:
        """The slice of the run that a cell was."""
        return self._slices.of(order)

    def of_names(self, names: Iterable[str]) -> Slice:
        """The cells on which depends what some names stand for now."""
        return self._slices.of_names(names)

    def of_run(self, order: int, where: str) -> list[Finding]:
        """The hidden state that a run depends on."""
        cells = self.slice(order).cells
        uses = [Use(name, definer, k) for k in cells for name, definer in self._slices.definers(k).items()]
        return self._findings([k for k in cells if k != order], uses, where)

    def now(self) -> list[Finding]:
        """The hidden state of all names that stand now."""
        standing = self._slices.definitions()
        latest = {record.order for record in self._latest.values()}
        read = [Use(name, d, k) for k in latest for name, d in self._slices.definers(k).items()]
        uses = [*(Use(name, definer) for name, definer in standing.items()), *read]
        return self._findings(sorted(set(standing.values())), uses, "session")

    def _findings(self, cells: Sequence[int], uses: Iterable[Use], where: str) -> list[Finding]:
        standing = self.notebook.read()
        shown = [use for use in uses if not use.name.startswith("(") and not OF_IPYTHON.match(use.name)]
        found = []
        for order in cells:
            record = self._trail.get(order)
            if record is None or record.cell_id is None:
                continue
            names = sorted({use.name for use in shown if use.definer == order})
            if _is_deleted(record, standing):
                found.append(_deleted(names, record.where, where))
            elif self._is_edited(record, standing):
                found.append(_edited(names, record.where, where))
        return [*found, *self._out_of_order(shown, standing, where)]

    def _is_edited(self, record: CellRecord, standing: Standing | None) -> bool:
        """Whether a cell has been executed with other code since, or was saved with other code."""
        latest = self._latest[record.cell_id or ""]
        if not mean_the_same(latest.source, record.source):
            return True
        if standing is None or standing.when < record.started:
            return False
        source = standing.sources.get(record.cell_id or "")
        return source is not None and not mean_the_same(redact_source(source), redact_source(record.source))

    def _out_of_order(self, uses: Iterable[Use], standing: Standing | None, where: str) -> list[Finding]:
        if standing is None:
            return []
        places = {cell: place for place, cell in enumerate(standing.sources)}
        found: dict[tuple[int, int], list[str]] = {}
        for use in uses:
            above, below = self._place(use.reader, places), self._place(use.definer, places)
            if use.reader is not None and above is not None and below is not None and below > above:
                names = found.setdefault((use.definer, use.reader), [])
                names.extend([use.name] if use.name not in names else [])
        return [
            _misplaced(names, self._trail[definer].where, self._trail[reader].where, where)
            for (definer, reader), names in found.items()
        ]

    def _place(self, order: int | None, places: Mapping[str, int]) -> int | None:
        record = None if order is None else self._trail.get(order)
        return None if record is None or record.cell_id is None else places.get(record.cell_id)


def _is_deleted(record: CellRecord, standing: Standing | None) -> bool:
    """A notebook saved before the cell ran may not hold it yet; not every front end calls cells as that does."""
    if standing is None or standing.when < record.started or not OF_NOTEBOOKS.fullmatch(record.cell_id or ""):
        return False
    return record.cell_id not in standing.sources


def _deleted(names: Sequence[str], definer: str, where: str) -> Finding:
    return Finding(
        code="cell-deleted",
        severity=Severity.WARNING,
        where=where,
        seen=f"{_bound(names, definer)}, which no longer stands in the notebook",
        remedy=f"Put the cell back (the trail has its source), or bind {_named(names)} in another one and run again",
    )


def _edited(names: Sequence[str], definer: str, where: str) -> Finding:
    return Finding(
        code="cell-edited",
        severity=Severity.WARNING,
        where=where,
        seen=f"{_bound(names, definer)}, which has been edited since",
        remedy=f"Run the edited cell, then what uses {_named(names)}: the notebook shows other code than was executed",
    )


def _misplaced(names: Sequence[str], definer: str, reader: str, where: str) -> Finding:
    return Finding(
        code="out-of-order",
        severity=Severity.WARNING,
        where=where,
        seen=f"{_bound(names, definer)}, which stands below {reader} that reads it",
        remedy="Move the cell that binds above the one that reads, so that the notebook runs from top to bottom",
    )


def _bound(names: Sequence[str], definer: str) -> str:
    if not names:
        return f"the run depends on what {definer} changed"
    return f"{_named(names)} {'was' if len(names) == 1 else 'were'} bound by {definer}"


def _named(names: Sequence[str]) -> str:
    if not names:
        return "what it changes"
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
