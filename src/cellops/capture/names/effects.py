"""How a cell hangs together with others: which names it needs, binds and may change, and which share their objects.

It reads the statements in their order. What cannot be told is taken for the worst: a function that is not known may
change all that it is given. Looking at an object (an attribute of it, comparing, printing it, asking for its length)
changes it only if its class has code for that which may do more than to look itself.
"""

import ast
import builtins
import sys

from cellops.capture.dataflow import scopes
from cellops.capture.dataflow.looking import acts_when_given_up, acts_when_looked_at
from cellops.capture.dataflow.scopes import Function
from cellops.capture.dataflow.setting import set_by
from cellops.capture.dataflow.shell_calls import shell_call
from cellops.capture.dataflow.texts import constant_code
from cellops.capture.names.expressions import MAIN
from cellops.capture.names.kinds import NAMESPACE, SHELL, Description, Kind
from cellops.capture.names.libraries import KEEPS_STATE, PURE, root, state_of
from cellops.capture.names.owners import is_of_library
from cellops.capture.names.projects import effects_of
from cellops.capture.names.sharing import CONSTANT, NONE, Value, either
from cellops.capture.names.statements import Statements
from cellops.records.effects import ANYTHING, FunctionEffects

Code = ast.Lambda | ast.GeneratorExp | ast.ClassDef | Function
"""What is executed later than where it stands."""
HARMLESS = PURE | KEEPS_STATE | sys.stdlib_module_names
"""Modules that leave everything else as it is when they are imported."""
MODULES_WITH_EFFECTS = ("__future__", "sklearn.experimental")


class Source(Statements):
    """The source of a cell, or of a function in it."""

    def bring_in(self, node: ast.Import | ast.ImportFrom) -> None:
        """Importing a module that is not known executes it, whatever it may do."""
        origin = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        modules = [origin] if origin else [alias.name for alias in node.names]
        relative = isinstance(node, ast.ImportFrom) and node.level > 0
        if relative or any(root(m) not in HARMLESS or m.startswith(MODULES_WITH_EFFECTS) for m in modules):
            self.notes.interpreter()
        own = relative or any(not is_of_library(m) for m in modules)
        if own:
            self.notes.read_files()  # an earlier cell may have written the module
            self.placed.handed.expect_any()
        for alias in node.names:
            if alias.name == "*":
                continue
            full = f"{origin}.{alias.name}" if origin else alias.name if alias.asname else root(alias.name)
            name = alias.asname or root(alias.name)
            if root(full) == MAIN:
                self.bind_name(name, self._anything(MAIN))
            elif own:
                self.notes.add_function(state_of(full), effects_of(root(full)))
                self.bind_name(name, self._of_library(full))
            else:
                self.bind_name(name, self.member(self.looked_at(Value(Kind.LIBRARY, origin=full))))

    def define(self, node: Function | ast.ClassDef) -> None:
        if isinstance(node, ast.ClassDef):
            self._define_class(node)
        else:
            self._define_function(node)

    def _define_function(self, node: Function) -> None:
        given = either([self.value(part) for part in scopes.defaults(node.args)])
        self.bind_name(node.name, self._decorated(node, given.everything))
        if self.later:
            self._run_inside(node)
        elif not self.scopes:
            self.notes.add_function(node.name, self._summary(node))

    def _run_inside(self, node: Function) -> None:
        """A function inside of another, or a method: as if it were called there."""
        self.scopes.append(dict.fromkeys(scopes.bound_in_function(node), Value()))
        self.elsewhere.append(set())
        self.run(node.body)
        self.elsewhere.pop()
        self.scopes.pop()

    def _define_class(self, node: ast.ClassDef) -> None:
        given = either([self.value(part) for part in (*node.bases, *(k.value for k in node.keywords))])
        self.scopes.append(dict.fromkeys(scopes.bound_in(node.body), CONSTANT))
        self.run(node.body)
        local = self.scopes.pop()
        held = frozenset[str]().union(given.everything, *(value.everything for value in local.values()))
        self.bind_name(node.name, self._decorated(node, held))
        if not self.scopes:
            self.notes.add_function(node.name, self._summary(node))

    def _decorated(self, node: Function | ast.ClassDef, held: frozenset[str]) -> Value:
        """A function or a class; a decorator that is not known may call it at once, keep it, or give something else."""
        known = self.after(node.name) if node.decorator_list else None
        another = known is not None and known.kind is not Kind.ACTIVE
        given = NONE
        for decorator in node.decorator_list:
            found = self.value(decorator)
            if found.kind is not Kind.LIBRARY or root(found.origin) not in PURE | {"builtins"}:
                self.notes.mutate(found)
                self.notes.store(found, Value(roots=frozenset({node.name})), anywhere=True)
                self.notes.active[node.name] = None
                given |= found.everything if another else NONE
                for name in found.everything:
                    self.notes.add_function(name, self._summary(node))
        return Value(Kind.ACTIVE, roots=given, held=held)

    def function(self, node: ast.Lambda | ast.GeneratorExp) -> FunctionEffects:
        return self._summary(node)

    def _summary(self, node: Code) -> FunctionEffects:
        """What code may do when it is executed later: surely, and if the names it uses are not plain data then."""
        least, most = (self._later(node, worst) for worst in (Kind.DATA, Kind.ACTIVE))
        outer = {name for scope in self.scopes for name in scope}
        changed = [*least.notes.changes, *least.notes.mutates, *least.bound]
        consumed = [*most.notes.changes, *most.notes.mutates]
        unknown = [ANYTHING] if least.notes.unknown else []
        members = set_by(node)
        self.placed.put_perhaps(members)
        uses = (*least.notes.needs, *most.notes.needs)
        return FunctionEffects(
            uses=tuple(dict.fromkeys(name for name in uses if name not in outer)),
            changes=tuple(dict.fromkeys(name for name in [*changed, *unknown] if name not in outer)),
            consumes=tuple(dict.fromkeys(name for name in consumed if name not in outer and name not in changed)),
            derived=tuple(name for name in most.notes.derived if name not in outer),
            sets=bool(members),
            looked=acts_when_looked_at(node),
            ends=acts_when_given_up(node),
        )

    def _later(self, node: Code, kind: Kind) -> "Source":
        """Read the body of a function for names of the notebook, whose values are of a given kind."""

        def describe(name: str) -> Description | None:
            known = self._kind_now(name)
            if known is None and hasattr(builtins, name):
                return None
            told = known is not None and (known.kind is Kind.LIBRARY or known.origin in {NAMESPACE, SHELL})
            return known if told else Description(kind)

        inner = Source(describe, is_cached=self.is_cached, placed=self.placed)
        inner.later = True
        inner.scopes = [dict.fromkeys(_local_names(node), Value())]
        inner.elsewhere = [set()]
        body = node.body if isinstance(node, Function | ast.ClassDef) else [ast.Expr(_expression(node))]
        for _ in range(2):
            inner.run(body)
        return inner

    def _kind_now(self, name: str) -> Description | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return Description(Kind.ACTIVE)
        if name in self.bound:
            return Description(self.bound[name].kind, self.bound[name].origin)
        return self.before(name) or self.after(name)

    def special(self, node: ast.Call) -> Value | None:
        """Code in a text: `exec`, `eval`, and what IPython makes of its own syntax; or IPython's shell itself."""
        match node:
            case ast.Call(func=ast.Name(id="get_ipython"), args=[], keywords=[]):
                return self.name("get_ipython")._replace(origin=SHELL, direct=False)
            case _:
                pass
        code = constant_code(node)
        if code is not None and self.before(node.func.id) is None:  # type: ignore[attr-defined]
            return self._executed(code)
        called = shell_call(self._of_shell(node))
        if called is None:
            return None
        for name in called.reads:
            self.name(name)
        if called.changes_the_interpreter:
            self.notes.interpreter()
        if called.unknown is not None:
            self.notes.unknown[called.unknown] = None
            return Value(roots=frozenset({ANYTHING}))
        return self._executed(called.code)

    def _of_shell(self, node: ast.Call) -> ast.Call:
        """A call of a method of IPython's shell as the source shows it where no name stands for that."""
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if self._is_shell(name):
                self.name(name)
                shell = ast.Call(ast.Name("get_ipython", ast.Load()), [], [])
                return ast.Call(ast.Attribute(shell, method, ast.Load()), node.args, node.keywords)
            case _:
                return node

    def _is_shell(self, name: str) -> bool:
        known = self._kind_now(name)
        return known is not None and known.origin == SHELL

    def _executed(self, code: ast.Module) -> Value:
        """Code that is executed here, which may fail; its last expression is its value."""
        match code.body:
            case [ast.Expr(value=value)]:
                return self.value(value)
            case [*body, ast.Expr(value=value)]:
                self._perhaps(body)
                return self.value(value)
            case body:
                self._perhaps(body)
                return Value()


def _local_names(node: Code) -> set[str]:
    match node:
        case ast.GeneratorExp():
            return scopes.bound_in_comprehension(node)
        case ast.ClassDef():
            return scopes.bound_in(node.body)
        case _:
            return scopes.bound_in_function(node)


def _expression(node: ast.Lambda | ast.GeneratorExp) -> ast.expr:
    return node.body if isinstance(node, ast.Lambda) else ast.ListComp(node.elt, node.generators)
