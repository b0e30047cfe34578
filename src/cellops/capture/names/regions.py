"""What the names of a notebook stand for, cell by cell, and which cells their values depend on.

For each name it is kept which cells its value depends on (a set of cells is an integer with a bit for each), and which
regions its object may reach: a region stands for all objects that one cell bound to one name. Changing an object
reaches every name that shares a region with it, by whatever way.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

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
        step = _Step(self, effects)
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
        return self._needed(_Step(self, effects))

    def _needed(self, step: "_Step") -> int:
        cells = self._everywhere | (self._all if ANYTHING in step.used else 0)
        for name in step.used:
            cells |= self.cells_of(name)
        return cells

    def _apply(self, step: "_Step", effects: Effects, cells: int, order: int, *, anything: bool) -> None:
        for name in effects.changes:
            self._mark(step.now(name), cells)
            if name != RESULTS and self.reach(step.now(name)) & self.own(FILES):
                self._mark(self.own(FILES), cells)  # a handle may have been given up
        mutated = 0
        for name in (*effects.mutates, *step.changed):
            mutated |= self.reach(step.now(name))
        for name in (*effects.derived, *step.derived):
            mutated |= step.made_of(step.now(name))
        self._mark(mutated, cells)
        for name in step.given_up.intersection(effects.lingering):
            self._name(GARBAGE).own |= self.own(name)
        self._bind(step, effects, cells, order)
        for name in step.changed:
            self._name(name).cells |= cells
        if anything:
            self._mark(self.all_regions(), cells)
        shared = INTERPRETER in self._names and mutated & self._names[INTERPRETER].own
        if anything or INTERPRETER in effects.changes or INTERPRETER in step.changed or shared:
            self._everywhere |= cells

    def _bind(self, step: "_Step", effects: Effects, cells: int, order: int) -> None:
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


class _Step:
    """One cell: which regions its names belong to behind it, and what the functions do that it may have called."""

    def __init__(self, flow: Flow, effects: Effects) -> None:
        self._flow = flow
        self.bound = set(effects.binds)
        self.targets = dict.fromkeys((*effects.binds, *effects.aliases))
        self._needs = set(effects.needs)
        self._unknown = bool(effects.unknown)
        self._anything: int | None = None
        """What a value of unknown origin may be, at the beginning of a pass over the aliases."""
        self.own = {name: self._begin(name, effects) for name in self.targets}
        for name, found in effects.functions.items():
            flow.add_function(self.own.get(name) or flow.own(name), found)
        self.given_up = {name for name in effects.gives_up if self._ends(flow.own(name))}
        """Names whose former objects do something now that they are given up."""
        self._needs |= self.given_up
        self._share(effects)
        if any(not own for own in self.own.values()):
            self.own = {name: own or flow.region() for name, own in self.own.items()}
            self._share(effects)
        for name, found in effects.functions.items():
            flow.add_function(self.own.get(name) or flow.own(name), found)
        self.derived = set[str]()
        """Names of which functions that the cell may have called change what others have given them."""
        self.used, self.changed = self._use(effects)

    def _begin(self, name: str, effects: Effects) -> int:
        """A region of its own, but for a name that may stand for other objects: they have theirs."""
        was = 0 if name in self.bound else self._flow.own(name)
        return was if effects.aliases.get(name) else was | self._flow.region()

    def now(self, name: str) -> int:
        """The regions that a name stands for before the cell, where that matters, and behind it."""
        own = self.own.get(name, 0)
        return own | self._flow.own(name) if name in self._needs or name not in self.bound else own

    def _ends(self, regions: int) -> bool:
        """Whether something happens when objects of some regions are given up: what files have not had is written."""
        writes = self._flow.reach(regions) & self._flow.own(FILES)
        return bool(writes) or any(function.ends for function in self._called(regions))

    def _share(self, effects: Effects) -> None:
        """Follow aliases and containers until nothing new is shared."""
        new = True
        while new:
            new, self._anything = False, None
            for name, sources in effects.aliases.items():
                found = self.own[name]
                for source in sources:
                    found |= self._sources(source, name)
                new |= found != self.own[name]
                self.own[name] = found
            for name, items in effects.holds.items():
                new |= self._flow.hold(self.now(name), self._all_of(items))
            for name, items in effects.reaches.items():
                into = self._keepers(name) | (self.made_of(self.now(name)) if name in effects.derived else 0)
                new |= self._flow.hold(into, self._all_of(items))

    def _all_of(self, names: Iterable[str]) -> int:
        found = 0
        for name in names:
            found |= self.now(name)
        return found

    def _sources(self, source: str, target: str) -> int:
        """What a value made of a name may be: its object, what this holds, or what a function of it may return."""
        if source != ANYTHING:
            return self.made_of(self.now(source))
        if self._unknown:
            return self._flow.all_regions()
        if self._anything is None:
            self._anything = self.made_of(self._all_of((*self._needs, *self.targets)))
        return self._anything | self.made_of(self._flow.own(target))

    def made_of(self, regions: int) -> int:
        """What the objects of some regions lead to: what they hold, and what functions there may give."""
        found = self._flow.reach(regions)
        return found | self._flow.reach(self._all_of(n for f in self._called(found) for n in f.uses))

    def _keepers(self, name: str) -> int:
        """Where a call may put what it is given: into anything within reach, and what the functions there change."""
        reached = self._flow.reach(self.now(name))
        found = self._flow.without_plain_functions(reached)
        for function in self._called(reached):
            found |= self._flow.reach(self._all_of((*function.changes, *function.consumes)))
        return found

    def _called(self, regions: int) -> list[FunctionEffects]:
        """The functions within reach of some regions, with those that they call."""
        found: list[FunctionEffects] = []
        done, waiting = set[str](), [regions]
        while waiting:
            for function in self._flow.functions(waiting.pop()):
                if function not in found:
                    found.append(function)
                    waiting += [self.now(name) for name in function.uses if name not in done]
                    done.update(function.uses)
        return found

    def _use(self, effects: Effects) -> tuple[set[str], set[str]]:
        """The names that the cell used, also by the functions it may have called, and those that these may change."""
        used, changed = set(effects.needs) | self.given_up, set(self.given_up)
        waiting, done = [*effects.active, *self.given_up], set[str]()
        while waiting:
            name = waiting.pop()
            if name in done:
                continue
            done.add(name)
            for found in self._flow.functions(self.now(name)):
                used.update(found.uses)
                changed.update((*found.changes, *([name] if found.looked else [])))
                changed.update(name for name in found.consumes if not self._is_passive(name, effects))
                self.derived.update(name for name in found.derived if not self._is_passive(name, effects))
                waiting += [name for name in found.uses if not self._is_passive(name, effects)]
        return used, changed

    def _is_passive(self, name: str, effects: Effects) -> bool:
        if name in self.bound and name not in effects.passive:
            return False
        return name in self.bound or self._flow.is_passive(name)


def members(cells: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while cells:
        lowest = cells & -cells
        yield lowest.bit_length() - 1
        cells ^= lowest
