"""The header of a cell: `%%mlops VERB ARGUMENTS`, alone or stacked with other cell magics.

A cell may have two: `%%mlops step NAME`, which says where the cell belongs, above the one that says what it is.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

MARK = "%%mlops"
PARAMETER_CELLS = "CELLOPS_EXECUTION_PARAMETERS"
"""The variable in which an execution tells its kernel the ids of cells that papermill's tag makes parameters."""
STEP = "step"
FEATURES = "features"
VERBS_THAT_KEEP_THE_CELL = ("run", "parameters", STEP, FEATURES)
"""Their body runs as the plain cell that it is; the other verbs read their body as a text."""

DEFINITION = re.compile(r"^(?:async[ \t]+)?def[ \t]+(\w+)[ \t]*\(", re.MULTILINE)
TRANSPARENT = ("time", "capture", "prun")
"""Cell magics of IPython that run their body as Python in the notebook's namespace."""


@dataclass(frozen=True)
class Header:
    verb: str
    arguments: str
    line: int
    """0-based line of the cell in which the header stands."""

    @property
    def keeps_the_cell(self) -> bool:
        return self.verb in VERBS_THAT_KEEP_THE_CELL


def find(source: str) -> Header | None:
    """The header that says what a cell is: the first of those at its top, but a step only where it stands alone."""
    found = headers(source)
    return next((header for header in found if header.verb != STEP), found[0] if found else None)


def step(source: str) -> Header | None:
    """The header that gives a cell to a step of the pipeline."""
    found = headers(source)
    return found[0] if found and found[0].verb == STEP else None


def headers(source: str) -> list[Header]:
    """The headers of a cell, looked for among the cell magics that stand at its top."""
    found: list[Header] = []
    for number, line in enumerate(dedented(source.splitlines())):
        if not line.startswith("%%"):
            if line.strip() and not (found and line.startswith("#")):
                break
            continue
        header = _read(line, number)
        if header is not None:
            found.append(header)
            if not header.keeps_the_cell:
                break
    return found


def strip(lines: list[str], accepts: Callable[[str, str], bool]) -> list[str]:
    """Take a header off a cell, so that the body is the plain cell.

    The line becomes a comment, so that line numbers stay; above another cell magic it goes, with the blank lines
    and comments between them, because that magic has to stand first. A header that is not accepted stays: the magic
    `%%mlops` then says what is wrong with it, and the body does not run. A pure function, as IPython calls its
    transformers more than once per cell. Below functions of features a line is added that gives them their name.
    """
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return lines
    header = _read(lines[first], first)
    if header is not None and not header.keeps_the_cell and len(lines) == first + 1:
        # IPython refuses a cell magic that has no line below it; ours says itself what it needs.
        return [*lines[:first], f"{lines[first].rstrip()}\n", "\n"]
    if header is None or not header.keeps_the_cell or not accepts(header.verb, header.arguments):
        return lines
    rest = _with_binding(lines[first + 1 :], header)
    code = next((i for i, line in enumerate(rest) if line.strip() and not line.lstrip().startswith("#")), None)
    if code is not None and rest[code].startswith("%%"):
        below = strip(rest[code:], accepts) if header.verb == STEP else rest[code:]
        if below[0].startswith("%%"):
            return lines[:first] + below
        rest = rest[:code] + below
    return [*lines[:first], f"# {lines[first]}", *rest]


def python_body(source: str) -> str | None:
    """The part of a cell that runs as Python in the notebook's namespace; None below a magic that takes a text."""
    lines = dedented(source.splitlines(keepends=True))
    for number, line in enumerate(lines):
        if line.startswith("%%"):
            header = _read(line, number)
            if header is None and line[2:].split(maxsplit=1)[:1] not in [[name] for name in TRANSPARENT]:
                return None
            if header is not None and not header.keeps_the_cell:
                return None
        elif line.strip() and not line.startswith("#"):
            return "".join(_with_binding(lines[number:], find(source)))
    return ""


def _with_binding(lines: list[str], header: Header | None) -> list[str]:
    """The body of a cell with what binds the name of its features, where it has some."""
    if header is None or header.verb != FEATURES:
        return lines
    ended = [*lines[:-1], lines[-1] if lines[-1].endswith("\n") else f"{lines[-1]}\n"] if lines else []
    name = header.arguments.partition("#")[0].strip() or FEATURES
    given = ", ".join([*functions("".join(lines)), f"name={name!r}"])
    return [*ended, f"from cellops import features as {name}; {name} = {name}({given})\n"]


def binds_features(source: str) -> bool:
    """Whether the last line of a cell's body is one that names its features, and stands in no source."""
    found = find(source)
    return found is not None and found.verb == FEATURES


def functions(body: str) -> list[str]:
    r"""The functions that a cell defines at its top, but for those whose names begin with an underscore.

    Examples
    --------
    >>> functions("def speed(miles): ...\n\ndef _helper(): ...\n")
    ['speed']
    """
    try:
        statements = ast.parse(body).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # magics of IPython stand between them
        found = DEFINITION.findall(body)
    else:
        found = [one.name for one in statements if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [name for name in dict.fromkeys(found) if not name.startswith("_")]


def dedented(lines: list[str]) -> list[str]:
    """Without the indent of the first line that is not blank, as IPython takes it off before it reads magics."""
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return [line.removeprefix(indent) for line in lines] if indent else lines


def _read(line: str, number: int) -> Header | None:
    words = line.rstrip().split(maxsplit=2)
    if not words or words[0] != MARK:
        return None
    return Header(words[1] if len(words) > 1 else "", words[2] if len(words) > 2 else "", number)  # noqa: PLR2004
