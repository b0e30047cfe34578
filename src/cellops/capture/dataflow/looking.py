"""Classes whose objects do something when nobody calls them: when they are looked at, or given up."""

import ast
from collections.abc import Iterator

from cellops.capture.dataflow.scopes import Function

HARMLESS_DECORATORS = frozenset({"abstractmethod", "asynccontextmanager", "cache", "classmethod", "contextmanager",
                                 "deleter", "final", "inference_mode", "jit", "lru_cache", "njit", "no_grad",
                                 "overload", "override", "setter", "staticmethod", "wraps"})  # fmt: skip
"""Decorators whose functions run when they are called, and not when they are read."""
CALLED = frozenset({"__init__", "__new__", "__call__", "__post_init__", "__init_subclass__", "__enter__", "__exit__",
                    "__aenter__", "__aexit__", "__setattr__", "__setitem__", "__delattr__", "__delitem__", "__set__",
                    "__set_name__", "__del__", "__getstate__", "__setstate__", "__reduce__", "__reduce_ex__",
                    "__copy__", "__deepcopy__"})  # fmt: skip
"""Methods of Python's own names that run by a call, an assignment or the like: these are no looking."""
LOOKS = frozenset({"bool", "callable", "float", "getattr", "hasattr", "hash", "id", "int", "isinstance", "issubclass",
                   "len", "repr", "str", "super", "type"})  # fmt: skip
"""Built-in functions that look at their arguments."""
LOOKING = (
    ast.Return, ast.Expr, ast.Pass, ast.If, ast.Raise, ast.IfExp, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare,
    ast.Constant, ast.Name, ast.Attribute, ast.JoinedStr, ast.FormattedValue, ast.Slice, ast.Tuple,
    ast.expr_context,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.keyword,
)  # fmt: skip
"""What code is made of that does nothing but look at values."""


def acts_when_looked_at(node: ast.AST) -> bool:
    """Whether reading an attribute of an object of the classes in some code, or printing one, may change something."""
    classes = (part for part in ast.walk(node) if isinstance(part, ast.ClassDef))
    return any(_acts(part) for one in classes for part in _looked_at(one.body))


def _looked_at(body: list[ast.stmt]) -> Iterator[Function | ast.expr]:
    """What runs when an object is looked at: properties, and methods of Python's and IPython's own names."""
    for part in body:
        match part:
            case (
                ast.FunctionDef(name=name, decorator_list=decorators)
                | ast.AsyncFunctionDef(name=name, decorator_list=decorators)
            ):
                if is_special(name) or any(_last(decorator) not in HARMLESS_DECORATORS for decorator in decorators):
                    yield part
            case ast.Assign(value=ast.Call() as call) if _last(call).endswith("property"):
                yield call
            case ast.Assign(targets=targets, value=ast.Name() | ast.Lambda() as value):
                known = isinstance(value, ast.Name) and is_special(value.id)
                if not known and any(isinstance(target, ast.Name) and is_special(target.id) for target in targets):
                    yield value
            case _:
                pass


def is_special(name: str) -> bool:
    """Whether a method of this name runs when its object is looked at."""
    return name.startswith(("__", "_repr_", "_ipython_")) and name.endswith("_") and name not in CALLED


def _last(node: ast.expr) -> str:
    """The last part of the name of a function, called or not."""
    match node:
        case ast.Call(func=function):
            return _last(function)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _acts(node: Function | ast.expr) -> bool:
    """Whether code does more than to look at values, as far as the source shows it."""
    if isinstance(node, ast.expr):
        return True
    passes_on = node.name == "__getitem__"  # what asks for an item is taken to change its object anyway
    parts = (part for statement in node.body for part in ast.walk(statement))
    return any(not (_looks(part) or (passes_on and isinstance(part, ast.Subscript))) for part in parts)


def _looks(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in LOOKS or name.endswith("Error")
        case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
            return True
        case ast.Assign(targets=[ast.Name()]):
            return True
        case ast.Name(ctx=ast.Store()):
            return True
        case ast.Name() | ast.Attribute():
            return False
        case _:
            return isinstance(node, LOOKING)


def acts_when_given_up(node: ast.AST) -> bool:
    """Whether objects of a class have a `__del__`, or those of a function do something behind a `yield`."""
    parts = list(ast.walk(node))
    if any(isinstance(part, ast.FunctionDef) and part.name == "__del__" for part in parts):
        return True
    waits = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in parts)
    return waits and any(isinstance(part, ast.Try | ast.TryStar | ast.With | ast.AsyncWith) for part in parts)
