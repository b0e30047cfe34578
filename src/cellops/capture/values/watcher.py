"""The watcher of values: what the names that a cell bound or changed stand for when it has ended."""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from cellops.capture.blobs import Blobs
from cellops.capture.names.namespace import OF_IPYTHON
from cellops.capture.quiet import quiet
from cellops.capture.values.allowance import Allowance
from cellops.capture.values.code import named_of_modules
from cellops.capture.values.description import look_at
from cellops.capture.values.numbers import Room
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.effects import Effects
from cellops.records.value import Covered, ValueSeen

LEAST_SECONDS = 0.005
LEAST_OF_A_RUN = 0.01
SHARE = 0.03
"""Of a cell's own time that reading its values may take, where that is more."""
MOST_VALUES = 100
WHOLE = 60.0
"""Seconds' worth of values that are read where nobody waits: in a run that is executed again to be compared."""


class Values:
    """Needs what the watcher of names has found, so it stands behind that one.

    Parameters
    ----------
    kept
        Where numbers are kept.
    unread
        Where a run is executed again: the names of each cell, by its id, that were not read then. All others are read
        to their end, whatever it takes, and sampled too.
    """

    name = "values"

    def __init__(self, kept: Blobs, *, unread: Mapping[str, Collection[str]] | None = None) -> None:
        self._kept = Room(kept)
        self._unread = unread
        self._namespace: Mapping[str, Any] = {}

    def start(self, shell: Any) -> None:
        self._namespace = shell.user_ns

    def stop(self) -> None:
        self._namespace = {}

    def before(self, _cell: OpenCell) -> None:
        """Nothing stands before a cell that its end would not show."""

    def after(self, cell: OpenCell, _state: None, _ending: Ending) -> Seen:
        touched = {name: self._namespace[name] for name in _touched(cell) if name in self._namespace}
        touched |= named_of_modules((*cell.flow.reads, *cell.flow.lines), cell.body, self._namespace)
        allowance = Allowance(self._seconds(cell))
        again = self._unread is not None
        unread = (self._unread or {}).get(cell.id or "", ())
        with quiet():
            values = [
                look_at(name, value, Allowance(0.0) if name in unread else allowance, self._kept, with_sample=again)
                for name, value in islice(touched.items(), MOST_VALUES)
            ]
        return Seen({"values": (*values, *_others(len(touched) - MOST_VALUES))})

    def _seconds(self, cell: OpenCell) -> float:
        if self._unread is not None:
            return WHOLE
        least = LEAST_SECONDS if cell.run is None else LEAST_OF_A_RUN
        return max(least, SHARE * (time.perf_counter() - cell.clock))


def _others(count: int) -> Iterator[ValueSeen]:
    """The names beyond those that are read."""
    if count > 0:
        reason = f"of one cell {MOST_VALUES} names are read, and it bound {count} more"
        yield ValueSeen(name="(others)", type="", covered=Covered.NOTHING, reason=reason)


def _touched(cell: OpenCell) -> Iterable[str]:
    """The names that the cell bound, or whose objects it may have changed."""
    changed: tuple[str, ...] = cell.fields.get("changed", ())
    effects: Effects = cell.fields.get("effects") or Effects()
    names = dict.fromkeys((*cell.flow.lines, *changed, *effects.changes, *effects.mutates))
    return (name for name in names if not name.startswith("(") and not OF_IPYTHON.match(name))
