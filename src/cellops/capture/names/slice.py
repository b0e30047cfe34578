"""The slice of a run: the shortest ordered list of cells that it depends on, never too short."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cellops.capture.names.regions import Flow, members
from cellops.records.cell import CellRecord, Outcome
from cellops.records.effects import FILES, HOOKS, TASKS, Effects
from cellops.records.slice import Slice
from cellops.records.value import Covered, ValueSeen

ALL_GENERATORS = ("python", "numpy", "torch")
MOST_NAMED = 5
TABLES = frozenset({"pandas.DataFrame", "pandas.Series", "pandas.core.frame.DataFrame", "pandas.core.series.Series"})
GOING_ON = Effects(needs=(TASKS,), active=(TASKS,), mutates=(TASKS,))
"""What tasks may do between two cells."""
HOOKED = Effects(needs=(HOOKS,), active=(HOOKS,), mutates=(HOOKS,))
"""What functions may do that run around a cell."""


@dataclass(frozen=True)
class _Cell:
    cells: int
    definers: Mapping[str, int]
    doubt: str | None = None
    """Why it may be in a slice that does not need it."""
    notes: tuple[str, ...] = ()
    """Why a slice that holds it cannot be relied on."""


class Slices:
    """The slices of a trail, cell by cell; what a cell adds costs the same on a long trail."""

    def __init__(self) -> None:
        self._whole = Flow()
        self._sure = Flow()
        """The same with nothing taken for the worst, to tell which cells are there for safety only."""
        self._cells: dict[int, _Cell] = {}
        self._needed: dict[int, int] = {}
        self._contents: dict[str, tuple[str | None, int]] = {}
        """Digests of the tables that were read whole, each with the cells that its name depended on by then."""

    def add(self, record: CellRecord, *, seeded: bool = False, above: Slice | None = None) -> None:
        """Read the next cell of the trail.

        Parameters
        ----------
        seeded
            Whether all global generators were seeded just before it.
        above
            The cells of other kernels that have made what it takes over.
        """
        effects = _with_files(record, record.effects or Effects(unknown=("it was not captured",)))
        if not seeded or effects.unknown:
            drawn, own = _generators(record), set(_generators(record, made_here=True))
            needs = [name for name in drawn if name not in own or name not in effects.binds]
            effects = effects.replace(needs=(*effects.needs, *needs), changes=(*effects.changes, *drawn))
        renewed = ALL_GENERATORS if seeded else [use.name for use in record.generators if use.renewed]
        if renewed:
            effects = effects.replace(binds=(*effects.binds, *(f"(generator {name})" for name in renewed)))
        effects = self._without_what_stayed(record, effects)
        order = 0 if effects.nested else record.order
        if effects.tasks:
            self._whole.add(0, GOING_ON)
            self._sure.add(0, GOING_ON.replace(mutates=()))
        if effects.hooked:
            effects = self._without_what_hooks_bind(effects)
            self._add_hooks(order)
        taken = above.cells if above is not None else ()
        self._cells |= {cell: _Cell(1 << cell, {}) for cell in taken}
        bits = sum(1 << cell for cell in taken)
        cells, definers = self._whole.add(order, effects, bits)
        sure, _ = self._sure.add(order, effects.replace(mutates=(), derived=(), unknown=()), bits)
        if effects.hooked:
            self._add_hooks(order)
        self._needed[record.order] = sure
        notes = (*(above.widened if above is not None else ()), *filter(None, [self._note(record, effects)]))
        self._cells[record.order] = _Cell(cells, definers, _doubt(record, effects), notes)
        for value in record.values:
            self._contents[value.name] = (value.digest if _is_whole_table(value) else None, self._cells_of(value))

    def _add_hooks(self, order: int) -> None:
        self._whole.add(order, HOOKED)
        self._sure.add(order, HOOKED.replace(mutates=()))

    def _without_what_hooks_bind(self, effects: Effects) -> Effects:
        """They go on from what they have bound before."""
        own = self._whole.changed_by(HOOKED).intersection(effects.rebound)
        binds, rebound = (tuple(n for n in names if n not in own) for names in (effects.binds, effects.rebound))
        return effects.replace(binds=binds, rebound=rebound)

    def _note(self, record: CellRecord, effects: Effects) -> str | None:
        if record.outcome is Outcome.INTERRUPTED:
            return f"{record.where} was interrupted: it does not end in the same place again"
        if effects.unknown:
            return f"{record.where} may have used and changed anything: {_list(effects.unknown)}"
        if effects.earlier:
            return f"{record.where} used {_list(effects.earlier)}, bound before capturing began"
        if self._whole.strange:
            return f"{record.where} shows nothing that could have bound {_list(self._whole.strange)} anew"
        return None

    def _without_what_stayed(self, record: CellRecord, effects: Effects) -> Effects:
        """Without the tables that may have been changed and were not: nothing could since they were read, but this."""
        bound = {*effects.binds, *effects.aliases}
        doubted = [v for v in record.values if v.name in effects.mutates and v.name not in bound]
        stayed = [v.name for v in doubted if v.digest and self._contents.get(v.name) == (v.digest, self._cells_of(v))]
        mutates, derived = (tuple(n for n in names if n not in stayed) for names in (effects.mutates, effects.derived))
        return effects.replace(mutates=mutates, derived=derived)

    def _cells_of(self, value: ValueSeen) -> int:
        return self._whole.cells_of(value.name) if _is_whole_table(value) else 0

    def of(self, order: int) -> Slice:
        """The slice of the run that a cell was."""
        return self._slice(self._cells[order].cells, self._needed[order])

    def of_names(self, names: Iterable[str]) -> Slice:
        """The cells on which depends what some names stand for now, and whatever these may reach."""
        effects = Effects(needs=tuple(names), active=tuple(names))
        return self._slice(self._whole.needed(effects), self._sure.needed(effects))

    def _slice(self, found: int, sure: int) -> Slice:
        cells = tuple(members(found))
        doubted = [self._cells[k].doubt for k in members(found & ~sure)]
        notes = [text for k in cells for text in self._cells[k].notes]
        return Slice(cells=cells, widened=tuple(dict.fromkeys(text for text in (*doubted, *notes) if text)))

    def definers(self, order: int) -> Mapping[str, int]:
        """The names that a cell needed, each with the cell that had bound it last."""
        return self._cells[order].definers

    def definitions(self) -> dict[str, int]:
        """The names that stand now, each with the cell that bound it last."""
        return self._whole.definitions()


def _with_files(record: CellRecord, effects: Effects) -> Effects:
    """With the files that python opened while the cell ran: its source may not show it.

    Where that shows no writing, any object that the cell made may be what writes on.
    """
    modes = {use.mode for use in record.files if use.opened == "open"}
    if not modes:
        return effects
    effects = effects.replace(needs=(*effects.needs, FILES))
    if modes == {"read"} or FILES in effects.changes:
        return effects
    made = [name for name in effects.binds if name not in (*effects.constant, *effects.passive)]
    holds = {**effects.holds, **{name: (*effects.holds.get(name, ()), FILES) for name in made}}
    return effects.replace(changes=(*effects.changes, FILES), holds=holds)


def _is_whole_table(value: ValueSeen) -> bool:
    """Whether a digest speaks of all that a table is; an array has a flag beside its content, too."""
    return value.covered is Covered.FULL and value.type in TABLES


def _generators(record: CellRecord, *, made_here: bool = False) -> list[str]:
    """The random generators that the cell drew from, as names: the global ones, and those that a name leads to.

    Parameters
    ----------
    made_here
        Whether only those that it has made itself are asked for.
    """
    uses = (use for use in record.generators if use.consumed and not use.renewed)
    drawn = [use.name for use in uses if not made_here or use.state is None]
    return [
        f"(generator {name})" if name.partition(".")[0] in ALL_GENERATORS else name.partition(".")[0].partition("[")[0]
        for name in drawn
    ]


def _doubt(record: CellRecord, effects: Effects) -> str | None:
    named = [name for name in effects.mutates if not name.startswith("(")]
    if not named:
        return f"{record.where} ran beside a task that an earlier cell had left" if TASKS in effects.mutates else None
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f"{record.where} may have changed {_list(named[:MOST_NAMED])}{more}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
