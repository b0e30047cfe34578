"""Whether two sources of a cell do the same: comments, blank lines and layout aside."""

import ast

from cellops.capture.header import python_body


def mean_the_same(one: str, other: str) -> bool:
    """Whether two sources do the same; where they cannot be read as Python, whether they are the same text."""
    if one.strip() == other.strip():
        return True
    first = _meaning(one)
    return first is not None and first == _meaning(other)


def _meaning(source: str) -> tuple[list[str], str] | None:
    """The magics above a cell and the Python below them, without its layout; None where it is none."""
    body = python_body(source)
    code = None if body is None else _code(body) or _code(_with_magics_as_calls(body))
    return None if code is None else ([line for line in source.splitlines() if line.startswith("%%")], code)


def _code(body: str) -> str | None:
    try:
        return ast.dump(ast.parse(body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _with_magics_as_calls(body: str) -> str:
    return "\n".join(map(_without_magic, body.splitlines()))


def _without_magic(line: str) -> str:
    code = line.lstrip()
    return line if code[:1] not in {"%", "!"} else f"{line[: len(line) - len(code)]}'magic'({code!r})"
