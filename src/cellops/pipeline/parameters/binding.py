"""Values from outside, held against what the notebook declares."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from cellops.capture.redaction import is_secret, redact
from cellops.errors import ParameterError
from cellops.pipeline.parameters import kinds
from cellops.pipeline.parameters.annotations import ALLOWED
from cellops.pipeline.parameters.declaration import HEADER, Declared
from cellops.pipeline.parameters.examples import example
from cellops.pipeline.parameters.kinds import did_you_mean
from cellops.pipeline.parameters.parameter import Parameter, wrong_default
from cellops.pipeline.parameters.reading import read

COMMAND_LINE = "-p"
IN_A_FILE = "{text}"
SEE = "Types, ranges and defaults are listed by: cellops execute NOTEBOOK --help"


@dataclass(frozen=True)
class Given:
    """A value from outside."""

    value: object
    place: str = COMMAND_LINE
    """Where it comes from, as a person calls it: `-p`, a file, a variable."""
    form: str = "-p {name} {text}"
    """How it is written there, beside its `name`, as a `text`."""

    def problem(self, what: object) -> str:
        """What is wrong with it; where it stands is said unless it has just been typed."""
        return str(what) if self.place == COMMAND_LINE else f"{what} ({self.place})"

    def written(self, name: str, text: str) -> str:
        """How a value is written where this one stands; a file needs no quotation marks against a shell."""
        return self.form.format(name=name, text=text if self.form == IN_A_FILE else shlex.quote(text))


def bind(declared: Declared, given: Mapping[str, object]) -> dict[str, object]:
    """Check the given values against their declared types, and read texts as these types.

    A text is read as a command line gives it: `7` for an int, `1e-3` or `inf` for a float, `true` or `no` for a bool,
    `2026-01-31` for a date, a name for a member of an Enum, JSON or a Python literal for a list or dict, `None` or
    `null` for None, and anything as it stands for a str. A Secret is its text, or stands where the text says:
    `env:NAME` of a variable, `file:PATH`.

    Parameters
    ----------
    declared
        The notebook's parameters.
    given
        Values by name; texts, values that already have their type, or either as `Given`.

    Returns
    -------
    dict
        The given values by name, typed, in the order in which the notebook declares them.

    Raises
    ------
    ParameterError
        Naming every unknown name, wrong type and missing required value at once, and every default that does not fit
        its own type; `data["problems"]` maps name to problem.

    Examples
    --------
    >>> from cellops.pipeline.parameters.containers import Items
    >>> from cellops.pipeline.parameters.kinds import Scalar
    >>> months = Parameter(name="months", kind=Items(list, Scalar(int)), written="list[int]", default=[1])
    >>> bind(Declared(index=0, parameters=(months,)), {"months": "[1, 2]"})
    {'months': [1, 2]}
    """
    all_given = {name: value if isinstance(value, Given) else Given(value) for name, value in given.items()}
    if declared.index is None and given:
        fact = f"The notebook has no parameters cell, so {', '.join(given)} cannot be set"
        remedy = f"Put the assignments that may change into one cell and make its first line {HEADER}"
        raise ParameterError(fact, remedy=remedy, problems=dict.fromkeys(given, "no parameters cell"))
    known = {parameter.name: parameter for parameter in declared.parameters}
    values: dict[str, object] = {}
    problems: dict[str, str] = {}
    hints: dict[str, str] = {}
    for name, unknown in all_given.items():
        if name not in known:
            problems |= _unknown(name, unknown, known)
    remedy = f"The notebook declares {_described(declared)}" if problems else SEE
    for name, parameter in known.items():
        try:
            if name in all_given:
                values[name] = _value(parameter, all_given[name])
            elif parameter.required:
                problems[name] = f"a value of type {parameter.written} is required"
        except ValueError as error:
            problems[name] = str(error)
        if name in problems:
            hints[name] = _hint(parameter, all_given.get(name, Given(None)))
        if (problem := wrong_default(parameter)) is not None:
            where = f"correct it in cell {(declared.index or 0) + 1}"
            problems[name] = "; ".join(one for one in (problems.get(name), f"{problem}: {where}") if one)
    if problems:
        each = [f"{name or repr(name)}: {problem}{hints.get(name, '')}" for name, problem in problems.items()]
        shown = [f"{len(each)} parameters do not fit:", *(f"  {line}" for line in each)] if len(each) > 1 else ()
        raise ParameterError("; ".join(each), remedy=remedy, shown=shown, problems=problems)
    return values


def _hint(parameter: Parameter, given: Given) -> str:
    """How to write a value that fits, where one is known."""
    text = example(parameter, given.value)
    if text is None:
        return ""
    nothing = ", or none" if parameter.kind is not None and kinds.NONE in parameter.kind.parts() else ""
    return f"; such as: {given.written(parameter.name, text)}{nothing}"


def _value(parameter: Parameter, given: Given) -> object:
    if parameter.written is None:
        problem = f"it has no type, so it cannot be given; annotate it in the notebook, as in {parameter.name}: int"
        raise ValueError(problem)
    if parameter.kind is None:
        problem = f"its type {parameter.written} cannot be given from outside; use {ALLOWED}"
        raise ValueError(problem)
    try:
        return read(parameter.kind, parameter.written, given.value)
    except ValueError as error:
        hidden = f"{parameter.written} is expected, and what was received is not shown"
        raise ValueError(given.problem(hidden if is_secret(parameter.name) else redact(str(error)))) from error


def _unknown(name: str, given: Given, known: Mapping[str, Parameter]) -> dict[str, str]:
    """A problem for a name that no parameter has; parameters below it, as in a file with sections, are named too."""
    names = {one: one for one in known}
    problems = {name: given.problem(f"there is no such parameter{did_you_mean(name, names)}")}
    inner = given.value if isinstance(given.value, dict) else {}
    for key in inner:
        if isinstance(key, str) and (hint := did_you_mean(key, names)):
            problems[f"{name}.{key}"] = given.problem(f"parameters stand at the top of the file{hint}")
    return problems


def _described(declared: Declared) -> str:
    described = [p.name if p.written is None else f"{p.name}: {p.written}" for p in declared.parameters]
    return ", ".join(described) or "none"
