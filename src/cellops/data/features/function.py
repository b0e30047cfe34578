"""A function that makes features: what it is given, as its parameters say."""

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from cellops.errors import UsageError

ROW = "row"
FRAMES = ("frame", "df", "table")
OF_FRAMES = ("DataFrame",)
OF_COLUMNS = ("Series", "ndarray", "NDArray", "ArrayLike")
TAKEN = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Given(StrEnum):
    """What a function is given."""

    ROW = "row"
    """One row at a time: `def is_weekend(row)`."""
    VALUES = "values"
    """The values of some columns, one row at a time: `def speed(distance, air_time)`."""
    COLUMNS = "columns"
    """Whole columns: `def speed(distance: pd.Series, air_time: pd.Series)`."""
    FRAME = "frame"
    """The whole table: `def features(frame)`."""


@dataclass(frozen=True)
class Function:
    """A function of features."""

    name: str
    call: Callable[..., Any]
    """Takes what it is given by its place."""
    given: Given
    inputs: tuple[str, ...] | None
    """The columns that it reads; None where only its calls show them."""


def read_function(name: str, call: Callable[..., Any], source: str) -> Function:
    """What a function is given: its parameters without a default are columns, but for `row` and `frame`.

    Parameters
    ----------
    source
        Its source, in which the columns stand that it reads of a row.

    Raises
    ------
    UsageError
        When its parameters name no columns.

    Examples
    --------
    >>> def speed(distance, air_time, unit=60): ...
    >>> read_function("speed", speed, "").inputs
    ('distance', 'air_time')
    """
    if inspect.iscoroutinefunction(call) or inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call):
        fact = f"{name} is no plain function"
        raise UsageError(fact, remedy="A feature returns its value: use neither async nor yield")
    parameters = list(inspect.signature(call).parameters.values())
    wanted = [one for one in parameters if one.default is inspect.Parameter.empty]
    strange = next((one for one in parameters if one.kind not in TAKEN), None)
    if strange is not None or not wanted:
        fact = f"{name} names no columns as its parameters" if strange is None else f"{name} takes {strange}"
        raise UsageError(fact, remedy=f"Write def {name}(row), def {name}(frame), or name columns as parameters")
    hints = [_hint(one) for one in wanted]
    if len(wanted) == 1 and (any(kind in hints[0] for kind in OF_FRAMES) or wanted[0].name in FRAMES):
        return Function(name, call, Given.FRAME, None)
    if len(wanted) == 1 and wanted[0].name == ROW:
        return Function(name, call, Given.ROW, read_columns(source, name))
    names = tuple(one.name for one in wanted)
    by_name = any(one.kind is inspect.Parameter.KEYWORD_ONLY for one in wanted)
    whole = any(kind in hint for hint in hints for kind in OF_COLUMNS)
    placed = (lambda *values: call(**dict(zip(names, values, strict=True)))) if by_name else call
    return Function(name, placed, Given.COLUMNS if whole else Given.VALUES, names)


def _hint(parameter: inspect.Parameter) -> str:
    annotation = parameter.annotation
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


@lru_cache(maxsize=256)
def read_columns(source: str, name: str) -> tuple[str, ...] | None:
    """The columns that a function takes of its row by name; None where it uses the row otherwise.

    Examples
    --------
    >>> read_columns("def f(row): return row['a'] + row.b", "f")
    ('a', 'b')
    >>> read_columns("def f(row): return sum(row.values())", "f") is None
    True
    """
    made = next((one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef) and one.name == name), None)
    if made is None:
        return None
    columns: dict[str, None] = {}
    plain = 0
    for node in ast.walk(made):
        match node:
            case ast.Subscript(value=ast.Name(id="row"), slice=ast.Constant(value=str(column))):
                columns[column] = None
            case ast.Attribute(value=ast.Name(id="row"), attr=column) if column not in _OF_MAPPINGS:
                columns[column] = None
            case ast.Name(id="row"):
                plain += 1
                continue
            case _:
                continue
        plain -= 1
    return tuple(columns) if plain == 0 else None


_OF_MAPPINGS = frozenset({"get", "items", "keys", "values"})
