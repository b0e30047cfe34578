"""What the names of a notebook stand for, cell by cell, and which cells their values depend on.

For each name it is kept which cells its value depends on (a set of cells is an integer with a bit for each), and which
regions its object may reach: a region stands for all objects that one cell bound to one name. Changing an object
reaches every name that shares a region with it, by whatever way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cellops.capture.names.changes import Change
from cellops.records.effects import ANYTHING, FILES, GARBAGE, INTERPRETER, RESULTS, Effects, FunctionEffects


@dataclass
class _Name:
    own: int = 0
    """The regions that its object may belong to."""
    cells: int = 0
    """The cells that its being bound depends on."""
    passive: bool = False
    definer: int | None = None


@dataclass
class _Region:
    inside: int = 0
    """The regions that its objects may hold."""
    cells: int = 0
    """The cells that may have changed its objects."""
    functions: list[FunctionEffects] = field(default_factory=list)


class Flow:
    """What the names stand for after the cells that have been read."""

    def __init__(self) -> None:
        self._names: dict[str, _Name] = {}
        self._regions: list[_Region] = []
        self._everywhere = 0
        """Cells that changed the interpreter, which stand in every slice from then on."""
        self._all = 0
        self.strange: tuple[str, ...] = ()
        """Names of earlier cells that stand for another object behind the last one, by nothing that it shows."""

    def definitions(self) -> dict[str, int]:
        return {name: known.definer for name, known in self._names.items() if known.definer is not None}

    def add(self, order: int, effects: Effects, above: int = 0) -> tuple[int, dict[str, int]]:
        """Read a cell; `above` are cells of other kernels that have made what it takes over."""
        bit = above | (1 << order if order else 0)
        step = Change(self, effects)
        anything = bool(effects.unknown) or ANYTHING in step.changed
        unseen = () if anything else effects.rebound
        self.strange = tuple(n for n in unseen if n not in step.changed and self._name(n).definer is not None)
        cells = bit | self._needed(step) | (self._all if anything or self.strange else 0)
        definers = {name: d for name in sorted(step.used) if (d := self._name(name).definer) is not None}
        self._apply(step, effects, cells, order, anything=anything)
        self._all |= bit
        return cells, definers

    def needed(self, effects: Effects) -> int:
        """The cells that something with these effects would depend on now."""
        return self._needed(Change(self, effects))

    def changed_by(self, effects: Effects) -> set[str]:
        """The names that functions may change which something with these effects may call."""
        return Change(self, effects).changed

    def _needed(self, step: Change) -> int:
        cells = self._everywhere | (self._all if ANYTHING in step.used else 0)
        for name in step.used:
            cells |= self.cells_of(name)
        return cells

    def _apply(self, step: Change, effects: Effects, cells: int, order: int, *, anything: bool) -> None:
        touched = mutated = 0
        for name in effects.changes:
            touched |= step.now(name)
            if name != RESULTS and self.reach(step.now(name)) & self.own(FILES):
                self._mark(self.own(FILES), cells)  # a handle may have been given up
        for name in (*effects.mutates, *step.changed):
            mutated |= self.reach(step.now(name))
        for name in (*effects.derived, *step.derived):
            mutated |= step.made_of(step.now(name))
        self._mark(touched | mutated, cells)
        for name in step.given_up.intersection(effects.lingering):
            self._name(GARBAGE).own |= self.own(name)
        self._bind(step, effects, cells, order)
        for name in step.changed:
            self._name(name).cells |= cells
        if anything:
            self._mark(self.all_regions(), cells)
        shared = INTERPRETER in self._names and (touched | mutated) & self._names[INTERPRETER].own
        if anything or INTERPRETER in effects.changes or INTERPRETER in step.changed or shared:
            self._everywhere |= cells

    def _bind(self, step: Change, effects: Effects, cells: int, order: int) -> None:
        constant, passive = set(effects.constant), set(effects.passive)
        for name in step.targets:
            was = self._name(name)
            own = 0 if name in constant else step.own[name]
            if name in step.bound:
                self._names[name] = _Name(own, cells, name in passive, order or was.definer)
            else:
                was.own, was.cells, was.passive = was.own | own, was.cells | cells, was.passive and name in passive
        for name in (*effects.changes, *effects.mutates):
            self._name(name).passive = name in passive

    def _mark(self, regions: int, cells: int) -> None:
        for region in members(regions):
            self._regions[region].cells |= cells

    def cells_of(self, name: str) -> int:
        """The cells that the present value of a name depends on."""
        known = self._name(name)
        cells = known.cells
        for region in members(self.reach(known.own)):
            cells |= self._regions[region].cells
        return cells

    def _name(self, name: str) -> _Name:
        """A name; one that no cell has bound stands for a region of its own."""
        if name not in self._names:
            self._names[name] = _Name(own=self.region())
        return self._names[name]

    def region(self) -> int:
        self._regions.append(_Region())
        return 1 << len(self._regions) - 1

    def all_regions(self) -> int:
        return (1 << len(self._regions)) - 1

    def own(self, name: str) -> int:
        return self._name(name).own

    def is_passive(self, name: str) -> bool:
        return self._name(name).passive

    def reach(self, regions: int) -> int:
        """The regions that can be reached from some, themselves among them."""
        reached, waiting = 0, regions
        while waiting:
            reached |= waiting
            found = 0
            for region in members(waiting):
                found |= self._regions[region].inside
            waiting = found & ~reached
        return reached

    def hold(self, regions: int, held: int) -> bool:
        """Let the objects of some regions hold others, which files cannot; whether that was new."""
        new = False
        regions &= ~self._name(FILES).own
        for region in members(regions):
            known = self._regions[region]
            if held & ~known.inside:
                known.inside |= held
                new = True
        return new

    def functions(self, regions: int) -> Iterator[FunctionEffects]:
        for region in members(self.reach(regions)):
            yield from self._regions[region].functions

    def without_plain_functions(self, regions: int) -> int:
        """Some regions without those of functions that keep nothing of what they are given."""
        for region in members(regions):
            functions = self._regions[region].functions
            if functions and not any(function.keeps for function in functions):
                regions &= ~(1 << region)
        return regions

    def add_function(self, regions: int, effects: FunctionEffects) -> None:
        for region in members(regions):
            if effects not in self._regions[region].functions:
                self._regions[region].functions.append(effects)


def members(cells: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while cells:
        lowest = cells & -cells
        yield lowest.bit_length() - 1
        cells ^= lowest
