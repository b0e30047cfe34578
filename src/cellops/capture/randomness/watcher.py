"""The watcher of random generators: which a cell consumed, whether they had been seeded, and their states before."""

import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from types import GetSetDescriptorType
from typing import Any

from cellops.capture.blobs import Blobs, digest
from cellops.capture.findings import generators_not_read, unnamed_generators, unseeded_estimator, unseeded_randomness
from cellops.capture.names.types import Kinds, bases_of, held_by, identity_of, root_of
from cellops.capture.randomness import rng
from cellops.capture.randomness.seeding import made_for_one_use, made_with_seed, seeded_by, seeded_first
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.cell import GeneratorUse, Outcome
from cellops.records.finding import Finding

Namespace = Mapping[str, Any]
SHELLS_OWN = re.compile(r"^_(?:[i_]*\d*|[io]h|dh)$")
"""What IPython keeps of earlier results is no name of the user's."""
OF_PYTHON = re.compile(r"(?<![\w.])random\.\w|from random import")
MAKING = re.compile(r"default_rng|RandomState|Random\b")
FITTING = re.compile(r"\.fit\w*\(")
MOST_ITEMS = 100
MOST_FOUND = 50
"""Generators that a cell reads, by name or inside of what it reads, that its record tells of."""
MOST_OTHERS = 50
"""Generators that it does not name, and that functions of the notebook may draw from."""


class Held:
    """The state of a generator at one moment; the generator itself is not held, so that a cell can give it up."""

    def __init__(self, generator: Any, reading: rng.Reading) -> None:
        self._identity = identity_of(generator)
        self.reading = reading
        self.has_own_seed = rng.has_own_seed(generator)
        self._unused: GeneratorUse | None = None

    def is_of(self, generator: Any) -> bool:
        return self._identity == identity_of(generator)

    def unused(self, name: str, *, seeded: bool) -> GeneratorUse:
        """What the record of a cell says that drew nothing: the same for all such cells."""
        known = self._unused
        if known is None or (known.name, known.seeded) != (name, seeded):
            known = self._unused = GeneratorUse(name=name, consumed=False, seeded=seeded, state=self.digest)
        return known

    @cached_property
    def state(self) -> bytes:
        return rng.as_text(self.reading).encode()

    @cached_property
    def digest(self) -> str:
        return digest(self.state)


@dataclass(frozen=True)
class Before:
    held: dict[str, Held]
    modules: int
    """How many modules had been imported."""


class Generators:
    """The shared generators, and those of the namespace: under a name, or one step inside of what the cell reads.

    A name that came to stand for a generator between two cells is seen behind the next one.
    """

    name = "generators"

    def __init__(self, states: Blobs) -> None:
        self._states = states
        self._namespace: Namespace = {}
        self._names: dict[str, None] = {}
        self._last: dict[str, Held] = {}
        self._seeded: set[str] = set()
        self._unseeded: set[str] = set()
        self._told = False
        """Whether it was told that there are more generators than are read."""

    def start(self, shell: Any) -> None:
        rng.load_what_draws()
        self._namespace = shell.user_ns
        self._names = dict.fromkeys(names_of(self._namespace))

    def stop(self) -> None:
        self._namespace, self._last = {}, {}

    def seeded_all(self) -> None:
        """Remember that every shared generator has been seeded on the trail."""
        self._seeded.update(rng.GLOBAL)

    def before(self, cell: OpenCell) -> Before:
        return Before(self._read(self._find(cell)), len(sys.modules))

    def after(self, cell: OpenCell, state: Before, ending: Ending) -> Seen:
        self._follow(cell.changed)
        found = self._find(cell)
        now = self._read(found)
        moved = {name: held for name, held in now.items() if state.held.get(name) is not held}
        changed = {n for n, held in moved.items() if _has_changed(n, found[n], state.held.get(n), held)}
        seeded = self._remember_seeds(cell, frozenset(changed.intersection(rng.GLOBAL)))
        first = seeded_first(cell.flow, self._namespace) if seeded and ending.outcome is Outcome.OK else frozenset()
        again = self._seeded_again(cell, found) if cell.flow.calls else frozenset[str]()
        uses = []
        for name, held in now.items():
            if name not in moved and not (seeded or first or again):
                uses.append(held.unused(name, seeded=self._is_seeded(name, found[name], held)))
                continue
            before = state.held.get(name)
            known = before if before is not None and before.is_of(found[name]) else None
            renewed = name in first or name.partition(".")[0] in first
            reseeded = not renewed and (name in again or (name in seeded and (known is not None or name in changed)))
            consumed = reseeded or (name in changed and not (renewed and rng.is_untouched(found[name])))
            if before is None and name in rng.GLOBAL and consumed and name not in seeded:
                known = _first(found[name])
            seen = GeneratorUse(
                name=name,
                consumed=consumed,
                seeded=self._is_seeded(name, found[name], held),
                renewed=renewed,
                reseeded=reseeded,
                state=None if known is None else known.digest,
                kept=consumed and known is not None and self._keep(known.state),
            )
            uses.append(seen)
        own = _of_the_cell(cell, tuple(uses), imported=len(sys.modules) > state.modules)
        loose = () if cell.run is not None or not _drew_unseeded(own) else self._estimators(cell)
        unnamed = made_for_one_use(cell.flow, self._namespace) if MAKING.search(cell.body) else ()
        found_here = (*unseeded_randomness(own, cell.where), *unnamed_generators(unnamed, cell.where), *loose)
        return Seen({"generators": tuple(uses)}, (*found_here, *self._not_read(cell.where)))

    def _not_read(self, where: str) -> list[Finding]:
        """Says once that more names stand for generators than are read in each cell."""
        if self._told or len(self._names) <= MOST_OTHERS:
            return []
        self._told = True
        return [generators_not_read(len(self._names), MOST_OTHERS, where)]

    def _estimators(self, cell: OpenCell) -> Iterator[Finding]:
        """scikit-learn's estimators that the cell fitted without a `random_state`; a run looks at its models itself."""
        for name in dict.fromkeys((*cell.flow.writes, *cell.flow.reads)) if FITTING.search(cell.body) else ():
            value = self._namespace.get(name)
            if root_of(type(value)) == "sklearn" and _attributes(value).get("random_state", 0) is None:
                yield unseeded_estimator(name, ["random_state"], cell.where)

    def _follow(self, changed: Collection[str] | None) -> None:
        """Learn which names stand for generators now; all are looked at where it is not known which have changed."""
        if changed is None:
            self._names = dict.fromkeys(names_of(self._namespace))
            return
        kinds = rng.kinds()
        for name in changed:
            if type(self._namespace.get(name)) in kinds and not SHELLS_OWN.match(name):
                self._names[name] = None
            else:
                self._names.pop(name, None)

    def _find(self, cell: OpenCell) -> dict[str, Any]:
        """The generators within reach, each under one of its names: of very many those that the cell reads."""
        kinds = rng.kinds()
        shown = dict.fromkeys((*cell.flow.reads, *cell.flow.writes))
        read = [name for name in shown if name in self._names][:MOST_FOUND]
        others = [name for name in islice(self._names, MOST_OTHERS + len(read)) if name not in read]
        named = {name: self._namespace.get(name) for name in (*read, *others)}
        inside = islice(_inside(cell.flow.reads, self._namespace, kinds), MOST_FOUND)
        found: dict[int, tuple[str, Any]] = {}
        for name, value in chain(rng.shared().items(), named.items(), inside):
            if type(value) in kinds:
                found.setdefault(identity_of(value), (name, value))
        return dict(found.values())

    def _read(self, found: Mapping[str, Any]) -> dict[str, Held]:
        """The states: where nothing has changed, what was made of the last reading."""
        held: dict[str, Held] = {}
        for name, generator in found.items():
            reading = rng.read(generator)
            last = self._last.get(name)
            if last is not None and last.reading == reading and last.is_of(generator):
                held[name] = last
            elif reading is not None:
                held[name] = Held(generator, reading)
        self._last = held
        return held

    def _remember_seeds(self, cell: OpenCell, changed: frozenset[str]) -> frozenset[str]:
        """The generators that the cell has seeded, apart from new ones."""
        seeded = seeded_by(cell.flow, self._namespace, changed)
        self._seeded |= seeded
        self._unseeded -= seeded
        for name, given in made_with_seed(cell.flow).items():
            if name in seeded:
                continue
            (self._seeded if given else self._unseeded).add(name)
            (self._unseeded if given else self._seeded).discard(name)
        return seeded

    def _seeded_again(self, cell: OpenCell, found: Mapping[str, Any]) -> frozenset[str]:
        """Shared generators that are fresh behind a cell that calls something of which the name speaks of seeding.

        Their state may be the same as before it, and yet the cell may have drawn before it seeded.
        """
        known = frozenset(name for name in rng.GLOBAL if name in found and name in self._seeded)
        called = seeded_by(cell.flow, self._namespace, known) & known
        return frozenset(name for name in called if rng.is_untouched(found[name]))

    def _is_seeded(self, name: str, generator: Any, now: Held) -> bool:
        if name in self._seeded:
            return True
        return now.has_own_seed and (name not in self._unseeded or rng.is_of_torch(generator))

    def _keep(self, state: bytes) -> bool:
        try:
            self._states.keep(state)
        except OSError:
            return False
        return True


def names_of(namespace: Namespace) -> tuple[str, ...]:
    """The names that stand for generators, by exact type: no code of the values runs."""
    kinds = rng.kinds()
    held = dict(namespace)
    if kinds.hold_none(held.values()):
        return ()
    found = [name for name, value in held.items() if type(value) in kinds and type(name) is str]
    return tuple(name for name in found if not SHELLS_OWN.match(name))


def _inside(names: tuple[str, ...], namespace: Namespace, kinds: Kinds) -> Iterator[tuple[str, Any]]:
    """The generators one step inside of what some names stand for: items, and attributes of plain objects."""
    for name in names:
        for place, value in _parts(namespace.get(name)):
            if type(value) in kinds:
                yield f"{name}{place}", value


def _parts(value: object) -> list[tuple[str, Any]]:
    if type(value) is list or type(value) is tuple:
        return [(f"[{place}]", item) for place, item in enumerate(value[:MOST_ITEMS])]
    if type(value) is dict:
        held = value if len(value) <= MOST_ITEMS else {}
        return [(f"[{key!r}]", item) for key, item in held.items() if type(key) is str or type(key) is int]
    if issubclass(type(value), type) or root_of(type(value)) in {"builtins", "pandas", "numpy"}:
        return []
    first = list(islice(_attributes(value).items(), MOST_ITEMS))  # at once: another thread may add some
    return [(f".{attribute}", item) for attribute, item in first]


def _attributes(value: object) -> dict[str, Any]:
    """What an object holds itself, unless its class has another idea of that."""
    for kind in bases_of(type(value)):
        described = held_by(kind).get("__dict__")
        if described is not None:
            held = described.__get__(value) if type(described) is GetSetDescriptorType else None
            return held if type(held) is dict else {}
    return {}


def _has_changed(name: str, generator: Any, before: Held | None, now: Held) -> bool:
    """Whether something was drawn, where the state has changed; of a new one, whether it is no longer as it was made.

    A shared one whose library the cell imported, and that shows a seed which somebody chose, may have drawn before.
    """
    made = before is None or not before.is_of(generator)
    return not made or not rng.is_untouched(generator) or (name in rng.GLOBAL and now.has_own_seed)


def _first(generator: Any) -> Held | None:
    """A shared generator whose library was imported in this cell, as it began, as far as it remembers that."""
    reading = rng.first_reading(generator)
    return None if reading is None else Held(generator, reading)


def _drew_unseeded(uses: list[GeneratorUse]) -> bool:
    """Whether numpy's shared generator was used unseeded, which is where `random_state=None` draws from."""
    return any(use.name == "numpy" and use.consumed and not use.seeded for use in uses)


def _of_the_cell(cell: OpenCell, uses: tuple[GeneratorUse, ...], *, imported: bool) -> list[GeneratorUse]:
    """Without what modules draw while they are imported, as far as the cell shows that it draws nothing itself."""
    if not imported:
        return list(uses)
    shown = {"python": bool(OF_PYTHON.search(cell.body)), "numpy": bool(cell.flow.calls)}
    return [use for use in uses if shown.get(use.name, True)]
