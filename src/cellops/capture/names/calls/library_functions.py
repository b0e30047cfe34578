"""Calls of functions of well-known libraries."""

from cellops.capture.names import libraries
from cellops.capture.names.calls.builtin_functions import of_builtin
from cellops.capture.names.calls.called import Called, Evaluator
from cellops.capture.names.calls.files import maps_a_file, note_files, opens_to_write
from cellops.capture.names.calls.in_place import works_in_place
from cellops.capture.names.calls.unknown import go_through, of_unknown
from cellops.capture.names.kinds import HANDLE, Kind
from cellops.capture.names.libraries import last, root
from cellops.capture.names.sharing import CONSTANT, NONE, Value, either
from cellops.records.effects import ANYTHING, FILES, INTERPRETER

TABLE_LIBRARIES = frozenset({"numpy", "pandas", "polars", "pyarrow", "scipy"})
DIVIDERS = frozenset({"split", "rebuild_split"})
"""Functions of ours that give tables."""


def of_library(to: Evaluator, called: Called) -> Value:
    """A function of a library; a file that it opens to be written to stands for what all cells write."""
    if not opens_to_write(called):
        return _result(to, called)
    to.notes.write_files()
    found = _result(to, called)
    if last(called.function.origin) in libraries.MAPS or maps_a_file(called.node):
        return found._replace(roots=found.roots | {FILES})
    return Value(roots=found.roots, held=found.held | {FILES}, origin=HANDLE if found.origin == HANDLE else "")


def _result(to: Evaluator, called: Called) -> Value:
    origin = called.function.origin
    name = last(origin)
    if libraries.FRAMES.match(origin) or (root(origin) == "builtins" and _hides(called, name)):
        to.notes.unknown[name if root(origin) == "builtins" else origin] = None
        return Value(roots=frozenset({ANYTHING}))
    if libraries.changes_interpreter(origin):
        to.notes.interpreter()
    if "__dict__" in origin and libraries.changes_itself(name):
        to.place(called.function, None, either(called.values))
    if libraries.gives_state(origin):
        return Value(roots=frozenset({INTERPRETER}))
    note_files(to, called, name)
    if root(origin) == "builtins":
        return of_builtin(to, called, name)
    if root(origin) in libraries.KEEPS_STATE:
        return _of_library_with_a_state(to, called, origin)
    if root(origin) not in libraries.PURE or name in libraries.CHANGES_ARGUMENTS or works_in_place(called.node, origin):
        return of_unknown(to, called, called.function)
    go_through(to, called)
    return _result_of_library(called, root(origin))


def _of_library_with_a_state(to: Evaluator, called: Called, origin: str) -> Value:
    """A function of a library that has a state of its own."""
    go_through(to, called)
    state = Value(Kind.LIBRARY, called.function.roots, origin="logging.Logger")
    to.notes.mutate(state)
    if root(origin) == "logging":
        to.notes.active.update(dict.fromkeys(state.roots))  # it calls what has been added to loggers
        for value in called.values if last(origin) in libraries.KEPT_BY_LOGGING else ():
            to.notes.store(state, value, anywhere=True)
        if last(origin) == "getLogger":
            return state
    drawn = state.roots if origin.startswith(("matplotlib.pyplot.", "seaborn.")) else NONE
    return Value(roots=called.result.roots | drawn)


def _hides(called: Called, name: str) -> bool:
    if name == "vars":
        return not called.values and not called.inside
    return name in libraries.HIDES and not (name == "locals" and called.inside)


def _result_of_library(called: Called, library: str) -> Value:
    worst = max((value.kind for value in called.values), default=Kind.CONSTANT)
    if library == "cellops" and last(called.function.origin) in DIVIDERS and worst <= Kind.DATA:
        return called.result._replace(kind=Kind.TABLE)
    if library in TABLE_LIBRARIES and worst <= Kind.DATA and "random" not in called.function.origin:
        return called.result._replace(kind=Kind.TABLE)
    if library == "sklearn" and worst <= Kind.ESTIMATOR:
        return called.result._replace(kind=Kind.ESTIMATOR)
    if library in {"math", "pathlib"} or called.function.origin.endswith(".dumps"):
        return CONSTANT
    return called.result
