"""What a given value means: a text as a command line, a variable or a file holds it, or a value that has its type."""

import ast
import json
from collections.abc import Iterator
from typing import Any

from cellops.pipeline.parameters import kinds
from cellops.pipeline.parameters.kinds import Kind, Mismatch
from cellops.pipeline.parameters.secret import SecretKind

NOTHING = ("none", "null")
TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
TAKE_TEXTS = (kinds.PathKind, kinds.DateKind, kinds.DatetimeKind, kinds.Choice, kinds.EnumKind)


def read(kind: Kind, written: str, given: object) -> object:
    """The given value as a type.

    Parameters
    ----------
    written
        The type as the notebook writes it, for the error.

    Raises
    ------
    ValueError
        When the value does not fit; it repeats no value that is meant to be a secret.
    """
    if any(isinstance(part, SecretKind) for part in kind.parts()):
        return _secret(kind, written, given)
    problems: dict[str, None] = {}
    for candidate in _readings(kind, given) if type(given) is str else [given]:
        try:
            return kind.check(candidate)
        except Mismatch:
            continue
        except ValueError as error:
            problems[str(error)] = None
    raise ValueError("; ".join(problems) or f"{written} is expected, {given!r:.120} was received")


def _secret(kind: Kind, written: str, given: object) -> object:
    parts = list(kind.parts())
    if not all(isinstance(part, SecretKind) or part == kinds.NONE for part in parts):
        problem = f"its type {written} cannot be given from outside; a Secret is one text: Secret or Secret | None"
        raise ValueError(problem)
    nothing = given is None or (type(given) is str and given.strip().lower() in NOTHING)
    return None if nothing and kinds.NONE in parts else SecretKind().check(given)


def _readings(kind: Kind, text: str) -> Iterator[Any]:
    """What a text can mean, likeliest first."""
    parts = list(kind.parts())
    word = text.strip().lower()
    if kinds.NONE in parts and word in NOTHING:
        yield None
    elif kinds.TEXT in parts:
        yield text
    else:
        if any(isinstance(part, TAKE_TEXTS) for part in parts):
            yield text
        if word in TRUTH:
            yield TRUTH[word]
        for parse in (int, float, json.loads, ast.literal_eval):
            yield from _parsed(parse, text)


def _parsed(parse: Any, text: str) -> list[Any]:
    try:
        return [parse(text)]
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return []
