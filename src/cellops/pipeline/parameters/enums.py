"""The members of an Enum, read from the source that defines it: nothing is imported and nothing is executed."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ENUMS = {f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum", "ReprEnum", "Flag", "IntFlag")}
NO_MEMBERS = ("property", "nonmember", "enum.property", "enum.nonmember")
LARGEST = 200_000
"""Bytes of a module that is read for an Enum: larger ones are libraries', and take a second to read."""
DEEPEST = 10
"""How many modules a name is followed through that one hands on to another."""


@dataclass(frozen=True)
class Bindings:
    """What the top level of some source binds by imports and classes."""

    imports: dict[str, str] = field(default_factory=dict)
    """By the name that is bound, what it stands for: `dt` for `datetime`, `Day` for `datetime.date`."""
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    assigned: dict[str, ast.expr] = field(default_factory=dict)
    """What single names are bound to: `Rate` to `Annotated[float, Ge(0)]`."""

    def read(self, tree: ast.Module, package: str = "") -> "Bindings":
        """These bindings and those of a module; `package` is what its relative imports begin at."""
        imports, classes, assigned = dict(self.imports), dict(self.classes), dict(self.assigned)
        for statement in tree.body:
            match statement:
                case ast.Import(names=names):
                    imports |= {_bound(alias): alias.name if alias.asname else _bound(alias) for alias in names}
                case ast.ImportFrom(module=module, names=names, level=level):
                    origin = ".".join(part for part in (_parent(package, level), module) if part)
                    imports |= {alias.asname or alias.name: f"{origin}.{alias.name}" for alias in names}
                case ast.ClassDef(name=name):
                    classes[name] = statement
                    imports.pop(name, None)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    assigned[name] = value
        return Bindings(imports, classes, assigned)

    def without(self, name: str) -> "Bindings":
        """These bindings while what the name is assigned is read, so that it cannot name itself."""
        return Bindings(self.imports, self.classes, {n: v for n, v in self.assigned.items() if n != name})

    def origin(self, node: ast.expr) -> str | None:
        """The full name of a dotted expression, as far as the imports tell; None for another expression."""
        match node:
            case ast.Name(id=name):
                return self.imports.get(name, name)
            case ast.Attribute(value=value, attr=name):
                inner = self.origin(value)
                return None if inner is None else f"{inner}.{name}"
        return None


def members(name: str, bindings: Bindings, roots: Sequence[Path], depth: int = 0) -> tuple[str, ...] | None:
    """The names of the members of an Enum; None where the source of such a class is not found.

    Parameters
    ----------
    name
        Its full name: `Color` for a class among the bindings, `shop.colors.Color` for one of a module.
    roots
        The folders from which modules are imported.
    """
    if name in bindings.classes:
        found = bindings.classes[name]
        return tuple(_members(found)) if _is_enum(found, bindings, roots, depth) else None
    module, _, rest = name.rpartition(".")
    if not module or depth > DEEPEST:
        return None
    there = _bindings_of(module, roots)
    if there is None:
        return None
    return members(there.imports.get(rest, rest), there, roots, depth + 1)


def _is_enum(definition: ast.ClassDef, bindings: Bindings, roots: Sequence[Path], depth: int) -> bool:
    for base in definition.bases:
        name = bindings.origin(base)
        if name in ENUMS:
            return True
        if name is not None and name != definition.name and depth <= DEEPEST:
            is_enum = members(name, bindings, roots, depth + 1) is not None
            if is_enum:
                return True
    return False


def _members(definition: ast.ClassDef) -> Iterator[str]:
    for statement in definition.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        made = isinstance(value, ast.Call) and ast.unparse(value.func) in NO_MEMBERS
        if not (name.startswith("_") or made or isinstance(value, ast.Lambda)):
            yield name


def _bindings_of(module: str, roots: Sequence[Path]) -> Bindings | None:
    """What a module binds, from the first of the folders that has it."""
    place = module.replace(".", "/")
    for root in roots:
        for path, package in (
            (root / place / "__init__.py", module),
            (root / f"{place}.py", module.rpartition(".")[0]),
        ):
            if path.is_file() and path.stat().st_size <= LARGEST:
                try:
                    return Bindings().read(ast.parse(path.read_bytes()), package)
                except (OSError, SyntaxError, ValueError, RecursionError):
                    return None
    return None


def _parent(package: str, level: int) -> str:
    """The package that a relative import of some dots begins at."""
    return "" if level == 0 else ".".join(package.split(".")[: len(package.split(".")) - level + 1])


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]
