"""How a cell hangs together with others: which names it needs, binds and may change, and which share their objects.

It reads the statements in their order. What cannot be told is taken for the worst: a function that is not known may
change all that it is given. Taken for granted is that looking at an object (an attribute of it, comparing, printing
it, asking for its length) does not change it.
"""

import ast
import builtins
import sys
from collections.abc import Callable, Iterable

from cellops.capture import scopes
from cellops.capture.dataflow import constant_code
from cellops.capture.expressions import Describe, Expressions
from cellops.capture.kinds import Description, Kind
from cellops.capture.libraries import KEEPS_STATE, PURE, root
from cellops.capture.scopes import Function
from cellops.capture.sharing import CONSTANT, Value, container, either
from cellops.capture.shell_calls import shell_call
from cellops.records.effects import ANYTHING, FunctionEffects

Code = ast.Lambda | ast.GeneratorExp | ast.ClassDef | Function
"""What is executed later than where it stands."""
HARMLESS = PURE | KEEPS_STATE | sys.stdlib_module_names
"""Modules that leave everything else as it is when they are imported."""
MODULES_WITH_EFFECTS = ("__future__", "sklearn.experimental")


def nothing_known(_name: str) -> None:
    """No name is described."""
    return


class Statements(Expressions):
    """Goes through the statements of a cell, or of a function in it."""

    def __init__(
        self,
        before: Describe,
        after: Describe = nothing_known,
        text_of: Callable[[str], str | None] = nothing_known,
    ) -> None:
        super().__init__(before, text_of)
        self.after = after
        """The kind that a name has after the cell; None where the source binds it more than once."""
        self.conditions = 0
        self.later = False
        """Whether this is code that runs when it is called, with the functions inside it."""
        self.elsewhere: list[set[str]] = []
        """The names that each function around declares to be the notebook's."""
        self.result = CONSTANT
        """The value of the last expression that is a statement."""

    def run(self, body: Iterable[ast.AST]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.AST) -> None:  # noqa: PLR0912 - one case a kind of statement
        match node:
            case ast.Expr(value=value):
                self.result = self.value(value)
            case ast.Assign(targets=targets, value=value):
                found = self.value(value)
                for target in targets:
                    self._assign(target, value, found)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                self.value(annotation)
                if value is not None:
                    self._assign(target, value, self.value(value))
            case ast.AugAssign(target=target, value=value):
                self._augment(target, self.value(value))
            case ast.For() | ast.AsyncFor() | ast.While():
                self._loop(node)
            case ast.If(test=test, body=body, orelse=orelse):
                self.value(test)
                self._perhaps([*body, *orelse])
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    self._enter(item)
                self._perhaps(body)
            case ast.Try() | ast.TryStar():
                self._perhaps([*node.body, *node.handlers, *node.orelse, *node.finalbody])
            case ast.ExceptHandler(type=kind, name=name, body=body):
                self.value(kind)
                if name is not None:
                    self.bind_name(name, Value())
                self.run(body)
            case ast.Match(subject=subject, cases=cases):
                self._match(self.value(subject), cases)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(node)
            case ast.ClassDef():
                self._define_class(node)
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._delete(target)
            case ast.Global(names=names):
                if self.elsewhere:
                    self.elsewhere[-1].update(names)
            case _:
                self.run(part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt))
                for part in ast.iter_child_nodes(node):
                    if isinstance(part, ast.expr):
                        self.use_returned(self.value(part))
        self.notes.end_statement()

    def use_returned(self, _value: Value) -> None:
        """What a function returns is shared by whoever calls it; a call takes that for granted."""

    def _perhaps(self, body: Iterable[ast.AST]) -> None:
        """Statements that may not be executed."""
        self.conditions += 1
        self.run(body)
        self.conditions -= 1

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        """Twice, so that what one turn leaves behind is seen by the next."""
        items = self.iterate(self.value(node.iter)) if not isinstance(node, ast.While) else None
        self.conditions += 1
        for _ in range(2):
            if items is not None and not isinstance(node, ast.While):
                self.bind(node.target, items)
            elif isinstance(node, ast.While):
                self.value(node.test)
            self.run(node.body)
        self.run(node.orelse)
        self.conditions -= 1

    def _enter(self, item: ast.withitem) -> None:
        found = self.value(item.context_expr)
        self.use(found)
        if item.optional_vars is not None:
            self.bind(item.optional_vars, Value(roots=found.everything))

    def _match(self, subject: Value, cases: list[ast.match_case]) -> None:
        self.use(subject)
        for case in cases:
            for part in ast.walk(case.pattern):
                for name in (getattr(part, "name", None), getattr(part, "rest", None)):
                    if name is not None:
                        self.conditions += 1
                        self.bind_name(name, subject._replace(direct=False))
                        self.conditions -= 1
                if isinstance(part, ast.MatchValue):
                    self.value(part.value)
            self._perhaps([*([ast.Expr(case.guard)] if case.guard else []), *case.body])

    def _assign(self, target: ast.expr, node: ast.expr, value: Value) -> None:
        """Pair by pair where both sides have as many parts."""
        if isinstance(target, ast.Tuple | ast.List) and isinstance(node, ast.Tuple | ast.List):
            plain = not any(isinstance(part, ast.Starred) for part in (*target.elts, *node.elts))
            if plain and len(target.elts) == len(node.elts):
                quiet = [self.value(part) for part in node.elts]
                for part, inner, found in zip(target.elts, node.elts, quiet, strict=True):
                    self._assign(part, inner, found)
                return
        self.bind(target, value)

    def bind(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self.bind_name(name, value)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                item = self.iterate(value)
                for part in parts:
                    starred = isinstance(part, ast.Starred)
                    self.bind(
                        part.value if isinstance(part, ast.Starred) else part, container([item]) if starred else item
                    )
            case ast.Attribute(value=base):
                self._store(self.value(base), value)
            case ast.Subscript(value=base, slice=key):
                self.use(self.value(key))
                self._store(self.value(base), value)
            case _:
                self.value(target)

    def _store(self, into: Value, item: Value) -> None:
        """An attribute or an item of something is set; of a module, it is everybody's."""
        if into.kind is Kind.LIBRARY:
            self.notes.interpreter()
        elif into.kind is Kind.ACTIVE:
            self.notes.mutate(into)
            self.notes.mutate(item)
        else:
            self.notes.change(into)
        self.notes.store(into, item.kept())

    def bind_name(self, name: str, value: Value) -> None:
        value = value.kept()
        scope = self._local(name)
        if scope is not None:
            scope[name] = either([scope[name], value]) if scope[name] is not CONSTANT else value
            return
        self.notes.touched.add(name)
        for given, found in ((value.roots, self.notes.aliases), (value.held, self.notes.holds)):
            if given:
                found.setdefault(name, set()).update(given)
        known = self.after(name)
        if known is not None:
            value = Value(known.kind, origin=known.origin)
        if self.conditions and name in self.bound:
            value = either([self.bound[name], value])
        self.bound[name] = value
        if not self.conditions and not self.scopes:
            self.certain.add(name)

    def _local(self, name: str) -> dict[str, Value] | None:
        if self.elsewhere and name in self.elsewhere[-1]:
            return None
        return next((scope for scope in reversed(self.scopes) if name in scope), None)

    def _augment(self, target: ast.expr, value: Value) -> None:
        """`+=` changes a list in place and binds a number anew; which of them is not asked."""
        self.use(value)
        found = self.value(target)
        if found.kind is Kind.ACTIVE:
            self.notes.mutate(found)
        elif found.kind is not Kind.CONSTANT:
            self.notes.change(found)
        self.notes.store(found, value)
        if isinstance(target, ast.Name):
            self.bind_name(target.id, either([found, value])._replace(direct=False))
        else:
            self.bind(target, value)

    def _delete(self, target: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self.value(target)
                self.bind_name(name, CONSTANT)
            case ast.Attribute(value=base) | ast.Subscript(value=base):
                self._store(self.value(base), CONSTANT)
            case _:
                for part in ast.iter_child_nodes(target):
                    if isinstance(part, ast.expr):
                        self._delete(part)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Importing a module that is not known executes it, whatever it may do."""
        origin = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        modules = [origin] if origin else [alias.name for alias in node.names]
        relative = isinstance(node, ast.ImportFrom) and node.level > 0
        if relative or any(root(m) not in HARMLESS or m.startswith(MODULES_WITH_EFFECTS) for m in modules):
            self.notes.interpreter()
        for alias in node.names:
            if alias.name == "*":
                continue
            full = f"{origin}.{alias.name}" if origin else alias.name if alias.asname else root(alias.name)
            name = alias.asname or root(alias.name)
            self.bind_name(name, Value(Kind.LIBRARY, origin=full))

    def _define(self, node: Function) -> None:
        given = either([self.value(part) for part in scopes.defaults(node.args)])
        self._decorated(node)
        self.bind_name(node.name, Value(Kind.ACTIVE, held=given.everything))
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
        self._decorated(node)
        self.scopes.append(dict.fromkeys(scopes.bound_in(node.body), CONSTANT))
        self.run(node.body)
        local = self.scopes.pop()
        held = frozenset[str]().union(given.everything, *(value.everything for value in local.values()))
        self.bind_name(node.name, Value(Kind.ACTIVE, held=held))
        if not self.scopes:
            self.notes.add_function(node.name, self._summary(node))

    def _decorated(self, node: Function | ast.ClassDef) -> None:
        """A decorator that is not known may call the function at once, and keep it."""
        for decorator in node.decorator_list:
            found = self.value(decorator)
            if found.kind is not Kind.LIBRARY or root(found.origin) not in PURE | {"builtins"}:
                self.notes.mutate(found)
                self.notes.active[node.name] = None
                for name in found.everything:
                    self.notes.add_function(name, self._summary(node))

    def function(self, node: ast.Lambda | ast.GeneratorExp) -> FunctionEffects:
        return self._summary(node)

    def _summary(self, node: Code) -> FunctionEffects:
        """What code may do when it is executed later: surely, and if the names it uses are not plain data then."""
        least, most = (self._later(node, worst) for worst in (Kind.DATA, Kind.ACTIVE))
        outer = {name for scope in self.scopes for name in scope}
        changed = [*least.notes.changes, *least.notes.mutates, *least.bound]
        consumed = [*most.notes.changes, *most.notes.mutates]
        unknown = [ANYTHING] if least.notes.unknown else []
        uses = (*least.notes.needs, *most.notes.needs)
        return FunctionEffects(
            uses=tuple(dict.fromkeys(name for name in uses if name not in outer)),
            changes=tuple(dict.fromkeys(name for name in [*changed, *unknown] if name not in outer)),
            consumes=tuple(dict.fromkeys(name for name in consumed if name not in outer and name not in changed)),
        )

    def _later(self, node: Code, kind: Kind) -> "Statements":
        """Read the body of a function for names of the notebook, whose values are of a given kind."""

        def describe(name: str) -> Description | None:
            known = self._kind_now(name)
            if known is None and hasattr(builtins, name):
                return None
            return known if known is not None and known.kind is Kind.LIBRARY else Description(kind)

        inner = Statements(describe)
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
        """Code in a text: `exec`, `eval`, and what IPython makes of its own syntax."""
        code = constant_code(node)
        if code is not None and self.before(node.func.id) is None:  # type: ignore[attr-defined]
            return self._executed(code)
        called = shell_call(node)
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
