"""The watcher of habits that stand in the way of repeating a cell elsewhere: a finding for each, with its line."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from cellops.capture.habits import commands
from cellops.capture.redaction import redact, redact_source
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.finding import Finding, Severity

ABSOLUTE_PATH = re.compile(r"^(?:/(?:home|Users|mnt|data|root|tmp|var|opt|srv)/\S+|[A-Za-z]:\\\S+)$")
NETWORK = re.compile(
    r"^(?:(?:requests|httpx)\.(?:get|head|request|stream|Session|Client|AsyncClient)"
    r"|(?:urllib\.)?(?:request\.)?(?:urlopen|urlretrieve)|urllib3\.(?:request|PoolManager)|aiohttp\.ClientSession)$"
)
SENDING = re.compile(r"^(?:requests|httpx)\.(?:post|put|patch|delete)$")
HINTS = re.compile(
    r"(?i)/|\\|get_ipython|subprocess|os\.(?:system|popen)|requests|httpx|url|aiohttp"
    r"|pass|pwd|secret|token|credential|key|sk-|hf_|gh[pousr]_|glpat-|xox|AKIA|ASIA|AIza|dapi|eyJ|bearer|basic"
)
"""Whoever has none of these habits shows none of these."""
LONGEST_SEEN = 200


class Habits:
    name = "habits"

    def start(self, shell: Any) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Nothing to take away."""

    def before(self, _cell: OpenCell) -> None:
        """Nothing that could change while the cell runs."""

    def after(self, cell: OpenCell, _state: None, _ending: Ending) -> Seen:
        return Seen(findings=tuple(habits(cell.source, cell.body, cell.where)))


def habits(source: str, body: str, where: str) -> list[Finding]:
    """The findings on a cell.

    Parameters
    ----------
    source
        The cell as it was written.
    body
        The Python that runs.
    """
    found: dict[tuple[str, int], Finding] = {}
    for line, finding in _all(source, body):
        place = f"{where}, line {line}"
        seen = redact(finding.seen)[:LONGEST_SEEN]
        found.setdefault((finding.code, line), finding.replace(where=place, seen=seen))
    return [found[key] for key in sorted(found, key=lambda key: key[1])]


def _all(source: str, body: str) -> Iterator[tuple[int, Finding]]:
    script = commands.of_cell_magic(source)
    if script is not None:
        finding = _of_command(script)
        if finding is not None:
            yield 1, finding
    if HINTS.search(source):
        yield from _credentials(source)
    if not HINTS.search(body):
        return
    try:
        tree = ast.parse(body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    above = len(source.splitlines()) - len(body.splitlines()) if source.lstrip().startswith("%%") else 0
    for node in ast.walk(tree):
        finding = _of_node(node)
        if finding is not None:
            yield node.lineno + max(above, 0), finding  # type: ignore[attr-defined]


def _credentials(source: str) -> Iterator[tuple[int, Finding]]:
    """The lines that a record does not repeat as they stand."""
    written, recorded = source.splitlines(), redact_source(source).splitlines()
    for number, line in enumerate(written, 1):
        if recorded[number - 1 : number] == [line]:
            continue
        yield (
            number,
            _finding(
                "credential-in-code",
                Severity.ERROR,
                "a credential stands in the code; the record leaves it out, the notebook's file does not",
                "Take it from the environment, os.environ[NAME], and replace it: who has the notebook has it",
            ),
        )
        if len(recorded) != len(written):
            return


def _of_node(node: ast.AST) -> Finding | None:
    if isinstance(node, ast.Constant):
        return _of_text(node.value) if isinstance(node.value, str) else None
    return _of_call(node) if isinstance(node, ast.Call) else None


def _of_text(text: str) -> Finding | None:
    if not ABSOLUTE_PATH.match(text):
        return None
    return _finding(
        "hard-coded-path",
        Severity.WARNING,
        f"the path {text} exists on this machine only",
        "Make it a parameter, or relative to the notebook",
    )


def _of_call(call: ast.Call) -> Finding | None:
    name = commands.dotted(call.func)
    if NETWORK.match(name):
        return _finding(
            "network-read",
            Severity.WARNING,
            f"{name} asks the network, which may answer otherwise tomorrow",
            "Keep what it answered in a file, and read that",
        )
    if SENDING.match(name):
        return _finding(
            "network-write",
            Severity.WARNING,
            f"{name} sends data over the network, and does so each time the cell is executed",
            "Do it outside of what the run depends on",
        )
    match name, call.args:
        case "get_ipython().run_line_magic", [ast.Constant(value="autoreload"), ast.Constant(value=str(mode))]:
            return None if mode.split()[:1] in (["0"], ["off"]) else _autoreload()
        case _:
            command = commands.command_of(name, call)
            return None if command is None else _of_command(command)


def _autoreload() -> Finding:
    return _finding(
        "autoreload",
        Severity.INFO,
        "modules change while the notebook runs, so that two runs of a cell may run other code",
        "Switch it off for a run that matters: %autoreload 0",
    )


def _of_command(command: str) -> Finding | None:
    shown = " ".join(command.split()) or "a command"
    if commands.installs(command):
        return _finding(
            "package-installed",
            Severity.WARNING,
            f"{shown} changes the environment below the notebook",
            "Name it among the project's requirements, and install it before the kernel starts",
        )
    if commands.only_looks(command):
        return None
    return _finding(
        "shell-command",
        Severity.WARNING,
        f"{shown} can change files and processes, which the record does not see",
        "Do it in Python, or outside of the notebook",
    )


def _finding(code: str, severity: Severity, seen: str, remedy: str) -> Finding:
    return Finding(code=code, severity=severity, where="", seen=seen, remedy=remedy)
