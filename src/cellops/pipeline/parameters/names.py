"""What the names in a parameters cell stand for, as far as the source tells."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cellops.pipeline.parameters.enums import Bindings, members
from cellops.pipeline.parameters.kinds import EnumKind

TYPING = ("Any", "Annotated", "Dict", "List", "Literal", "Optional", "Set", "Tuple", "Union")
KNOWN = {
    **{name: name for name in ("int", "float", "bool", "str", "list", "dict", "tuple", "set")},
    **{f"{module}.{name}": name for module in ("typing", "typing_extensions") for name in TYPING},
    "pathlib.Path": "Path",
    "datetime.date": "date",
    "datetime.datetime": "datetime",
}
"""By its full name, what a type goes by."""


@dataclass(frozen=True)
class Names:
    """The names that the cells down to the parameters bind."""

    bindings: Bindings = field(default_factory=Bindings)
    roots: Sequence[Path] = ()
    """The folders from which the notebook imports modules."""
    overwritten: frozenset[str] = frozenset()
    """Names that parameters take, so that no class has them when values are injected."""

    def well_known(self, node: ast.expr) -> str:
        """What a type goes by, empty for another class; a name that nothing binds counts as the well-known one."""
        full = self.bindings.origin(node) or ""
        last = full.rpartition(".")[2]
        if last == "Secret":
            return last
        bound = full in self.bindings.classes or _head(node) in self.bindings.imports
        return KNOWN.get(full, "") if bound else last if last in KNOWN.values() else ""

    def reading(self, alias: str) -> "Names":
        """These names while a type that the notebook has named is read."""
        return replace(self, bindings=self.bindings.without(alias))

    def imported(self, node: ast.expr) -> str:
        """The full name of a dotted expression; empty for what the notebook itself defines, and for no name."""
        full = self.bindings.origin(node)
        return "" if full is None or full in self.bindings.classes else full

    def enum(self, node: ast.expr) -> EnumKind:
        """The Enum that an expression names.

        Raises
        ------
        LookupError
            When its source is not found, or a parameter takes its name.
        """
        name = self.bindings.origin(node)
        found = None if name is None else members(name, self.bindings, self.roots)
        if not found or _head(node) in self.overwritten:
            raise LookupError(ast.unparse(node))
        return EnumKind(ast.unparse(node), found)

    def expression(self, module: str, name: str) -> str:
        """A class of the standard library as the notebook can name it where values are injected."""
        for alias, origin in self.bindings.imports.items():
            if alias not in self.overwritten and origin in {module, f"{module}.{name}"}:
                return alias if origin != module else f"{alias}.{name}"
        return f"__import__({module!r}).{name}"


def _head(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
