"""What modules of a project keep in themselves, as their sources show it: each kernel has modules of its own."""

import ast
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cellops.capture.names.effects import Source
from cellops.capture.names.kinds import CONSTANT_MODULES, Kind
from cellops.capture.names.libraries import last, root
from cellops.pipeline.steps.definitions import DEFINITIONS, OWN, changed_by_attribute, keeps_nothing
from cellops.pipeline.steps.setting_up import setting_up

MOST_FILES = 200
"""Files of one module that are read."""
LARGEST = 500_000
"""Bytes of a file that is read."""
KEEPS = frozenset({Kind.BOX, Kind.ACTIVE})


class Modules:
    """The modules that a notebook may import from its project.

    Parameters
    ----------
    folders
        Where they are looked for. Those of other folders, and installed ones, are not read.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = folders
        self._read: dict[str, list[ast.Module]] = {}

    def changing(self, module: str) -> set[str]:
        """The names of a module by which code may change what it keeps, or what modules that it imports keep."""
        trees = [tree for one in self.reached(module) for tree in self._trees(one)]
        return _with_callers(set[str]().union(*map(_changing, trees)), trees)

    def sets_up(self, origin: str) -> bool:
        """Whether a function changes what a whole kernel shares: options of libraries, variables, the folder.

        Parameters
        ----------
        origin
            Its full name: `helpers.configure`.
        """
        module, _, name = origin.partition(".")
        if not name or not self._files(module):
            return False
        trees = [tree for one in self.reached(module) for tree in self._trees(one)]
        return last(origin) in _with_callers(set[str]().union(*map(setting_up, trees)), trees)

    def reached(self, module: str) -> set[str]:
        """A module of the project with those of the project that it imports; nothing for others."""
        found, waiting = set[str](), [module]
        while waiting:
            one = waiting.pop()
            if one not in found and self._files(one):
                found.add(one)
                waiting += {root(name) for tree in self._trees(one) for name in _imported(tree)}
        return found

    def _trees(self, module: str) -> list[ast.Module]:
        if module not in self._read:
            self._read[module] = list(_trees(self._files(module)))
        return self._read[module]

    def _files(self, module: str) -> list[Path]:
        for folder in self._folders:
            if (folder / f"{module}.py").is_file():
                return [folder / f"{module}.py"]
            if (folder / module).is_dir():
                return sorted(itertools.islice((folder / module).rglob("*.py"), MOST_FILES))
        return []


def words(nodes: Iterable[ast.AST]) -> set[str]:
    """All names and attributes that some code mentions, also in texts."""
    found = set[str]()
    for part in (part for node in nodes for part in ast.walk(node)):
        match part:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) | ast.Constant(value=str(name)):
                found.add(name)
            case _:
                pass
    return found


def _trees(files: Iterable[Path]) -> Iterator[ast.Module]:
    for path in files:
        try:
            if path.stat().st_size <= LARGEST:
                yield ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue  # a kernel says what is wrong with it


def _changing(tree: ast.Module) -> set[str]:
    """The functions, classes and objects of a source that change what it keeps."""
    try:
        source = Source(lambda _: None)
        source.run(tree.body)
    except RecursionError:
        return words([tree])
    attributed = changed_by_attribute([tree])
    defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    objects = {name for name in source.bound if name not in defined and source.bound[name].kind is not Kind.LIBRARY}

    def origin_of(node: ast.expr) -> str:
        match node:
            case ast.Name(id=name) if name in defined:
                return f"{OWN}.{name}"
            case ast.Name(id=name):
                return source.bound[name].origin if name in source.bound else f"builtins.{name}"
            case ast.Attribute(value=base, attr=attribute) if origin_of(base):
                return f"{origin_of(base)}.{attribute}"
            case _:
                return ""

    objects -= {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name) and root(origin_of(node.value.func)) in CONSTANT_MODULES
    }
    found = {name for name, node in defined.items() if name in attributed or not keeps_nothing(node, origin_of)}
    found |= {name for name in objects if source.bound[name].kind in KEEPS}
    for name in defined:
        effects = source.notes.functions.get(name)
        if effects is not None and not objects.isdisjoint((*effects.changes, *effects.consumes)):
            found.add(name)
    return found


def _with_callers(changing: set[str], trees: Sequence[ast.Module]) -> set[str]:
    """Some names with those of functions and classes that mention them."""
    mentioned = {node.name: words([node]) for tree in trees for node in tree.body if isinstance(node, DEFINITIONS)}
    new = changing
    while new:
        changing = changing | new
        new = {name for name, held in mentioned.items() if name not in changing and not held.isdisjoint(changing)}
    return changing


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
            case _:
                pass
