"""The source of a recorded cell as a kernel without cellops executes it."""

import io
import re
import shlex
import tokenize
from collections.abc import Iterator
from itertools import pairwise

from cellops.capture import header
from cellops.capture.dataflow.analysis import analyse
from cellops.capture.randomness.seeding import brings_torch
from cellops.records.cell import CellRecord

OURS = re.compile(
    r"^(?P<indent>[ \t]*)(?:(?P<target>\w[\w, \t]*?)[ \t]*=[ \t]*)?"
    r"(?P<magic>%(?:mlops|(?:re|un)?load_ext[ \t]+cellops)\b(?:[^\n\\]|\\.)*(?:\\\n(?:[^\n\\]|\\.)*)*)",
    re.MULTILINE,
)
"""A line that is a magic of ours, with those that a backslash continues it on."""
ANY_MAGIC = re.compile(r"^([ \t]*)[%!?]", re.MULTILINE)
SEED = "--seed"


def plain(record: CellRecord) -> str:
    """The source without what only cellops understands, which becomes comments."""
    found = header.find(record.source)
    if found is None:
        return _without_line_verbs(record.source)
    lines = header.dedented(record.source.splitlines(keepends=True))
    if not found.keeps_the_cell or record.verb != found.verb:
        # The body is no code of the notebook, or it did not run, as the header was refused.
        return "".join((*_without_headers(lines[: found.line], record.source), *map(_commented, lines[found.line :])))
    stripped = header.strip(lines, lambda *_: True)
    if stripped == lines:
        stripped = _without_headers(lines, record.source)
    return _without_line_verbs("".join(stripped))


def seed(record: CellRecord) -> int | None:
    """The seed that the cell's header gave, if it did."""
    found = header.find(record.source)
    if found is None or found.verb != "run" or record.verb != "run":
        return None
    words = shlex.split(found.arguments, comments=True)
    given = [word.partition("=")[2] for word in words if word.startswith(f"{SEED}=")]
    given += [after for word, after in pairwise(words) if word == SEED]
    return int(given[-1]) if given else None


def imports_torch(record: CellRecord) -> bool:
    """Whether seeding the cell has loaded torch before."""
    body = header.python_body(record.source)
    return body is not None and brings_torch(analyse(body))


def _without_headers(lines: list[str], source: str) -> list[str]:
    headers = {found.line for found in header.headers(source)}
    return [_commented(line) if number in headers else line for number, line in enumerate(lines)]


def _commented(line: str) -> str:
    return f"# {line}"


def _without_line_verbs(source: str) -> str:
    """The source with lines such as `%mlops status` and `%load_ext cellops` as comments."""
    if "%" not in source or header.python_body(source) is None:
        return source
    inside = set(_lines_in_texts(source))

    def replaced(found: re.Match[str]) -> str:
        if source.count("\n", 0, found.start()) in inside:
            return found[0]
        comment = "\n".join(f"# {line.strip()}" for line in found["magic"].splitlines())
        if found["target"] is not None:
            return f"{found['indent']}{found['target']} = None  {comment}"
        return f"{found['indent']}pass  {comment}" if found["indent"] else comment

    return OURS.sub(replaced, source)


def _lines_in_texts(source: str) -> Iterator[int]:
    """The lines, from 0, that begin inside a text of several lines."""
    starts: list[int] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(ANY_MAGIC.sub(r"\1#", source)).readline):
            kind = tokenize.tok_name[token.type]
            if kind == "STRING":
                yield from range(token.start[0], token.end[0])
            elif kind in {"FSTRING_START", "TSTRING_START"}:
                starts.append(token.start[0])
            elif kind in {"FSTRING_END", "TSTRING_END"} and starts:
                yield from range(starts.pop(), token.end[0])
    except (tokenize.TokenError, SyntaxError):
        return
