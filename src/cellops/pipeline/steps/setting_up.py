"""Functions of a project's modules that change what a whole kernel shares: options of libraries, variables, seeds."""

import ast
from collections.abc import Mapping

from cellops.capture.names.libraries import changes_interpreter, root
from cellops.pipeline.steps.calls import OF_THE_DISK
from cellops.pipeline.steps.definitions import DEFINITIONS


def setting_up(tree: ast.Module) -> set[str]:
    """The names of such functions and classes of a source, as far as they show it themselves.

    Files and programs are no state of a kernel.
    """
    brought = _brought(tree)
    return {
        node.name
        for node in tree.body
        if isinstance(node, DEFINITIONS) and any(_sets_up(part, brought) for part in ast.walk(node))
    }


def _brought(tree: ast.Module) -> dict[str, str]:
    """What names that are imported anywhere in a source stand for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    found[alias.asname or root(alias.name)] = alias.name if alias.asname else root(alias.name)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in names}
            case _:
                pass
    return found


def _sets_up(part: ast.AST, brought: Mapping[str, str]) -> bool:
    match part:
        case ast.Call(func=function) if origin := _origin(function, brought):
            on_disk = OF_THE_DISK.match(origin) and not origin.endswith("chdir")
            return changes_interpreter(origin) and not on_disk
        case ast.Attribute(value=base, ctx=ast.Store() | ast.Del()):
            return bool(_origin(base, brought))
        case ast.Subscript(value=base, ctx=ast.Store() | ast.Del()):
            return bool(_origin(base, brought))
        case _:
            return False


def _origin(node: ast.expr, brought: Mapping[str, str]) -> str:
    """The full name of what a library brings; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return brought.get(name, "")
        case ast.Attribute(value=base, attr=attribute) if origin := _origin(base, brought):
            return f"{origin}.{attribute}"
        case _:
            return ""
