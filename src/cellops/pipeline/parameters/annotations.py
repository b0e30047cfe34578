"""The type that an annotation means."""

import ast
from collections.abc import Iterator

from cellops.pipeline.parameters import containers, kinds
from cellops.pipeline.parameters.kinds import Kind
from cellops.pipeline.parameters.limits import limits
from cellops.pipeline.parameters.literals import value
from cellops.pipeline.parameters.names import Names
from cellops.pipeline.parameters.secret import SecretKind

SIMPLE: dict[str, Kind] = {
    "int": kinds.Scalar(int),
    "float": kinds.Float(),
    "bool": kinds.BOOL,
    "str": kinds.TEXT,
    "Any": kinds.Anything(),
    "Path": kinds.PathKind(),
    "date": kinds.DateKind(),
    "datetime": kinds.DatetimeKind(),
    "dict": containers.Mapped(kinds.Anything(), kinds.Anything()),
    "Dict": containers.Mapped(kinds.Anything(), kinds.Anything()),
    **{kind.__name__: containers.Items(kind, kinds.Anything()) for kind in (list, tuple, set)},
    **{kind.__name__.capitalize(): containers.Items(kind, kinds.Anything()) for kind in (list, tuple, set)},
    "Secret": SecretKind(),
}
ALLOWED = (
    "int, float, bool, str, Path, date, datetime, an Enum, Literal[...], list[...], tuple[...], set[...], dict[...], "
    "None, Optional[...] or a union of them, Annotated[...] with a range; a Secret is one text: Secret or Secret | None"
)


def kind(annotation: ast.expr, names: Names) -> Kind:
    """The type that an annotation means, as the cell's names stand.

    Raises
    ------
    LookupError
        When it is none that a value from outside can have.
    """
    match annotation:
        case ast.Constant(value=str(text)):
            return kind_of(text, names)
        case ast.Constant(value=None):
            return kinds.NONE
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return containers.AnyOf((kind(left, names), kind(right, names)))
        case ast.Subscript(value=generic, slice=inner):
            arguments = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _generic(names.well_known(generic).capitalize(), arguments, names)
        case ast.Name(id=alias) if alias in names.bindings.assigned:
            return kind(names.bindings.assigned[alias], names.reading(alias))
    name = names.well_known(annotation)
    return SIMPLE[name] if name else names.enum(annotation)


def kind_of(text: str, names: Names) -> Kind:
    """The same of an annotation in quotes."""
    try:
        return kind(ast.parse(text.strip(), mode="eval").body, names)
    except (SyntaxError, ValueError) as error:
        raise LookupError(text) from error


def _generic(name: str, arguments: list[ast.expr], names: Names) -> Kind:
    match name, arguments:
        case "Literal", _:
            return kinds.Choice(tuple(map(_constant, arguments)))
        case "Annotated", [inner, *parts]:
            found = tuple(limit for part in parts for limit in limits(part, names.imported, lambda n: value(n, names)))
            return containers.Limited(kind(inner, names), found) if found else kind(inner, names)
        case "Tuple", [item, ast.Constant(value=rest)] if rest is ...:
            return containers.Items(tuple, kind(item, names))
    members = [kind(argument, names) for argument in arguments]
    if name not in {"Optional", "Union"} and any(SecretKind() in member.parts() for member in members):
        raise LookupError(name)
    return _built(name, members)


def _built(name: str, inner: list[Kind]) -> Kind:
    match name, inner:
        case "List" | "Set", [item]:
            return containers.Items({"List": list, "Set": set}[name], item)
        case "Tuple", _:
            return containers.Fields(tuple(inner))
        case "Dict", [key, item]:
            return containers.Mapped(key, item)
        case "Optional", [item]:
            return containers.AnyOf((item, kinds.NONE))
        case "Union", _:
            return containers.AnyOf(tuple(inner))
    raise LookupError(name)


def choices(of: Kind) -> Iterator[str]:
    """What a type says of its values beyond its name: the members of an Enum, limits.

    Examples
    --------
    >>> list(choices(kinds.EnumKind("Color", ("RED", "GREEN"))))
    ['one of RED, GREEN']
    """
    match of:
        case kinds.EnumKind(members=names):
            yield f"one of {', '.join(names)}"
        case containers.Limited(kind=inner, limits=found):
            yield from choices(inner)
            yield ", ".join(map(str, found))
        case containers.AnyOf(kinds=several):
            for one in several:
                yield from choices(one)
        case containers.Items(item=inner):
            yield from (f"each {said}" for said in choices(inner))


def _constant(node: ast.expr) -> object:
    match node:
        case ast.Constant(value=None | bool() | int() | str() as constant):
            return constant
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))):
            return -number
    raise LookupError(ast.unparse(node))
