"""Imports and definitions of a notebook: which of them bind the same whenever they are executed."""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from cellops.capture.dataflow import scopes
from cellops.capture.names.libraries import CHANGES_ITSELF, PURE, root
from cellops.records.effects import FunctionEffects

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Assign
"""A statement that imports or defines; the assignment is that of a lambda to a name."""
OriginOf = Callable[[ast.expr], str]
"""Gives the full name of what an expression takes from a library, or from definitions of the notebook (`OWN`); an empty
text for anything else."""
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
OWN = "(notebook)"
MAKES_FIELDS = frozenset({"dataclasses", "typing", "enum"})
"""Libraries whose functions give a class its attributes: what they make is not changed afterwards."""
CACHES = frozenset({"functools.cache", "functools.lru_cache"})
"""Decorators whose functions give the same object again."""
COLLECTS = "functools.singledispatch"
"""A decorator whose function takes in others later on."""
Nodes = tuple[tuple[int, Definition], ...]
"""Statements, each with the cell in which it stands."""


@dataclass(frozen=True)
class Defined:
    """A name that import and definition statements bind, so that executing these again binds it alike."""

    nodes: Nodes
    at_once: tuple[str, ...] = ()
    """Names that the statements read when they are executed: decorators, defaults, base classes."""
    later: FunctionEffects = field(default_factory=FunctionEffects)
    """What the function, or the methods of the class, may do when they are called."""


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

    A function with constant defaults, decorated by libraries or by other such functions; a class of such functions
    with constants, or what `dataclasses.field` and its like make. A cache that a library keeps aside begins anew.
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
    """Whether a method sets an attribute of the class: `cls.count = 1`, `setattr(type(self), "count", 1)`."""
    for part in ast.walk(node):
        match part:
            case ast.Attribute(value=base, ctx=ast.Store() | ast.Del()) if _is_class(base):
                return True
            case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[base, *_]) if _is_class(base):
                return True
            case _:
                pass
    return False


def _is_class(node: ast.expr) -> bool:
    match node:
        case ast.Name(id="cls") | ast.Call(func=ast.Name(id="type")) | ast.Attribute(attr="__class__"):
            return True
        case _:
            return False


def keeps_aside(node: ast.AST) -> bool:
    """Whether functions that stand inside of it change something that is not their own: a count, a store of results."""
    inner = [part for part in ast.walk(node) if isinstance(part, scopes.Function) and part is not node]
    return any(_changes_something(part) for function in inner for part in ast.walk(function))


def _changes_something(node: ast.AST) -> bool:
    match node:
        case ast.Nonlocal() | ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
            return True
        case ast.Call(func=ast.Attribute(attr=method)):
            return method in CHANGES_ITSELF
        case _:
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
    return all(root(origin) in PURE | {"builtins", OWN} and origin != COLLECTS for origin in origins)


def is_of_package(nodes: Nodes, alias: ast.alias) -> bool:
    """Whether `import a.b` comes on top of `import a.c`: both make parts of the one package."""
    imports = [one for _, node in nodes if isinstance(node, ast.Import) for one in node.names]
    return alias.asname is None and all(one.asname is None for one in imports) and bool(imports)


def at_once(node: scopes.Function | ast.ClassDef) -> tuple[str, ...]:
    """The names that a definition reads where it stands: all but those inside of functions."""
    waiting: list[ast.AST] = [*node.decorator_list]
    if isinstance(node, ast.ClassDef):
        waiting += [*node.bases, *node.keywords, *node.body]
    else:
        given = [argument.annotation for argument in scopes.arguments(node.args)]
        waiting += [*scopes.defaults(node.args), *(one for one in (*given, node.returns) if one is not None)]
    found: dict[str, None] = {}
    local = scopes.bound_in(node.body) if isinstance(node, ast.ClassDef) else set()
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, scopes.Function | ast.ClassDef):
            found.update(dict.fromkeys(at_once(inner)))
        elif isinstance(inner, ast.Name):
            found[inner.id] = None
        elif not isinstance(inner, ast.Lambda):
            waiting += ast.iter_child_nodes(inner)
    return tuple(name for name in found if name not in local)


def has_functions(node: ast.AST) -> bool:
    """Whether functions stand inside of it, which may use what is bound below them."""
    return any(isinstance(inner, scopes.Function | ast.Lambda) for inner in ast.walk(node) if inner is not node)


def is_generator(node: ast.FunctionDef) -> bool:
    waiting: list[ast.AST] = [*node.body]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(inner, scopes.Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(inner)
    return False


def parameters(function: ast.FunctionDef | ast.Lambda) -> list[str]:
    """The names of all parameters."""
    return [argument.arg for argument in scopes.arguments(function.args)]
