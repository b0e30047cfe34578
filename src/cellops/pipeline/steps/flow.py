"""What each part of the notebook uses, writes and may change, in the order of the notebook."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cellops.capture.names.kinds import Description, Kind
from cellops.capture.names.regions import Flow, members
from cellops.pipeline.steps.cells import CodeCell, Division
from cellops.pipeline.steps.definitions import Defined, changed_by_attribute
from cellops.pipeline.steps.known import Known
from cellops.pipeline.steps.modules import Modules
from cellops.pipeline.steps.reader import Reader
from cellops.records.effects import ANYTHING, INTERPRETER, Effects, FunctionEffects
from cellops.records.step import StepDeclared

PASSIVE = frozenset({Kind.CONSTANT, Kind.TABLE, Kind.DATA, Kind.ESTIMATOR, Kind.LIBRARY})


@dataclass
class Stretch:
    """A shared cell, or a part of a step: what stands between its first statement and its last."""

    order: int
    """Its place among all of them, from 1."""
    step: str | None
    """The step that it belongs to; None for a shared cell."""
    cells: tuple[CodeCell, ...]
    reader: Reader
    before: dict[str, int] = field(default_factory=dict)
    """The stretch that wrote each name last, of all names that stood before it."""
    used: set[str] = field(default_factory=set)
    """Names whose value from before it may use, directly or by the functions that it may call."""
    binds: set[str] = field(default_factory=set)
    """Names that it surely binds, so that what they were before does not matter behind it."""
    writes: set[str] = field(default_factory=set)
    """Names that may be bound otherwise behind it, or whose object may be changed."""
    surely: set[str] = field(default_factory=set)
    """Those of them that its own source binds or changes, by code that is known."""
    defined: dict[str, Defined] = field(default_factory=dict)
    """What can be executed again, behind it."""
    gone_before: set[str] = field(default_factory=set)
    """Names that were deleted above it."""
    needs_cells: dict[str, int] = field(default_factory=dict)
    """The stretches that the value of each name before it depends on, as a set of bits."""
    shares: dict[str, int] = field(default_factory=dict)
    """What each name may reach before it: names with a bit in common may share an object."""
    changed: int = 0
    """The objects that it changes in place, or may change, as bits such as those of `shares`."""
    everywhere: int = 0
    """Stretches before it that changed the interpreter, as a set of bits."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Why it may use and change anything."""
        return tuple(self.reader.notes.unknown)

    @property
    def reads(self) -> set[str]:
        """The files that it reads; `known.ANY_FILE` for one whose path the source does not show."""
        return self.reader.notes.reading

    @property
    def writes_to(self) -> set[str]:
        return self.reader.notes.writing

    @property
    def changes_interpreter(self) -> bool:
        return INTERPRETER in self.reader.notes.changes or INTERPRETER in self.reader.notes.mutates

    def place(self, name: str, how: str) -> tuple[int, int | None]:
        """The cell and the line where a name is first `read`, `bound` or `changed`, else the first cell."""
        return self.reader.at.get((name, how), (self.cells[0].place, None))


class _Names(Flow):
    """The names behind the stretches that were read: who wrote them last, and which may share objects."""

    def __init__(self) -> None:
        super().__init__()
        self.used: set[str] = set()
        """Names that the stretch which was read last may have used."""
        self.changed = 0
        """What it may have changed in place."""

    def read(self, order: int, effects: Effects) -> None:
        """Read the next stretch."""
        self.changed = 0
        self.add(order, effects)

    def _mark(self, regions: int, cells: int) -> None:
        self.changed |= regions
        super()._mark(regions, cells)

    def _apply(self, step, effects, cells, order, *, anything):  # type: ignore[no-untyped-def]  # as in the base
        self.used = set(step.used)
        super()._apply(step, effects, cells, order, anything=anything)

    def cells(self) -> dict[str, int]:
        return {name: self.cells_of(name) for name in list(self._names)}

    def shares(self) -> dict[str, int]:
        return {name: self.reach(self.own(name)) for name in list(self._names)}

    @property
    def everywhere(self) -> int:
        return self._everywhere


def read(division: Division, modules: Modules) -> list[Stretch]:
    """Read the shared cells and the parts of the steps, one after the other.

    Once more where a definition above has turned out to be changed further down, by another name.
    """
    units = [(None, (cell,)) for cell in division.shared] + [(part.step, part.cells) for part in division.parts]
    attributed = changed_by_attribute([cell.tree for _, cells in units for cell in cells])
    while True:
        found = _read(units, division, attributed, modules)
        more = set[str]().union(*(stretch.reader.notes.attributed for stretch in found)) - attributed
        if not more:
            return found
        attributed |= more


def _read(
    units: Sequence[tuple[str | None, tuple[CodeCell, ...]]],
    division: Division,
    attributed: set[str],
    modules: Modules,
) -> list[Stretch]:
    known, names = Known(), _Names()
    found = []
    for order, (step, cells) in enumerate(units, start=1):
        reader = Reader(known, attributed, names.shares(), in_step=step is not None, sets_up=modules.sets_up)
        for cell in cells:
            reader.read(cell.place, cell.tree)
        stretch = Stretch(order, step, cells, reader)
        _enter(stretch, names, division.declared.get(step or ""))
        stretch.gone_before = known.gone
        known = _known(reader, known, anything=bool(stretch.unknown))
        stretch.defined = known.defined
        found.append(stretch)
    return found


def _enter(stretch: Stretch, names: _Names, declared: StepDeclared | None) -> None:
    """Find what a stretch does to what stands before it."""
    cells = names.cells()
    stretch.needs_cells, stretch.shares, stretch.everywhere = cells, names.shares(), names.everywhere
    stretch.before = {name: last(bits) for name, bits in cells.items() if bits and not name.startswith("(")}
    effects = _effects(stretch, declared)
    stretch.binds = {name for name in effects.binds if not name.startswith("(")}
    names.read(stretch.order, effects)
    stretch.used, stretch.changed = names.used, names.changed
    after = {name: last(bits) for name, bits in names.cells().items() if bits}
    stretch.writes = {name for name, order in after.items() if order == stretch.order and not name.startswith("(")}
    stretch.surely = {*stretch.reader.bound, *effects.changes} & stretch.writes


def last(bits: int) -> int:
    """The last of the stretches of a set of bits."""
    return bits.bit_length() - 1


def orders(bits: int) -> Iterable[int]:
    """The stretches of a set of bits."""
    return members(bits)


def _effects(stretch: Stretch, declared: StepDeclared | None) -> Effects:
    """What its cells do.

    What a step declares to give is all that it changes by code that is not known, and shares no object with what it
    was given.
    """
    reader, before = stretch.reader, stretch.before
    notes, kept = reader.notes, set(reader.defined)
    perhaps = set(reader.bound) - reader.certain
    needs = {*notes.needs, *(perhaps & set(before)), *(declared.inputs or () if declared else ())}
    if notes.unknown and (declared is None or declared.inputs is None):
        needs.update(before)
    given = None if declared is None else declared.outputs
    unknown = tuple(notes.unknown) if given is None else ()
    hidden = () if not notes.unknown else before if given is None else given
    aliases = _shared(notes.aliases, None if given is None else set(reader.bound))
    aliases |= {name: aliases.get(name, ()) for name in perhaps}
    aliases |= {name: (ANYTHING,) for name in hidden if name not in reader.bound}
    stands = [name for name in notes.mutates if name not in kept]
    mutates = tuple(name for name in stands if given is None or (name in given and name not in reader.certain))
    kinds = {name: reader.kind_of(name).kind for name in {*reader.bound, *before, *notes.changes, *notes.mutates}}
    return Effects(
        needs=tuple(sorted(needs)),
        active=tuple(sorted({*notes.active, *(needs if unknown else ())})),
        binds=tuple(sorted(reader.certain)),
        gives_up=tuple(name for name in reader.bound if name in before) if given is None else (),
        changes=tuple(name for name in notes.changes if name != INTERPRETER or stretch.step is None),
        mutates=mutates,
        derived=tuple(name for name in notes.derived if name in mutates),
        aliases=aliases,
        holds=_shared(notes.holds, None if given is None else set(reader.bound)),
        reaches=_shared(notes.reaches, None if given is None else set(reader.bound)),
        functions={name: _without(kept, found) for name, found in notes.functions.items()},
        constant=tuple({*kept, *(n for n in reader.bound if kinds[n] in (Kind.CONSTANT, Kind.LIBRARY))}),
        passive=tuple(name for name, kind in kinds.items() if kind in PASSIVE),
        unknown=unknown,
    )


def _shared(found: Mapping[str, set[str]], own: set[str] | None) -> dict[str, tuple[str, ...]]:
    return {name: tuple(sorted(names if own is None else names & own)) for name, names in found.items()}


def _without(kept: set[str], effects: FunctionEffects) -> FunctionEffects:
    """Functions that keep nothing are not changed by being called."""
    changes, consumes = (
        tuple(one for one in names if one not in kept) for names in (effects.changes, effects.consumes)
    )
    return effects.replace(changes=changes, consumes=consumes)


def _known(reader: Reader, before: Known, *, anything: bool) -> Known:
    """What is known of the names behind a stretch; where anything may have happened, only what was defined."""
    kinds = {name: reader.kind_of(name) for name in {*before.kinds, *reader.bound}}
    if anything:
        kinds |= {name: Description(Kind.ACTIVE) for name in kinds if name not in reader.defined}
    gone = (before.gone - set(reader.bound)) | reader.gone
    return Known(kinds=kinds, defined=dict(reader.defined), bodies=dict(reader.bodies), gone=gone)
