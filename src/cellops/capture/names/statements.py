"""What the statements of a cell bind, change and share, read in their order."""

import ast
from abc import abstractmethod
from collections.abc import Callable, Iterable

from cellops.capture.dataflow.scopes import Function
from cellops.capture.names.expressions import Describe, Expressions
from cellops.capture.names.kinds import HANDLE, WEAK, Kind
from cellops.capture.names.libraries import NAMES_OF_INDEX, last
from cellops.capture.names.placed import Placed
from cellops.capture.names.sharing import CONSTANT, Value, container, either


def nothing_known(_name: str) -> None:
    """No name is described."""
    return


def nothing_cached(_attribute: str) -> bool:
    """No attribute is computed once and kept."""
    return False


def _shown(node: ast.expr) -> str | None:
    """The text that an expression is, where the source shows it."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _parts(body: Iterable[ast.AST]) -> Iterable[ast.AST]:
    return (part for statement in body for part in ast.walk(statement))


class Statements(Expressions):
    """Goes through the statements of a cell, or of a function in it."""

    def __init__(
        self,
        before: Describe,
        after: Describe = nothing_known,
        text_of: Callable[[str], str | None] = nothing_known,
        is_cached: Callable[[str], bool] = nothing_cached,
        placed: Placed | None = None,
    ) -> None:
        super().__init__(before, text_of, is_cached, placed)
        self.after = after
        """The kind that a name has after the cell; None where the source binds it more than once."""
        self.conditions = 0
        self.elsewhere: list[set[str]] = []
        """The names that each function around declares to be the notebook's."""
        self.result = CONSTANT
        """The value of the last expression that is a statement."""
        self.annotations: list[Value] = []
        """The annotations of names of the notebook."""

    def run(self, body: Iterable[ast.AST]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.AST) -> None:  # noqa: PLR0912 - one case a kind of statement
        match node:
            case ast.Expr(value=value):
                self.result = self.value(value)
            case ast.Assign(targets=targets, value=value):
                found = self.value(value)
                if len(targets) == 1:
                    self._assign(targets[0], value, found)
                for target in targets if len(targets) > 1 else ():
                    self.bind(target, found)
                    found = either([found, self._bound_to(target, found)])
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                found = self.value(annotation)
                if isinstance(target, ast.Name) and not self.scopes:
                    self.annotations.append(found)
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
                self._perhaps(node.body)
                self._handle(node)
                self._perhaps([*node.orelse, *node.finalbody])
            case ast.Match(subject=subject, cases=cases):
                self._match(self.value(subject), cases)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.define(node)
            case ast.Import() | ast.ImportFrom():
                self.bring_in(node)
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

    def _handle(self, node: ast.Try | ast.TryStar) -> None:
        """What is raised may lead to all that the statements name in which it is."""
        read = {part.id for part in _parts(node.body) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
        for handler in node.handlers:
            kind = self.value(handler.type)
            self.conditions += 1
            if handler.name is not None:
                named = [self.name(name) for name in sorted(read)]
                raised = frozenset[str]().union(kind.everything, *(value.everything for value in named))
                self.bind_name(handler.name, Value(roots=raised))
            self.run(handler.body)
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
            handle = found.origin == HANDLE
            self.bind(item.optional_vars, found if handle else Value(roots=found.everything))

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

    def _bound_to(self, target: ast.expr, value: Value) -> Value:
        """What has been bound, by the first of several targets."""
        return self.known_as(target.id, value) if isinstance(target, ast.Name) else self.value(target)

    def known_as(self, name: str, value: Value) -> Value:
        if value.kind is Kind.CONSTANT or self._local(name) is not None:
            return value
        return value._replace(roots=value.roots | {name}, direct=False)

    def bind(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self.bind_name(name, value)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                self._unpack(parts, self.iterate(value), alike=value.kind in (Kind.DATA, Kind.BOX))
            case ast.Attribute(value=base, attr=attribute):
                into = self.look_up(base)
                self.notes.set_attribute(into, attribute)
                if attribute in NAMES_OF_INDEX and into.kind is Kind.TABLE:
                    self.notes.rename_index(into)
                if into.is_of_library:
                    self.place(into, attribute, value)
                else:
                    self._store(into, value)
            case ast.Subscript(value=base, slice=key):
                place = self.value(key)
                self.use(place)
                self._store_item(self.look_up(base), value, place, key)
            case _:
                self.value(target)

    def _unpack(self, parts: list[ast.expr], item: Value, *, alike: bool) -> None:
        """The items of a container may be one object: `a, b = [[]] * 2`."""
        for part in parts:
            if isinstance(part, ast.Starred):
                self.bind(part.value, container([item]))
                continue
            self.bind(part, item)
            if alike and not item.everything:
                item = self._bound_to(part, item)

    def _store_item(self, into: Value, item: Value, place: Value, key: ast.expr) -> None:
        """An item is set; that of a dictionary of a library's members is a member."""
        if into.kind is Kind.LIBRARY and last(into.origin) == "__dict__":
            self.place(into, _shown(key), item)
        else:
            self._store(into, item, place)

    def _store(self, into: Value, item: Value, key: Value = CONSTANT) -> None:
        """An attribute or an item of something is set; of a module, it is everybody's."""
        if into.kind is Kind.LIBRARY:
            self.notes.interpreter()
        elif into.kind is Kind.ACTIVE:
            self.notes.mutate(into)
            self.notes.mutate(item)
        else:
            self.notes.change(into)
        if into.origin == WEAK:
            self.notes.miss([item, key])
        self.notes.store(into, item.kept())
        self.notes.store(into, key)

    def bind_name(self, name: str, value: Value) -> None:
        value = self.looked_at(value).kept()
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
                self._store(self.look_up(base), CONSTANT)
            case _:
                for part in ast.iter_child_nodes(target):
                    if isinstance(part, ast.expr):
                        self._delete(part)

    @abstractmethod
    def define(self, node: Function | ast.ClassDef) -> None:
        """Bind a function or a class."""

    @abstractmethod
    def bring_in(self, node: ast.Import | ast.ImportFrom) -> None:
        """Bind what is imported."""
