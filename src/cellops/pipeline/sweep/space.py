"""The space of a sweep: what was written for each parameter, held against what the notebook declares."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cellops.capture.redaction import is_secret, redact
from cellops.errors import ParameterError
from cellops.pipeline.parameters import kinds
from cellops.pipeline.parameters.declaration import Declared
from cellops.pipeline.parameters.examples import example
from cellops.pipeline.parameters.kinds import Kind, Mismatch
from cellops.pipeline.parameters.parameter import Parameter
from cellops.pipeline.parameters.plain import plain
from cellops.pipeline.parameters.reading import read
from cellops.pipeline.parameters.secret import SecretKind
from cellops.pipeline.sweep.dimensions import Choices, Dimension, Real, Whole, product
from cellops.pipeline.sweep.grammar import NoRangeError, Range, read_list, read_range

MOST_LOOKED_AT = 10_000
"""Values of a dimension that are each held against the limits of the parameter; of more, some."""
FEW = 16
FORMS = "a,b,c or 3..10 or 0.01:0.3, with :log or :STEP behind a range"
NUMBERS: tuple[Kind, ...] = (kinds.Scalar(int), kinds.Float(), kinds.Anything())
DATES = (kinds.DateKind, kinds.DatetimeKind)


@dataclass(frozen=True)
class One:
    """One value, whatever it looks like."""

    value: object


@dataclass
class Space:
    """What is searched, what is fixed, and what is wrong with it."""

    dimensions: tuple[Dimension, ...] = ()
    """In the order in which the person wrote them."""
    fixed: dict[str, object] = field(default_factory=dict)
    """What was given as one value, as it was given."""
    problems: dict[str, str] = field(default_factory=dict)
    """By the names of parameters."""
    unknown: bool = False
    """Whether a parameter was given that nobody declares."""
    stand_ins: dict[str, object] = field(default_factory=dict)
    """Values of parameters with problems, so that the rest can be held against the notebook."""

    @property
    def size(self) -> int | None:
        """How many combinations there are; None where they are endless."""
        return product(self.dimensions)

    def sample(self) -> dict[str, object]:
        """Some value for each parameter that was given."""
        return {**self.fixed, **self.stand_ins, **{d.name: _looked_at(d)[0] for d in self.dimensions}}

    def written(self) -> dict[str, str]:
        """What is searched as a text that gives it back, by the names of the parameters."""
        return {dimension.name: dimension.written for dimension in self.dimensions}

    def refuse(self) -> None:
        """Raise what is wrong with it.

        Raises
        ------
        ParameterError
            Naming all at once; `data["problems"]` maps name to problem.
        """
        if self.problems:
            each = [f"{name}: {problem}" for name, problem in self.problems.items()]
            shown = [f"{len(each)} parameters cannot be searched:", *(f"  {e}" for e in each)] if len(each) > 1 else ()
            remedy = f"Write what is searched as {FORMS}"
            raise ParameterError("; ".join(each), remedy=remedy, shown=shown, problems=self.problems)
        if not self.dimensions and not self.unknown:
            fact = "Nothing is searched: each parameter has one value"
            raise ParameterError(fact, remedy=f"Give at least one as {FORMS}: -p NAME {FORMS.partition(' ')[0]}")


def read_space(declared: Declared, given: Mapping[str, object]) -> Space:
    """Read what was written for each parameter; names that nobody declares are left to `parameters.binding.bind`.

    Parameters
    ----------
    given
        Texts as `sweep.grammar` says; or, from Python, a list or an array of choices, a `range`, or one value.
    """
    known = {parameter.name: parameter for parameter in declared.parameters}
    space = Space()
    for name, value in ((name, _of_arrays(one)) for name, one in given.items()):
        if isinstance(value, One):
            space.fixed[name] = value.value
            continue
        parameter = known.get(name)
        if parameter is None or parameter.kind is None:
            space.fixed[name] = value
            space.unknown = True
            continue
        try:
            found = _dimension(parameter, parameter.kind, value)
        except ValueError as error:
            space.problems[name] = redact(str(error))
            if (stand_in := example(parameter, None)) is not None:
                space.stand_ins[name] = stand_in
            continue
        if found is None or isinstance(found, One):
            space.fixed[name] = value if found is None else found.value
        else:
            space.dimensions = (*space.dimensions, found)
    return space


def _of_arrays(given: Any) -> Any:
    """What numpy and pandas hold as values of Python: an array as a list, a scalar as a number."""
    if type(given) in (list, tuple, set, frozenset):
        return type(given)(map(_of_arrays, given))
    return given.tolist() if callable(getattr(given, "tolist", None)) else given


def _dimension(parameter: Parameter, kind: Kind, given: object) -> Dimension | One | None:
    """What is searched of a parameter; None where it has one value, as it was given.

    Raises
    ------
    ValueError
        When it is no space, or not one of this parameter.
    """
    found = _read(parameter, kind, given)
    if found is None:
        if isinstance(given, str) and any(part in NUMBERS for part in kind.parts()):
            read(kind, str(parameter.written), given)
        return None
    if isinstance(given, str) and isinstance(found, list) and len(found) == 1 and kinds.TEXT in kind.parts():
        return One(found[0])
    if is_secret(parameter.name) or any(isinstance(part, SecretKind) for part in kind.parts()):
        problem = "it is a secret, which is not searched; give it one value, by env:NAME or file:PATH"
        raise ValueError(problem)
    dimension = _of_range(parameter, kind, found) if isinstance(found, Range) else _choices(parameter, kind, found)
    _check_limits(dimension, kind)
    return dimension


def _read(parameter: Parameter, kind: Kind, given: object) -> Range | list[object] | None:
    """A range, choices, or None for one value."""
    if isinstance(given, range):
        return _of_python(given)
    if isinstance(given, list | tuple | set | frozenset):
        return _listed(kind, given, list(given) if isinstance(given, list | tuple) else sorted(given, key=repr))
    return _read_text(parameter, kind, given) if isinstance(given, str) else None


def _read_text(parameter: Parameter, kind: Kind, given: str) -> Range | list[object] | None:
    listed = read_list(given)
    if listed is not None:
        return _listed(kind, listed, listed)
    if any(isinstance(part, SecretKind) for part in kind.parts()):
        return [given, ""] if "," in given else None
    if not isinstance(kind, DATES) and (found := read_range(given)) is not None:
        return found
    if "," not in given or (kinds.TEXT not in kind.parts() and _fits(parameter, kind, given)):
        return None
    choices: list[object] = [one.strip() for one in given.split(",")]
    if "" in choices and kinds.TEXT in kind.parts():
        problem = f"there is an empty choice; if it is meant, write a list of JSON: {json.dumps(choices)}"
        raise ValueError(problem)
    return choices


def _of_python(given: range) -> Range:
    if not given:
        problem = "it is empty"
        raise NoRangeError(problem)
    low, high = min(given), max(given)
    return Range(low, high, whole=True, step=abs(given.step) if abs(given.step) != 1 else None)


def _listed(kind: Kind, whole: object, items: list[object]) -> list[object] | None:
    """The items as choices; None where the parameter takes the list itself as its one value."""
    try:
        kind.check(whole)
    except ValueError:
        return items
    return items if kind == kinds.Anything() else None


def _fits(parameter: Parameter, kind: Kind, text: str) -> bool:
    try:
        read(kind, str(parameter.written), text)
    except ValueError:
        return False
    return True


def _of_range(parameter: Parameter, kind: Kind, found: Range) -> Dimension:
    if not any(part in NUMBERS for part in kind.parts()):
        as_text = f"; as a text: {json.dumps([str(found)])}" if kinds.TEXT in kind.parts() else ""
        problem = f"a range needs a number, and its type is {parameter.written}{as_text}"
        raise ValueError(problem)
    if found.whole:
        return Whole(parameter.name, found)
    try:
        kind.check(0.5 if found.step is None else float(found.step))
    except Mismatch:
        low, high = round(found.low), round(found.high)
        write = f"{low}..{max(high, low + 1)}{':log' if found.log and low > 0 else ''}"
        problem = f"its type is {parameter.written}, and {found} has fractions; whole numbers are written {write}"
        raise ValueError(problem) from None
    except ValueError:
        pass  # out of its limits, which are looked at later
    return Real(parameter.name, found)


def _choices(parameter: Parameter, kind: Kind, given: Sequence[object]) -> Choices:
    values: list[object] = []
    problems: dict[str, None] = {}
    for one in given:
        if one == "" and kinds.TEXT not in kind.parts():
            problems["there is an empty choice: leave out the comma that has nothing beside it"] = None
            continue
        try:
            value = read(kind, str(parameter.written), one)
        except ValueError as error:
            problems[str(error)] = None
            continue
        if not _is_told(value):
            problems[f"{one} stands in no record, so that a sweep could not go on with it"] = None
        if any(type(other) is type(value) and other == value for other in values):
            problems[f"{plain(value)!r} is among the choices twice"] = None
        values.append(value)
    if not given:
        problems["there is no choice"] = None
    if len(values) == 1 and not problems:
        problems[f"{plain(values[0])!r} is the only choice; for one value give it alone"] = None
    if problems:
        raise ValueError("; ".join(problems))
    return Choices(parameter.name, tuple(values), _written(values))


def _is_told(value: object) -> bool:
    """Whether JSON can hold a value: it has no NaN and nothing that is infinite."""
    try:
        json.dumps(plain(value), allow_nan=False)
    except ValueError:
        return False
    return True


def _written(values: Iterable[object]) -> str:
    """Choices with commas, or as JSON where a text would not give them back."""
    held = [plain(value) for value in values]
    short = ",".join(one if isinstance(one, str) else json.dumps(one) for one in held)
    simple = all(isinstance(one, str | int | float) for one in held) and read_list(short) is None
    is_same = simple and [part.strip() for part in short.split(",")] == [
        one if isinstance(one, str) else json.dumps(one) for one in held
    ]
    return short if is_same and all(one != "" for one in held) else json.dumps(held, ensure_ascii=False)


def _looked_at(dimension: Dimension) -> list[object]:
    """All values where they can be counted, else the ends and some between."""
    size = dimension.size
    if size is not None:
        places = range(size) if size <= MOST_LOOKED_AT else [0, 1, size // 2, size - 1]
        return [dimension.at(place) for place in places]
    assert isinstance(dimension, Real)  # noqa: S101 - no other one is endless
    from numpy.random import default_rng

    generator = default_rng(0)
    ends: list[object] = [float(dimension.range.low), float(dimension.range.high)]
    return [*ends, *(dimension.draw(generator) for _ in range(FEW))]


def _check_limits(dimension: Dimension, kind: Kind) -> None:
    """Hold what is searched against the parameter's own limits.

    Raises
    ------
    ValueError
        Naming the first value that does not fit.
    """
    for value in _looked_at(dimension):
        try:
            kind.check(value)
        except ValueError as error:
            problem = str(error) or f"{value!r} does not fit its type"
            raise ValueError(problem) from None
