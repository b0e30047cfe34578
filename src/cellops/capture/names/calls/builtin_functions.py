"""Calls of Python's built-in functions."""

import ast

from cellops.capture.names import libraries
from cellops.capture.names.calls.called import Called, Evaluator
from cellops.capture.names.calls.unknown import go_through, of_unknown
from cellops.capture.names.kinds import HANDLE, Kind
from cellops.capture.names.sharing import CONSTANT, Value, class_of, dictionary_of, either
from cellops.records.effects import FunctionEffects

LAZY = frozenset({"enumerate", "filter", "iter", "map", "reversed", "zip", "aiter"})


def of_builtin(to: Evaluator, called: Called, name: str) -> Value:
    if name in {"setattr", "delattr", "next"} and called.values:
        return _changing(to, called, name)
    if name == "property" or (name == "type" and len(called.node.args) > 1):
        to.notes.pending.append(FunctionEffects(looked=True, ends=name == "type"))
    led = _of_one(to, called, name)
    if led is not None:
        return led
    if name in libraries.DESCRIBES:
        for value in (value for parameter, value in called.arguments if parameter == "file"):
            to.use(value)
        return CONSTANT
    if name not in libraries.CONSUMES and name != "open":
        return of_unknown(to, called, called.function)
    go_through(to, called)
    if name in libraries.GIVES_A_CONSTANT:
        return CONSTANT
    return Value(origin=HANDLE) if name == "open" else _gathered(called, name)


def _changing(to: Evaluator, called: Called, name: str) -> Value:
    """`setattr`, `delattr` and `next` change what they are given first."""
    into, *others = called.values
    if into.is_of_library:
        to.place(into, _text(called.node.args[1:2]), either(others))
    to.notes.mutate(into)
    if name == "setattr":
        to.notes.set_attribute(into, _text(called.node.args[1:2]))
    for value in others:
        to.notes.store(into, value, anywhere=True)
    return either(called.values).element() if name == "next" else CONSTANT


def _of_one(to: Evaluator, called: Called, name: str) -> Value | None:
    """What leads from an object to its class or its dictionary, or from a module to what it holds; None for others."""
    asked = (name, len(called.node.args))
    if asked == ("type", 1):
        return class_of(called.values[0])
    if asked in {("vars", 1), ("getattr", 2)} and called.values[0].kind is Kind.LIBRARY:
        return to.member(_of_module(called, name))
    if asked == ("vars", 1):
        return dictionary_of(called.values[0])
    return None


def _text(nodes: list[ast.expr]) -> str | None:
    """The text that an argument is, where the source shows it."""
    match nodes:
        case [ast.Constant(value=str(text))]:
            return text
        case _:
            return None


def _of_module(called: Called, name: str) -> Value:
    """What a module or a class of a library holds; under a name that is computed it may be any module's."""
    module = called.values[0]
    match called.node.args[1] if name == "getattr" else ast.Constant("__dict__"):
        case ast.Constant(value=str(attribute)):
            origin = f"{module.origin}.{attribute}"
        case _:
            origin = libraries.ALL_MODULES
    return module._replace(origin=origin, direct=False)


def _gathered(called: Called, name: str) -> Value:
    """One of the arguments' items, or a new container of them."""
    if name in {"max", "min", "sum", "getattr"}:
        parts = [value.element() if value.kind is not Kind.CONSTANT else value for value in called.values]
        return either(parts)._replace(direct=False) if parts else CONSTANT
    kind = max((value.kind for value in called.values), default=Kind.DATA)
    kind = Kind.DATA if kind in (Kind.CONSTANT, Kind.TABLE) else min(kind, Kind.BOX)
    held = frozenset[str]().union(*(value.everything for value in called.values))
    return Value(kind, roots=held, lazy=True) if name in LAZY else Value(kind, held=held)
