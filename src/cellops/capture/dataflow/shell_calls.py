"""What IPython's own syntax hides from Python: `%magic`, `!command` and `%%magic`, once they are plain calls."""

import ast
import re
from dataclasses import dataclass, field
from string import Formatter


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RUNS_CODE = frozenset({"time", "timeit", "prun", "capture", "memit", "mprun", "lprun"})
SHOWS = _words(
    """
    HTML SVG doctest_mode file_info hist history html javascript js latex ls lsmagic magic markdown mlops page pdef
    pdoc pfile pinfo pinfo2 pprint precision psearch psource pwd quickref svg who who_ls whos
    """
)
"""Magics that bind nothing and leave the interpreter as it is."""
CHANGES_THE_INTERPRETER = _words(
    """
    alias alias_magic autoreload bash cd cmd colors conda config env file killbgscripts load_ext logoff logon
    logstart logstate logstop mamba matplotlib perl pip popd pushd pylab python python2 python3 rehashx reload_ext
    reset reset_selective ruby run sc script set_env sh store sx system unload_ext uv writefile xdel xmode
    """
)
LOADS = frozenset({"load_ext", "reload_ext", "unload_ext"})
OPTIONS = re.compile(r"^(?:\s*-\w+(?:\s*\d+)?)*\s+|^\s*")
SHELL_NAME = re.compile(r"(?<![\\$])\$(?P<name>[A-Za-z_]\w*)")


@dataclass(frozen=True)
class ShellCall:
    """What a call of IPython does."""

    code: ast.Module = field(default_factory=lambda: ast.Module([], []))
    """Python that it runs in the notebook's namespace."""
    reads: tuple[str, ...] = ()
    changes_the_interpreter: bool = False
    unknown: str | None = None
    """The magic that may do anything."""


def shell_call(node: ast.Call) -> ShellCall | None:
    """What `get_ipython().METHOD(…)` does; None for any other call."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=method), args=given):
            texts = [part.value for part in given if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            return _of(method, texts) if len(texts) == len(given) else ShellCall(unknown=f"get_ipython().{method}")
        case _:
            return None


def _of(method: str, texts: list[str]) -> ShellCall:
    match method, texts:
        case (("system" | "getoutput" | "getoutput_pexpect" | "system_piped" | "system_raw"), [command]):
            return ShellCall(reads=_expanded(command), changes_the_interpreter=True)
        case "run_line_magic", [name, text]:
            return _magic(name, text, text)
        case "run_cell_magic", [name, line, body]:
            return _magic(name, line, body)
        case _:
            return ShellCall(unknown=f"get_ipython().{method}")


def _magic(name: str, line: str, text: str) -> ShellCall:
    if name in RUNS_CODE:
        code = _parsed(text if text != line else OPTIONS.sub("", text, count=1))
        return ShellCall(unknown=f"%{name}") if code is None else ShellCall(code)
    if name == "mlops" or (name in LOADS and line.strip() == "cellops"):
        return ShellCall(reads=_table(line))
    reads = tuple(dict.fromkeys((*_expanded(line), *(_expanded(text) if name in CHANGES_THE_INTERPRETER else ()))))
    if name == "run" and "-i" in line.split():
        return ShellCall(reads=reads, unknown="%run -i")
    if name in SHOWS:
        return ShellCall(reads=reads)
    if name in CHANGES_THE_INTERPRETER:
        return ShellCall(reads=reads, changes_the_interpreter=True)
    return ShellCall(reads=reads, unknown=f"%{name}")


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _table(line: str) -> tuple[str, ...]:
    """What `%%mlops expect TABLE` looks at."""
    verb, _, argument = line.strip().partition(" ")
    return _names(argument) if verb == "expect" else ()


def _expanded(text: str) -> tuple[str, ...]:
    """The names that IPython puts into a command: `{name}` and `$name`."""
    found = dict.fromkeys(match["name"] for match in SHELL_NAME.finditer(text))
    try:
        expressions = [part for _, part, _, _ in Formatter().parse(text) if part]
    except ValueError:
        expressions = []
    return (*found, *(name for part in expressions for name in _names(part) if name not in found))


def _names(expression: str) -> tuple[str, ...]:
    tree = _parsed(expression.strip())
    return () if tree is None else tuple({n.id: None for n in ast.walk(tree) if isinstance(n, ast.Name)})
