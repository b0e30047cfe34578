"""Attributes that are computed when they are read first and kept in their object: reading one is a change of it."""

import ast
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cellops.capture.names.types import bases_of, held_by

OF_SOURCE = "cached_property"


class Caches:
    """The names of such attributes, of the classes that cells have defined and of the objects that they read."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._defined: set[str] = set()

    def learn(self, source: str, tree: ast.AST) -> None:
        """Take in the classes that a cell defines, before it is read for what it changes."""
        if OF_SOURCE not in source:
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(OF_SOURCE in ast.unparse(d) for d in node.decorator_list):
                self._defined.add(node.name)

    def among(self, names: Iterable[str]) -> Callable[[str], bool]:
        """What tells of an attribute whether it is one; of classes from elsewhere where a name stands for an object."""

        def is_cached(attribute: str) -> bool:
            kinds = (type(self._namespace[name]) for name in names if name in self._namespace)
            return attribute in self._defined or any(_caches(kind, attribute) for kind in kinds)

        return is_cached


def _caches(kind: type, attribute: str) -> bool:
    found = next((held_by(base)[attribute] for base in bases_of(kind) if attribute in held_by(base)), None)
    return type(found) is functools.cached_property
