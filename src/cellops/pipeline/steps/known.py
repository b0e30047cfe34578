"""What is known of the names of a notebook at one place of it, from the source alone."""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cellops.capture.names.kinds import Description, Kind
from cellops.capture.names.libraries import PURE, root
from cellops.capture.names.sharing import Notes, Value

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Assign
"""A statement that imports or defines; the assignment is that of a lambda to a name."""
OriginOf = Callable[[ast.expr], str]
"""Gives the full name of what an expression takes from a library; an empty text for anything else."""
MAKES_FIELDS = frozenset({"dataclasses", "typing", "enum"})
"""Libraries whose functions give a class its attributes: what they make is not changed afterwards."""
COLLECTS = "functools.singledispatch"
"""A decorator whose function takes in others later on."""


@dataclass(frozen=True)
class Defined:
    """A name that import and definition statements bind, so that executing these again binds it alike."""

    nodes: tuple[tuple[int, Definition], ...]
    """Each with the cell in which it stands."""
    at_once: tuple[str, ...] = ()
    """Names that the statements read when they are executed: decorators, defaults, base classes."""
    later: tuple[str, ...] = ()
    """Names that the function, or the methods of the class, may use when they are called."""


@dataclass
class Known:
    """The names of the notebook after the cells that have been read."""

    kinds: dict[str, Description] = field(default_factory=dict)
    defined: dict[str, Defined] = field(default_factory=dict)
    bodies: dict[str, ast.FunctionDef | ast.Lambda] = field(default_factory=dict)
    """Functions that are read at each of their calls."""
    gone: set[str] = field(default_factory=set)
    """Names that were deleted last."""


class KindNotes(Notes):
    """Remembers also which names have come to hold what is no plain data."""

    def __init__(self, shares: Mapping[str, int]) -> None:
        super().__init__()
        self.raised: dict[str, Kind] = {}
        self._shares = shares
        """What each name may reach, as a set of bits, before anything here was read."""

    def store(self, into: Value, item: Value, *, anywhere: bool = False) -> None:
        super().store(into, item, anywhere=anywhere)
        if item.kind > Kind.DATA:
            kind = Kind.ACTIVE if anywhere else min(item.kind, Kind.BOX)
            for name in self._sharing(into.everything):
                self.raised[name] = max(kind, self.raised.get(name, Kind.CONSTANT))

    def _sharing(self, names: Iterable[str]) -> set[str]:
        """Names with those that may share objects with them."""
        found, new = set[str](), set(names)
        while new:
            found |= new
            bits = 0
            for name in new:
                bits |= self._shares.get(name, 0)
            near = {name for name, reached in self._shares.items() if reached & bits}
            for table in (self.aliases, self.holds, self.reaches):
                for name, others in table.items():
                    if name in found or not found.isdisjoint(others):
                        near |= {name, *others}
            new = near - found
        return found

    def kind(self, name: str, found: Kind) -> Kind:
        """The kind of a name's value with what has been put into it since."""
        return max(found, self.raised.get(name, found)) if Kind.CONSTANT < found < Kind.LIBRARY else found


def changed_by_attribute(trees: list[ast.Module]) -> set[str]:
    """Names of which some statement of the notebook sets an attribute or an item: functions that keep something."""
    found: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                inner: ast.expr = node
                while isinstance(inner, ast.Attribute | ast.Subscript):
                    inner = inner.value
            case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[inner, *_]):
                pass
            case _:
                continue
        if isinstance(inner, ast.Name):
            found.add(inner.id)
    return found


def keeps_nothing(node: ast.AST, origin_of: OriginOf) -> bool:
    """Whether a function or a class is the same however often it was used: it has nothing in itself that can change.

    A function with constant defaults, decorated by the standard library; a class of such functions with constants,
    or what `dataclasses.field` and its like make.
    """
    match node:
        case (
            ast.FunctionDef(decorator_list=decorators, args=args)
            | ast.AsyncFunctionDef(decorator_list=decorators, args=args)
        ):
            defaults = [default for default in (*args.defaults, *args.kw_defaults) if default is not None]
            return _of_libraries(decorators, origin_of) and all(_is_fixed(one, origin_of) for one in defaults)
        case ast.ClassDef(decorator_list=decorators, keywords=[], body=body):
            fixed = _of_libraries(decorators, origin_of) and all(_is_kept(inner, origin_of) for inner in body)
            return fixed and not _changes_its_class(node)
        case _:
            return False


def _changes_its_class(node: ast.ClassDef) -> bool:
    """Whether a method sets an attribute of the class: `cls.count = 1`, `type(self).count = 1`."""
    for part in ast.walk(node):
        match part:
            case ast.Attribute(
                value=ast.Name(id="cls") | ast.Call(func=ast.Name(id="type")) | ast.Attribute(attr="__class__"),
                ctx=ast.Store() | ast.Del(),
            ):
                return True
            case _:
                pass
    return False


def _is_kept(statement: ast.stmt, origin_of: OriginOf) -> bool:
    match statement:
        case ast.Assign(value=value):
            return _is_fixed(value, origin_of)
        case ast.AnnAssign(value=value):
            return value is None or _is_fixed(value, origin_of)
        case ast.Expr(value=ast.Constant()) | ast.Pass():
            return True
        case _:
            return keeps_nothing(statement, origin_of)


def _is_fixed(value: ast.expr, origin_of: OriginOf) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=operand):
            return _is_fixed(operand, origin_of)
        case ast.Tuple(elts=parts):
            return all(_is_fixed(part, origin_of) for part in parts)
        case ast.Call(func=function):
            return root(origin_of(function)) in MAKES_FIELDS
        case _:
            return bool(origin_of(value))


def _of_libraries(decorators: list[ast.expr], origin_of: OriginOf) -> bool:
    functions = [one.func if isinstance(one, ast.Call) else one for one in decorators]
    origins = [origin_of(function) for function in functions]
    return all(root(origin) in PURE | {"builtins"} and origin != COLLECTS for origin in origins)
