"""The names of its notebook that a definition uses."""

import ast
import symtable
import sys
from collections.abc import Iterator

from cellops.data.features.refused import Refused


def used_names(text: str, name: str) -> list[str]:
    """The names of the notebook that a definition uses, when it is executed and when it is called."""
    top = symtable.symtable(text, name, "exec")
    found = [one.get_name() for one in top.get_symbols() if one.is_referenced() and not one.is_assigned()]
    for table in _inner(top):
        for one in table.get_symbols():
            if one.is_declared_global() and one.is_assigned():
                seen = f"{name} sets {one.get_name()}, a name of the notebook"
                raise Refused(seen, "A feature gives its value back and changes nothing else", code="feature-sets-name")
            if one.is_global() and one.is_referenced():
                found.append(one.get_name())
    return [used for used in dict.fromkeys(found) if used != name]


def _inner(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inner(child)


def used_submodules(tree: ast.Module, name: str, full: str) -> Iterator[str]:
    """Modules that are used as attributes of their package, `scipy.stats` where `scipy` is imported."""
    for node in ast.walk(tree):
        words, inner = [], node
        while isinstance(inner, ast.Attribute):
            words.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id == name and words:
            for end in range(1, len(words) + 1):
                found = ".".join((full, *words[::-1][:end]))
                if found in sys.modules:
                    yield found
