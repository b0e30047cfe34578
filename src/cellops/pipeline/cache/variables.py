"""Variables of the environment that decide what code computes: what libraries heed, and what it asks for itself."""

import ast
import hmac
import os
from collections.abc import Iterable
from pathlib import Path

from cellops.capture.environment.description import VARIABLES
from cellops.records.module import ModuleSource

HEEDED = (*VARIABLES, "PYTHONPATH")
MAPPINGS = frozenset({"environ", "environb"})
ASKING = frozenset({"getenv", "getenvb"})
ASKING_FOR_ANY = frozenset({"expandvars"})
HOME = frozenset({"HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH"})
OF_THE_USER = {"expanduser": HOME, "getuser": frozenset({"LOGNAME", "USER", "LNAME", "USERNAME"})}
"""Functions that look up variables whose names do not stand in the call; `home` is one as a method only."""
METHODS = frozenset({"get", "pop", "setdefault"})
ALL = "(all)"
"""Stands for every variable, where nobody can say which ones the code asks for."""
PASSING = ("CELLOPS_", "OLDPWD", "SHLVL", "_")
"""How names of variables begin, or are, that are others each time."""


def variables(trees: Iterable[ast.Module], salt: bytes) -> dict[str, str]:
    """The variables that libraries heed, and digests of those that cells ask for, by name."""
    held = {name: os.environ[name] for name in HEEDED if name in os.environ}
    return _asked(trees, salt) | held


def variables_of(modules: Iterable[ModuleSource], project: Path, salt: bytes) -> dict[str, str]:
    """Digests of the variables that the sources of some modules ask for, by name."""
    trees = []
    for module in modules:
        try:
            source = (project / Path(module.path).expanduser()).read_text(encoding="utf-8")
            if any(word in source for word in (*MAPPINGS, *ASKING, *ASKING_FOR_ANY, *OF_THE_USER, "home")):
                trees.append(ast.parse(source))
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
    return _asked(trees, salt)


def hidden(text: str, salt: bytes = b"") -> str:
    """What tells that a text is another, and does not show it."""
    return hmac.new(salt, text.encode(errors="surrogatepass"), "sha256").hexdigest()[:16]


def asked_for(tree: ast.Module) -> set[str] | None:
    """The names of the variables that code asks for; None where these may be any.

    Examples
    --------
    >>> sorted(asked_for(ast.parse("os.environ['A'], os.getenv('B', 1), 'C' in environ")))
    ['A', 'B', 'C']
    >>> asked_for(ast.parse("os.environ[name]"))
    >>> asked_for(ast.parse("a.get('A')"))
    set()
    """
    mentions = [node for node in ast.walk(tree) if _word(node) in MAPPINGS | ASKING | ASKING_FOR_ANY]
    named = [found for node in ast.walk(tree) if (found := _named(node)) is not None]
    if len(named) < len(mentions) or _magics(tree):
        return None
    return {name for name in named if name}.union(*map(_of_the_user, ast.walk(tree)))


def _asked(trees: Iterable[ast.Module], salt: bytes) -> dict[str, str]:
    names: set[str] = set()
    for tree in trees:
        asked = asked_for(tree)
        if asked is None:
            kept = sorted(item for item in os.environ.items() if not item[0].startswith(PASSING[0]))
            return {ALL: hidden(repr([item for item in kept if item[0] not in PASSING]), salt)}
        names |= asked
    return {name: hidden(os.environ[name], salt) for name in sorted(names) if name in os.environ}


def _of_the_user(node: ast.AST) -> frozenset[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr="home")):
            return HOME
        case ast.alias(name=name) | ast.Name(id=name) | ast.Attribute(attr=name):
            return OF_THE_USER.get(name, frozenset())
        case _:
            return frozenset()


def _word(node: ast.AST | None) -> str:
    """The name that is used or, where it is imported, given another one."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name, asname=str()):
            return name
        case _:
            return ""


def _named(node: ast.AST) -> str | None:
    """The variable of an expression that names it; an empty text where one only sets some."""
    match node:
        case ast.Subscript(value=mapping, slice=ast.Constant(value=str(name))) if _word(mapping) in MAPPINGS:
            return name
        case ast.Call(func=ast.Attribute(value=mapping, attr="update")) if _word(mapping) in MAPPINGS:
            return ""
        case ast.Call(func=ast.Attribute(value=mapping, attr=method), args=[ast.Constant(value=str(name)), *_]) if (
            _word(mapping) in MAPPINGS and method in METHODS
        ):
            return name
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if _word(function) in ASKING:
            return name
        case ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In() | ast.NotIn()], comparators=[mapping]) if (
            _word(mapping) in MAPPINGS
        ):
            return name
        case _:
            return None


def _magics(tree: ast.Module) -> bool:
    """Whether `%env` may show any of them."""
    return any(
        isinstance(node, ast.Call)
        and _word(node.func) == "run_line_magic"
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value == "env"
        for node in ast.walk(tree)
    )
