"""Shell commands of a cell, and which of them only look."""

import ast
import re
import shlex
from collections.abc import Iterator

LOOKING = re.compile(
    r"^(?:cat|cd|date|df|dir|du|echo|file|free|grep|head|hostname|id|ls|lscpu|md5sum|more|nproc|nvidia-smi|printenv|pwd"
    r"|sha256sum|sort|stat|tail|tree|type|uname|uniq|uptime|wc|which|whoami|zcat)$"
)
LOOKING_VERBS = {
    "git": ("blame", "branch", "diff", "log", "remote", "rev-parse", "show", "status"),
    "pip": ("check", "debug", "freeze", "index", "list", "show"),
    "conda": ("info", "list", "search"),
    "dvc": ("diff", "list", "status"),
}
INSTALLERS = frozenset({"pip", "pip3", "conda", "mamba", "micromamba", "uv", "apt", "apt-get", "poetry", "npm", "pixi"})
INSTALLING = frozenset({"install", "uninstall", "add", "remove", "sync", "update", "upgrade", "create"})
BETWEEN_COMMANDS = re.compile(r"&&|\|\||[|;&\n]")
MAGICS = ("pip", "conda", "mamba", "micromamba", "uv")
SHELL_MAGICS = ("sx", "system", "bash", "sh", "script", "!", "cmd", "perl", "ruby")
FUNCTIONS = frozenset(
    f"{module}.{name}"
    for module, names in {
        "subprocess": ("run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput"),
        "os": ("system", "popen"),
    }.items()
    for name in names
)
UNKNOWN = ""


def dotted(node: ast.expr) -> str:
    """A name with its attributes as it is written; empty for every other expression but `get_ipython().…`."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=base, attr=name):
            return f"{held}.{name}" if (held := dotted(base)) else ""
        case ast.Call(func=ast.Name(id="get_ipython")):
            return "get_ipython()"
        case _:
            return ""


def of_cell_magic(source: str) -> str | None:
    """The script below `%%bash` and its like; None in any other cell."""
    first, _, rest = source.lstrip().partition("\n")
    name = first.removeprefix("%%").split(maxsplit=1)[:1]
    return rest if first.startswith("%%") and name and name[0] in SHELL_MAGICS else None


def installs(command: str) -> bool:
    """Whether a command changes what is installed."""
    return any(_installs(words) for words in _parts(command))


def only_looks(command: str) -> bool:
    """Whether a command changes nothing, as far as its words tell."""
    if command == UNKNOWN or ">" in command:
        return False
    return all(_only_looks(words) for words in _parts(command))


def command_of(name: str, call: ast.Call) -> str | None:
    """The shell command of a call, empty where it is computed; None for a call of anything else."""
    if name in {"get_ipython().system", "get_ipython().getoutput"} or name in FUNCTIONS:
        return _text(call.args[0]) if call.args else UNKNOWN
    match name, call.args:
        case "get_ipython().run_line_magic", [ast.Constant(value=str(magic)), ast.Constant(value=str(line))]:
            if magic in MAGICS:
                return f"{magic} {line}"
            return line if magic in SHELL_MAGICS else None
        case _:
            return None


def _text(node: ast.expr) -> str:
    """The command that an argument holds, with what is computed in it left out."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return " ".join(_text(part) or "{}" for part in parts)
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        case ast.Attribute(attr="executable"):
            return "python"
        case _:
            return UNKNOWN


def _parts(command: str) -> Iterator[list[str]]:
    """The words of each command of a line; comments and empty ones are left out."""
    for part in BETWEEN_COMMANDS.split(command):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            words = part.split()
        words = words[2:] if words[1:2] == ["-m"] and words[0].startswith("python") else words
        if words:
            yield words


def _installs(words: list[str]) -> bool:
    name = words[1] if words[0] == "sudo" and len(words) > 1 else words[0]
    return name in INSTALLERS and not INSTALLING.isdisjoint(words[1:4])


def _only_looks(words: list[str]) -> bool:
    name, rest = words[0].rpartition("/")[2], words[1:]
    if name in LOOKING_VERBS:
        return bool(rest) and rest[0] in LOOKING_VERBS[name]
    if name == "find":
        return not {"-delete", "-exec", "-execdir"} & set(rest)
    return bool(LOOKING.match(name)) or rest in (["--version"], ["-V"], ["--help"])
