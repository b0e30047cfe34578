"""How a value of a type is written where it is given as a text: shown where another one did not fit."""

import json
from collections.abc import Iterator
from typing import Any

from cellops.capture.redaction import redact_value
from cellops.pipeline.parameters import containers, kinds
from cellops.pipeline.parameters.kinds import Kind
from cellops.pipeline.parameters.parameter import Parameter
from cellops.pipeline.parameters.plain import plain
from cellops.pipeline.parameters.reading import read
from cellops.pipeline.parameters.secret import SecretKind

OF_SCALARS: dict[type, object] = {int: 7, str: "text", bool: True, type(None): None}


def example(parameter: Parameter, given: object) -> str | None:
    """A text that the parameter takes: what was given, made to fit, or its default, or any; None where none is known.

    Examples
    --------
    >>> columns = containers.Items(list, kinds.TEXT)
    >>> example(Parameter(name="columns", kind=columns, written="list[str]"), "age, fare")
    '["age", "fare"]'
    """
    if parameter.kind is None or any(isinstance(part, SecretKind) for part in parameter.kind.parts()):
        return None
    texts = (text for value in _values(parameter, given) for text in _written(value))
    return next((text for text in texts if _fits(parameter, text)), None)


def _values(parameter: Parameter, given: object) -> Iterator[object]:
    if type(given) is str and any(isinstance(part, containers.Items) for part in parameter.kind.parts()):  # type: ignore[union-attr]  # it has one
        yield from ([_number(word.strip()) for word in given.split(",")], [word.strip() for word in given.split(",")])
    default = plain(parameter.default)
    if default is not None and redact_value(parameter.name, str(default)) == str(default):
        yield default
    yield any_value(parameter.kind)  # type: ignore[arg-type]  # as above


def any_value(kind: Kind) -> Any:  # noqa: PLR0911 - one return a type
    """Some value of a type, as JSON can hold it."""
    match kind:
        case kinds.Scalar(type=of):
            return OF_SCALARS[of]
        case kinds.Float():
            return 0.5
        case kinds.PathKind():
            return "data/train.csv"
        case kinds.DateKind():
            return "2026-01-31"
        case kinds.DatetimeKind():
            return "2026-01-31T12:00"
        case kinds.Choice(values=(first, *_)):
            return first
        case kinds.EnumKind(members=(first, *_)):
            return first
        case containers.Items(item=item):
            return [any_value(item)]
        case containers.Fields(items=items):
            return [any_value(item) for item in items]
        case containers.Mapped(key=key, value=value):
            return {any_value(key): any_value(value)}
        case containers.Limited(kind=inner):
            return any_value(inner)
        case containers.AnyOf():
            return any_value(next((part for part in kind.parts() if part != kinds.NONE), kinds.NONE))
    return "text"


def _written(value: object) -> Iterator[str]:
    """A value as text: as JSON, and as Python for what JSON has no key for."""
    if isinstance(value, str):
        yield value
    else:
        yield json.dumps(value, ensure_ascii=False)
        yield repr(value)


def _number(word: str) -> object:
    try:
        return json.loads(word)
    except (ValueError, RecursionError):
        return word


def _fits(parameter: Parameter, text: str) -> bool:
    try:
        read(parameter.kind, str(parameter.written), text)  # type: ignore[arg-type]  # it has one
    except ValueError:
        return False
    return True
