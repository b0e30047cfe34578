"""Calls of functions that are not known, and what going through arguments may change."""

import ast

from cellops.capture.names import libraries
from cellops.capture.names.calls.called import Called, Evaluator
from cellops.capture.names.calls.in_place import hides_parameters
from cellops.capture.names.kinds import HANDLE, PLAIN_FUNCTION, WEAK, Kind
from cellops.capture.names.libraries import last, root
from cellops.capture.names.sharing import Value
from cellops.records.effects import INTERPRETER

INTO = ("out", "where")


def of_unknown(to: Evaluator, called: Called, function: Value) -> Value:
    """It may change all that it is given, and keep it, which a method of an open file does not."""
    if function.origin == HANDLE:
        go_through(to, called)
        for value in (function, *(called.values if called.method.startswith("readinto") else ())):
            to.notes.mutate(value)
        return Value(roots=function.everything)
    if root(function.origin) == WEAK:
        to.notes.miss(called.values)
    if libraries.SAVES.match(called.method):
        to.notes.write_files()
    for value in (value for value in called.values if value.kind is Kind.LIBRARY):
        to.notes.lent.update(dict.fromkeys(function.everything))
        to.give(value)
    parts = [part for part in (function, *called.values) if part.everything]
    for part in parts:
        if part is not function or function.origin != PLAIN_FUNCTION:
            to.notes.mutate(part)
    for part in parts:
        for other in parts:
            if other is not part:
                to.notes.store(part, other, anywhere=True)
    return Value(roots=frozenset().union(*(part.everything for part in parts)))


def go_through(to: Evaluator, called: Called, base: Value | None = None) -> None:
    """The arguments are read: what is not plain data may be changed, and a function among them may change the rest."""
    values = called.values + ([] if base is None else [base])
    for value in called.values:
        to.use(value)
    calling = [value for value in called.values if may_call(value)]
    for value in values if calling else ():
        to.notes.mutate(value)
        for function in calling:
            if function is not value:
                to.notes.store(function, value, anywhere=True)
    for name, value in called.arguments:
        if name in INTO:
            to.notes.mutate(value)
    for value in _written_to(called, base):
        to.notes.mutate(value)


def _written_to(called: Called, base: Value | None) -> list[Value]:
    """The arguments of a function of numpy, or of an array's method, that stand where `out` may stand too."""
    if called.function.origin == "copy.deepcopy":
        return called.values[1:]
    of_array = base is not None and base.kind is Kind.TABLE
    if not of_array and root(called.function.origin) != "numpy":
        return []
    if any(isinstance(part, ast.Starred) for part in called.node.args) or hides_parameters(called.node):
        return called.values
    place = libraries.place_of_out(called.method if of_array else last(called.function.origin))
    return [] if place is None else called.values[place - of_array : len(called.node.args)]


def may_call(value: Value) -> bool:
    if value.kind is Kind.LIBRARY:
        return INTERPRETER in value.roots or not libraries.is_known(value.origin)
    return value.kind is Kind.ACTIVE and bool(value.everything) and value.origin != HANDLE
