"""Calls of methods of texts, containers, tables and estimators."""

import ast

from cellops.capture.names import libraries
from cellops.capture.names.calls.called import LAMBDA, Called, Evaluator
from cellops.capture.names.calls.files import note_files, opens_to_write
from cellops.capture.names.calls.in_place import hides_parameters, in_place, works_in_place
from cellops.capture.names.calls.unknown import go_through, may_call
from cellops.capture.names.kinds import HANDLE, Kind
from cellops.capture.names.sharing import CONSTANT, NONE, Value
from cellops.records.effects import FILES


def of_constant(to: Evaluator, called: Called) -> Value:
    """A method of a text, a number or a path."""
    go_through(to, called)
    if called.method in libraries.ON_PATHS or called.method.startswith("read_"):
        if called.method == "replace" and len(called.node.args) > 1:
            return CONSTANT
        note_files(to, called, called.method)
        written = frozenset({FILES}) if called.method == "open" and opens_to_write(called) else NONE
        return CONSTANT if called.method != "open" else Value(held=written, origin=HANDLE)
    if called.method in {"exists", "is_file", "is_dir", "stat", "iterdir", "glob", "rglob", "walk"}:
        to.notes.read_files()
        return Value(Kind.DATA, lazy=True)
    return CONSTANT


def of_data(to: Evaluator, called: Called, base: Value) -> Value:
    """A method of a container, a frame or an array."""
    go_through(to, called, base)
    if called.method.startswith(("to_", "sink_", "write_", "tofile", "save")):
        note_files(to, called, called.method)
    if called.method in libraries.RENAMES_INDEX and base.kind is Kind.TABLE and in_place(called.node):
        to.notes.rename_index(base)
    if called.method in libraries.CHANGES_ITSELF or in_place(called.node) or _may_work_in_place(called, base):
        to.notes.change(base)
        for value in called.values:
            to.notes.store(base, value)
        return base.element()
    if base.kind is Kind.TABLE and (called.method in libraries.DRAWS or _is_of_plot(called.node)):
        figures = Value(roots=frozenset({libraries.state_of("matplotlib")}))
        to.notes.mutate(figures)
        return Value(roots=base.everything | called.result.roots | figures.roots)
    if base.kind is Kind.BOX:
        boxed = called.method in {"items", "keys", "values", "copy"}
        return Value(Kind.BOX if boxed else Kind.ACTIVE, base.everything)
    if base.kind is Kind.TABLE and called.method in libraries.GIVES_A_NEW_ONE:
        return Value(Kind.TABLE, _returned(called))
    return Value(base.kind, base.everything | called.result.roots)


def _may_work_in_place(called: Called, base: Value) -> bool:
    """Whether a method of a frame may be asked to change it by a parameter whose name does not stand in the source."""
    draws = called.method in libraries.DRAWS or _is_of_plot(called.node)
    return base.kind is Kind.TABLE and hides_parameters(called.node) and not draws


def _is_of_plot(node: ast.Call) -> bool:
    """Whether a method is one of a frame's `plot`: `frame.plot.scatter(…)`."""
    return (
        isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Attribute)
        and (node.func.value.attr == "plot")
    )


def _returned(called: Called) -> frozenset[str]:
    """What functions among the arguments may return."""
    values = [value for name, value in called.arguments if name == LAMBDA or may_call(value)]
    return frozenset().union(*(value.everything for value in values))


def of_estimator(to: Evaluator, called: Called, base: Value) -> Value:
    """A method of an estimator of scikit-learn: it leaves its tables alone, unless it is told to work in them."""
    go_through(to, called)
    unsaid = any(isinstance(part, ast.Constant) and part.value is False for part in called.node.args)  # as `copy` is
    for value in called.values if unsaid or works_in_place(called.node) else ():
        to.notes.mutate(value)
    if libraries.is_pure_of_estimators(called.method):
        if called.method.startswith(("predict", "score", "decision_function")):
            return Value(Kind.TABLE)
        return Value(base.kind, base.everything | called.result.roots)
    to.notes.change(base)
    for value in called.values:
        to.notes.store(base, value)
    if called.method.endswith("_transform"):
        return Value(Kind.TABLE, called.result.roots)
    return base if called.method == "fit" else Value(base.kind, base.everything | called.result.roots)
