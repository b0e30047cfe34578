"""The typed parameters of a notebook: found with `ast`, bound to given values."""

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cellops.capture import header
from cellops.errors import ParameterError
from cellops.pipeline import kinds
from cellops.records.base import Record
from cellops.records.execution import ParameterValue

if TYPE_CHECKING:
    from nbformat import NotebookNode

VERB = "parameters"
HEADER = f"{header.MARK} {VERB}"
TAG = "parameters"
INJECTED_TAG = "injected-parameters"


class Parameter(Record, frozen=True, kw_only=True):
    """One assignment of the parameters cell.

    A literal default gives a parameter without annotation its type. A computed default stays as the notebook computes
    it; only an annotation makes such a parameter open to values from outside.
    """

    name: str
    kind: str | None = None
    """The type as it is written, `list[int]`; None when no value can be given."""
    default: ParameterValue = None
    required: bool = False
    """Whether the cell only declares the name (`limit: int`), so that a value must be given."""
    computed: bool = False
    """Whether the default is an expression that only the kernel can evaluate, or a Secret, which is not read out."""
    help: str = ""
    """The comment that ends the assignment."""


class Declared(Record, frozen=True, kw_only=True):
    """What a notebook says of its parameters."""

    index: int | None = None
    """Place of the parameters cell among all cells, from 0; None when the notebook has none."""
    has_header: bool = False
    """Whether that cell begins with `%%mlops parameters` (else it has the tag `parameters`)."""
    parameters: tuple[Parameter, ...] = ()

    def defaults(self) -> dict[str, ParameterValue]:
        """The literal defaults by name."""
        return {p.name: p.default for p in self.parameters if not (p.required or p.computed)}


def declared(notebook: "NotebookNode") -> Declared:
    """Read the parameters that a notebook declares; nothing is executed.

    The parameters cell is the code cell whose first line is `%%mlops parameters`, or which has papermill's tag
    `parameters`. Each assignment to one name in it is a parameter; other statements are left alone.

    Raises
    ------
    ParameterError
        When there are two parameters cells, or the cell is not plain Python.
    """
    found = [i for i, cell in enumerate(notebook.cells) if _is_parameters_cell(cell)]
    if not found:
        return Declared()
    if len(found) > 1:
        fact = f"The notebook has {len(found)} parameters cells: {', '.join(f'cell {i + 1}' for i in found)}"
        raise ParameterError(fact, remedy="Keep one and move the assignments of the others into it", cells=found)
    index, source = found[0], notebook.cells[found[0]].source
    return Declared(index=index, has_header=_has_header(source), parameters=_parameters(_body(source), index))


def bind(declared: Declared, given: Mapping[str, ParameterValue]) -> dict[str, ParameterValue]:
    """Check the given values against their declared types, and read strings as these types.

    A string is read as a command line gives it: `7` for an int, `1e-3` or `inf` for a float, `true` or `false` for a
    bool, JSON or a Python literal for a list or dict, `None` or `null` for None, and anything as it stands for a str.
    A Secret is its text, or stands where the string says: `env:NAME` of a variable, `file:PATH`.

    Parameters
    ----------
    declared
        The notebook's parameters.
    given
        Values by name; strings, or values that already have their type.

    Returns
    -------
    dict
        The given values by name, typed, in the order in which the notebook declares them.

    Raises
    ------
    ParameterError
        Naming every unknown name, wrong type and missing required value at once; `data["problems"]` maps name to
        problem.

    Examples
    --------
    >>> notebook = Declared(index=0, parameters=(Parameter(name="months", kind="list[int]", default=[1]),))
    >>> bind(notebook, {"months": "[1, 2]"})
    {'months': [1, 2]}
    """
    if declared.index is None and given:
        fact = f"The notebook has no parameters cell, so {', '.join(given)} cannot be set"
        remedy = f"Put the assignments that may change into one cell and make its first line {HEADER}"
        raise ParameterError(fact, remedy=remedy, problems=dict.fromkeys(given, "no parameters cell"))
    known = {parameter.name: parameter for parameter in declared.parameters}
    values: dict[str, ParameterValue] = {}
    problems = {name: _unknown(name, known) for name in given if name not in known}
    for name, parameter in known.items():
        try:
            if name in given:
                values[name] = _value(parameter, given[name])
            elif parameter.required:
                problems[name] = f"a value of type {parameter.kind} is required"
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        fact = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        raise ParameterError(fact, remedy=f"The notebook declares {_described(declared)}", problems=problems)
    return values


def _is_parameters_cell(cell: "NotebookNode") -> bool:
    tags = cell.metadata.get("tags", [])
    if cell.cell_type != "code" or INJECTED_TAG in tags:
        return False
    return TAG in tags or _has_header(cell.source)


def _has_header(source: str) -> bool:
    found = header.find(source)
    return found is not None and found.verb == VERB


def _body(source: str) -> str:
    """The cell without its header and what stands above it, with the line numbers kept."""
    found = header.find(source)
    if found is None:
        return source
    lines = source.splitlines(keepends=True)
    return "\n" * (found.line + 1) + "".join(lines[found.line + 1 :])


def _parameters(body: str, index: int) -> tuple[Parameter, ...]:
    try:
        tree = ast.parse(body)
    except SyntaxError as error:
        fact = f"The parameters cell (cell {index + 1}) is not plain Python: {error.msg}, line {error.lineno}"
        remedy = "Correct the line; magics and shell commands belong into another cell"
        raise ParameterError(fact, remedy=remedy, cell_index=index, line=error.lineno) from error
    comments = dict(_comments(body))
    found = {}
    for statement in tree.body:
        parameter = _parameter(statement, comments)
        if parameter is not None:
            found[parameter.name] = parameter
    return tuple(found.values())


def _comments(body: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(body).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ").rstrip()


def _parameter(statement: ast.stmt, comments: Mapping[int, str]) -> Parameter | None:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
            kind: str | None = kinds.written(annotation)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            kind = None
        case _:
            return None
    help_text = comments.get(statement.end_lineno or 0, "")
    if value is None:
        return Parameter(name=name, kind=kind, required=True, help=help_text)
    if kinds.is_secret(kind):
        return Parameter(name=name, kind=kind, computed=True, help=help_text)
    try:
        default = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError):
        return Parameter(name=name, kind=kind, computed=True, help=help_text)
    if not kinds.is_value(default):
        return Parameter(name=name, kind=kind, computed=True, help=help_text)
    return Parameter(name=name, kind=kind or kinds.of(default), default=default, help=help_text)


def _value(parameter: Parameter, given: ParameterValue) -> ParameterValue:
    if parameter.kind is None:
        problem = f"it has no type, so it cannot be given; annotate it in the notebook, as in {parameter.name}: int"
        raise ValueError(problem)
    return kinds.read(parameter.kind, given)


def _unknown(name: str, known: Mapping[str, Parameter]) -> str:
    near = get_close_matches(name, known, n=1)
    return "there is no such parameter" + (f" (did you mean {near[0]}?)" if near else "")


def _described(declared: Declared) -> str:
    return ", ".join(p.name if p.kind is None else f"{p.name}: {p.kind}" for p in declared.parameters) or "none"
