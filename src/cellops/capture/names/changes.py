"""What one cell does to what the names of a notebook stand for: what it shares, uses and changes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cellops.records.effects import ANYTHING, FILES, INTERPRETER, Effects, FunctionEffects

if TYPE_CHECKING:
    from cellops.capture.names.regions import Flow


class Change:
    """One cell: which regions its names belong to behind it, and what the functions do that it may have called."""

    def __init__(self, flow: "Flow", effects: Effects) -> None:
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
        if any(function.sets for function in self._called(self._all_of(effects.lent))):
            changed.add(INTERPRETER)
        return used, changed

    def _is_passive(self, name: str, effects: Effects) -> bool:
        if name in self.bound and name not in effects.passive:
            return False
        return name in self.bound or self._flow.is_passive(name)
