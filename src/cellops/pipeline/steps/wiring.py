"""What each stretch of the notebook takes from which other one, so that each may run in a namespace of its own.

A step that runs in a namespace of its own gets copies. So that it gives what the notebook gives in one namespace, three
things hold here.

- Versions. What a stretch needs comes from the last stretch above it that may have bound the name, or changed its
  object by whatever name. So a step that changes a table and another that reads the table as it was before do not wait
  for each other; one that stands below the change does.
- What is perhaps changed is needed too: a name that a stretch binds in a branch, or whose object it changes, it takes
  in, so that it can hand it on as it stands then.
- Shared objects. Names that may share an object which somebody changes later come from one stretch, which hands them
  on together: the copies share it as the originals did. Where one stretch has bound the object and another gave it a
  second name, the second hands on both.
"""

import builtins
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cellops.capture.names.namespace import OF_IPYTHON
from cellops.pipeline.steps.flow import Stretch


@dataclass
class Wiring:
    """For each part of a step, by its order: what it takes from which stretch, and what it hands on."""

    takes: dict[int, dict[str, int]] = field(default_factory=dict)
    """Names that it needs, with the stretch that they come from; shared cells are executed again."""
    gives: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    defines: dict[int, dict[str, int]] = field(default_factory=dict)
    """Names that are defined again, with the stretch that has defined them."""


def wire(stretches: Sequence[Stretch]) -> Wiring:
    """Find what each part takes and gives; repeated until names that share objects come from one stretch."""
    rewrites: dict[int, set[str]] = defaultdict(set)
    while True:
        found = _wire(stretches, rewrites)
        joined = list(_apart(stretches, found, rewrites))
        if not joined:
            return found
        for order, name in joined:
            rewrites[order].add(name)


def _wire(stretches: Sequence[Stretch], rewrites: Mapping[int, set[str]]) -> Wiring:
    found = Wiring()
    for stretch in reversed(stretches):
        if stretch.step is None:
            continue
        given = found.gives[stretch.order]
        wanted = stretch.used | {name for name in given if name not in stretch.binds}
        defined = _definitions(stretch, stretches, wanted)
        found.defines[stretch.order] = defined
        wanted = (wanted | _at_once(defined, stretches)) - set(defined)
        takes = {name: _producer(stretch, name, stretches, rewrites) for name in wanted}
        found.takes[stretch.order] = {name: order for name, order in takes.items() if order}
        for name, order in found.takes[stretch.order].items():
            if stretches[order - 1].step is not None:
                found.gives[order].add(name)
    return found


def _producer(stretch: Stretch, name: str, stretches: Sequence[Stretch], rewrites: Mapping[int, set[str]]) -> int:
    """The stretch from which a name comes: the last above that wrote it, or hands it on with another; 0 for none.

    A name that no source binds may come from code that may bind anything.
    """
    before = stretch.before.get(name, 0)
    if not before:
        above = [one.order for one in stretches[: stretch.order - 1] if one.unknown]
        return above[-1] if above and not is_of_python(name) else 0
    return max(before, *(order for order, names in rewrites.items() if name in names and order < stretch.order), 0)


def is_of_python(name: str) -> bool:
    """Whether a name stands in every kernel: a built-in function, or one of IPython; or for no name at all."""
    return hasattr(builtins, name) or OF_IPYTHON.match(name) is not None or name == "display" or name.startswith("(")


def _definitions(stretch: Stretch, stretches: Sequence[Stretch], wanted: set[str]) -> dict[str, int]:
    """Names that an import or a definition of another step has bound, and all that its statements read at once."""
    found: dict[str, int] = {}
    for name in sorted(wanted):
        found |= _definition(name, stretch, stretches, ()) or {}
    return found


def _definition(
    name: str, stretch: Stretch, stretches: Sequence[Stretch], outer: tuple[str, ...]
) -> dict[str, int] | None:
    """How a name can be defined again; None where it is a value, or its definition reads what has changed since."""
    order = stretch.before.get(name, 0)
    if not order or stretches[order - 1].step is None or name not in stretches[order - 1].defined:
        return None
    origin = stretches[order - 1]
    found = {name: order}
    for inner in origin.defined[name].at_once:
        if inner in outer:
            continue
        written = stretch.before.get(inner, 0)
        if inner in origin.writes:
            deeper = _definition(inner, stretch, stretches, (*outer, name))
            if deeper is None or written != order:
                return None
            found |= deeper
        elif written != origin.before.get(inner, 0):
            return None
        elif written and stretches[written - 1].step is not None:
            deeper = _definition(inner, stretch, stretches, (*outer, name))
            if deeper is None:
                return None
            found |= deeper
    return found


def _at_once(defined: Mapping[str, int], stretches: Sequence[Stretch]) -> set[str]:
    """What the statements that are executed again read themselves."""
    return {inner for name, order in defined.items() for inner in stretches[order - 1].defined[name].at_once}


def _apart(stretches: Sequence[Stretch], wiring: Wiring, rewrites: Mapping[int, set[str]]) -> list[tuple[int, str]]:
    """Names that may share an object which is changed, but come from several stretches: the last has to give them."""
    found = []
    for stretch in stretches:
        takes = wiring.takes.get(stretch.order, {})
        for group in _groups(takes, stretch.shares):
            orders = {takes[name] for name in group}
            if len(orders) == 1 or not _is_changed(group, stretch, stretches):
                continue
            latest = max(orders)
            if stretches[latest - 1].step is not None:
                found += [(latest, name) for name in group if takes[name] != latest]
    return [one for one in found if one[1] not in rewrites.get(one[0], set())]


def _groups(names: Mapping[str, int], shares: Mapping[str, int]) -> list[set[str]]:
    """Names that may share objects, each group by itself."""
    found: list[tuple[set[str], int]] = []
    for name in names:
        reached = shares.get(name, 0)
        joined = [group for group in found if group[1] & reached]
        found = [group for group in found if not group[1] & reached]
        bits = reached
        for group in joined:
            bits |= group[1]
        found.append(({name}.union(*(group[0] for group in joined)), bits))
    return [names for names, _ in found if len(names) > 1]


def _is_changed(group: set[str], stretch: Stretch, stretches: Sequence[Stretch]) -> bool:
    """Whether the objects of some names are changed, here or further down, or compared by what they are here."""
    bits = 0
    for name in group:
        bits |= stretch.shares.get(name, 0)
    compared = len(group & stretch.reader.notes.compared) > 1
    return compared or any(later.changed & bits for later in stretches[stretch.order - 1 :])
