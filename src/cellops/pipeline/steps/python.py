"""The Python of a cell, with IPython's own syntax as the calls that it stands for; nothing is executed."""

import ast
import re

from cellops.capture import header

BELOW_A_MAGIC = re.compile(r"^%%(?P<name>\w+)[ \t]*(?P<line>[^\n]*)\n?(?P<body>.*)$", re.DOTALL)
MAGIC = re.compile(r"^(?P<before>\s*(?:[\w.]+(?:\s*,\s*[\w.]+)*\s*=\s*)?)(?P<mark>%(?!%)|!!?)(?P<text>.*)$")
CAPTURE = re.compile(r"^%%capture\b(?:\s+--?\S+)*\s+(?P<name>[A-Za-z_]\w*)\s*$")
END_OF_LINE = re.compile(r"\r\n|\r|\n")
HELP = re.compile(r"^\s*[\w.%]+\?{1,2}\s*$|^\s*\?{1,2}\s*[\w.%]+\s*$")


def parse(source: str) -> ast.Module:
    """Read a cell; its lines keep their numbers.

    Raises
    ------
    SyntaxError
        When the cell is no Python, with the line at which it ends to be.
    """
    lines = header.dedented(lines_of(source))
    body = header.python_body(source)
    if body is None:
        return _of_a_magic("\n".join(lines))
    own = lines_of(body)
    added = own[-1:] if header.binds_features(source) and own else []
    first = len(lines) - len(own) + len(added)
    return _parsed([*map(_bound_by, lines[:first]), *lines[first:], *added])


def lines_of(source: str) -> list[str]:
    r"""The lines as Python counts them: a form feed and its like end none, which `str.splitlines` takes them to do.

    Examples
    --------
    >>> lines_of("x = 'a\x0cb'\ny = 2\n")
    ["x = 'a\x0cb'", 'y = 2']
    """
    lines = END_OF_LINE.split(source)
    return lines if lines[-1] else lines[:-1]


def _bound_by(line: str) -> str:
    """`%%capture NAME` binds a name, as an assignment in the same line does."""
    found = CAPTURE.match(line)
    return f"{found['name']} = object()" if found else ""


def _parsed(lines: list[str]) -> ast.Module:
    """Only a line at which Python stumbles can be a magic: the others are what they look like."""
    while True:
        try:
            return ast.parse("\n".join(lines))
        except SyntaxError as error:
            line = _magic_near(lines, error.lineno or 1)
            if line is None:
                raise
            lines[line] = _call(lines[line])
        except (ValueError, RecursionError, MemoryError) as error:
            fact = f"it is not understood: {type(error).__name__}"
            raise SyntaxError(fact) from error


def _magic_near(lines: list[str], number: int) -> int | None:
    """The magic that Python stumbles over: at the line that it names, or above, where it takes the next for a part."""
    for place in range(min(number, len(lines)) - 1, -1, -1):
        if HELP.match(lines[place]) or MAGIC.match(lines[place]):
            return place
        if lines[place].strip() and place < number - 2:
            return None
    return None


def _call(line: str) -> str:
    found = MAGIC.match(line)
    if found is None or HELP.match(line):
        return f"{line[: len(line) - len(line.lstrip())]}pass"
    text = found["text"].strip()
    if found["mark"] != "%":
        method = "getoutput" if found["before"].strip() or found["mark"] == "!!" else "system"
        return f"{found['before']}get_ipython().{method}({text!r})"
    name, _, rest = text.partition(" ")
    return f"{found['before']}get_ipython().run_line_magic({name!r}, {rest.strip()!r})"


def _of_a_magic(source: str) -> ast.Module:
    """A cell below a magic that takes a text, which may stand below a header of a step."""
    lines = lines_of(source.lstrip("\n"))
    place = next(i for i, line in enumerate(lines) if line.startswith("%%") and not _keeps(line))
    found = BELOW_A_MAGIC.match("\n".join(lines[place:]))
    name, line, body = found.groups() if found else ("", "", "")
    return ast.parse(f"get_ipython().run_cell_magic({name!r}, {line!r}, {body!r})")


def _keeps(line: str) -> bool:
    words = line.split()
    return words[:1] == [header.MARK] and words[1:2] != [] and words[1] in header.VERBS_THAT_KEEP_THE_CELL
