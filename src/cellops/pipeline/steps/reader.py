"""Reads the statements of a step for what they do to the names of the notebook.

The reading is that of captured cells (`capture.names.effects`), with two differences. Nothing has been executed, so the
kinds of values are what the source shows. And a function of the notebook is read at each of its calls, with what it is
given there, so that one that leaves its arguments alone is seen to do so.
"""

import ast
from collections.abc import Callable, Mapping

from cellops.capture.dataflow import scopes
from cellops.capture.names import libraries
from cellops.capture.names.kinds import Kind
from cellops.capture.names.sharing import NONE, Value
from cellops.pipeline.steps.calls import Calls
from cellops.pipeline.steps.definitions import (
    OWN,
    Defined,
    Definition,
    Nodes,
    at_once,
    is_generator,
    is_of_package,
    keeps_aside,
    keeps_nothing,
)
from cellops.pipeline.steps.known import Known
from cellops.records.effects import INTERPRETER, FunctionEffects

FIXED_TYPES = frozenset({"bool", "date", "float", "int", "Path", "str"})
"""Annotations of values that cannot be changed."""


class Reader(Calls):
    """Reads cells, one after the other, from what is known of the names before them."""

    def __init__(
        self,
        known: Known,
        changed_by_attribute: set[str],
        shares: Mapping[str, int],
        *,
        sets_up: Callable[[str], bool],
        in_step: bool = True,
    ) -> None:
        super().__init__(known, shares, in_step=in_step, sets_up=sets_up)
        self.gone: set[str] = set()
        """Names that it has deleted last."""
        self.at: dict[tuple[str, str], tuple[int, int]] = {}
        """The cell and the line at which a name was first `read`, `bound` or `changed`, or something else was."""
        self._changed_by_attribute = changed_by_attribute

    def read(self, cell: int, tree: ast.Module) -> None:
        """Read the next cell."""
        self.where = (cell, 1)
        try:
            self.run(tree.body)
        except RecursionError:
            self.notes.unknown["code that is nested very deep"] = None

    def statement(self, node: ast.AST) -> None:
        if not self._calling and isinstance(node, ast.stmt):
            self.where = (self.where[0], node.lineno)
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda(args=args) as function) if not (
                self._is_local(name) or scopes.defaults(args)
            ):
                self._define_lambda(name, node, function)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=None) if not self.stands(name):
                self.value(kind)
                fixed = isinstance(kind, ast.Name) and kind.id in FIXED_TYPES
                # It is a parameter whose value is given from outside.
                self.bind_name(name, Value(Kind.CONSTANT if fixed else Kind.DATA))
            case _:
                super().statement(node)
        for name in (*self.notes.changes, *self.notes.mutates):
            self.at.setdefault((name, "changed"), self.where)
        for reason in self.notes.unknown:
            self.at.setdefault((reason, "unknown"), self.where)

    def name(self, name: str) -> Value:
        found = super().name(name)
        if name in self.notes.needs:
            self.at.setdefault((name, "read"), self.where)
        if self._is_function(name):
            return self.function_value(name, may_run=True)
        return found if self._is_local(name) else found._replace(kind=self.notes.kind(name, found.kind))

    def value(self, node: ast.expr | None) -> Value:
        match node:
            case ast.Compare(left=left, ops=operators, comparators=others) if any(
                isinstance(one, ast.Is | ast.IsNot) for one in operators
            ) and not any(isinstance(one, ast.Constant) for one in (left, *others)):
                for part in (left, *others):
                    self.notes.compared |= super().value(part).everything
            case _:
                pass
        return super().value(node)

    def _of_library(self, origin: str) -> Value:
        """What a module keeps in itself is set up again for each step, and shared by none."""
        found = super()._of_library(origin)
        return found._replace(roots=NONE) if self.in_step else found

    def bind_name(self, name: str, value: Value) -> None:
        super().bind_name(name, value)
        if self._is_local(name):
            return
        self.at.setdefault((name, "bound"), self.where)
        if not self.conditions:
            self.notes.raised.pop(name, None)
        self.gone.discard(name)
        self.defined.pop(name, None)
        self.bodies.pop(name, None)

    def bind(self, target: ast.expr, value: Value) -> None:
        """Bind a target; what one object that is not known is taken apart into may share what that has kept."""
        super().bind(target, value)
        if isinstance(target, ast.Tuple | ast.List) and value.kind >= Kind.BOX:
            parts = [part.id for part in ast.walk(target) if isinstance(part, ast.Name) and not self._is_local(part.id)]
            for name in parts[1:]:
                self.notes.aliases.setdefault(name, set()).add(parts[0])

    def bring_in(self, node: ast.Import | ast.ImportFrom) -> None:
        """Importing changes nothing that another step sees: it imports again what it uses."""
        before = dict(self.defined)
        changed = INTERPRETER in self.notes.changes
        super().bring_in(node)
        if not changed:
            self.notes.changes.pop(INTERPRETER, None)
        if any(alias.name == "*" for alias in node.names):
            module = "." * getattr(node, "level", 0) + (getattr(node, "module", "") or "")
            self.notes.unknown[f"from {module} import *"] = None
        for alias in node.names:
            name = alias.asname or libraries.root(alias.name)
            same = before[name].nodes if name in before and is_of_package(before[name].nodes, alias) else ()
            self._define_once(name, node, same=same)

    def define(self, node: scopes.Function | ast.ClassDef) -> None:
        super().define(node)
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            self.notes.mutate(self.value(base))  # its `__init_subclass__` may keep the new class
        scope = self._local(node.name)
        if scope is not None:
            scope[node.name] = self._with_captured(node, scope[node.name])
        if node.name in self._changed_by_attribute or not keeps_nothing(node, self._defined_origin):
            return
        self._define_once(node.name, node, at_once(node))
        if isinstance(node, ast.FunctionDef) and not node.decorator_list and not is_generator(node):
            self._learn_body(node.name, node)

    def _defined_origin(self, node: ast.expr) -> str:
        """The full name of what a library, or a definition of the notebook, brings."""
        if not isinstance(node, ast.Name) or not self._is_function(node.id):
            return self._origin(node)
        return "" if any(keeps_aside(inner) for _, inner in self.defined[node.id].nodes) else f"{OWN}.{node.id}"

    def _define_lambda(self, name: str, node: ast.Assign, function: ast.Lambda) -> None:
        """A lambda that is given a name is a function like any other: it uses nothing until it is called."""
        self.bind_name(name, Value(Kind.ACTIVE))
        self.notes.add_function(name, self.function(function))
        self._define_once(name, node)
        self._learn_body(name, function)

    def _delete(self, target: ast.expr) -> None:
        super()._delete(target)
        if isinstance(target, ast.Name) and not self._is_local(target.id) and not self.conditions:
            self.gone.add(target.id)

    def _define_once(self, name: str, node: Definition, at_once: tuple[str, ...] = (), same: Nodes = ()) -> None:
        if not self.conditions and not self.scopes:
            later = self.notes.functions.pop(name, FunctionEffects())
            self.defined[name] = Defined((*same, (self.where[0], node)), at_once, later)

    def _learn_body(self, name: str, node: ast.FunctionDef | ast.Lambda) -> None:
        if not self.conditions and not self.scopes:
            self.bodies[name] = node
