"""What the value of an expression may be a part of, and what evaluating it may change."""

import ast
import builtins
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from cellops.capture.dataflow import scopes
from cellops.capture.dataflow.scopes import Comprehension
from cellops.capture.names import libraries
from cellops.capture.names.accessors import registered
from cellops.capture.names.calls.call import call
from cellops.capture.names.calls.called import LAMBDA, Called
from cellops.capture.names.kinds import CLASS, NAMESPACE, SHELL, Description, Kind
from cellops.capture.names.members import leads_to_interpreter
from cellops.capture.names.owners import is_of_library, is_pythons_own
from cellops.capture.names.placed import Placed, method_of
from cellops.capture.names.sharing import CONSTANT, NONE, Notes, Value, class_of, container, dictionary_of, either
from cellops.capture.names.types import name_of
from cellops.records.effects import ANYTHING, INTERPRETER, FunctionEffects

MAIN = "__main__"
NAMES_OF_A_CLASS = frozenset({"__doc__", "__module__", "__name__", "__qualname__"})
WORD = re.compile(r"[A-Za-z_]\w*")
Describe = Callable[[str], Description | None]


class Expressions(ABC):
    """Evaluates expressions to values. Names of the notebook are described by `before`, or by what was bound here."""

    def __init__(
        self,
        before: Describe,
        text_of: Callable[[str], str | None],
        is_cached: Callable[[str], bool],
        placed: Placed | None,
    ) -> None:
        self.notes = Notes()
        self.before = before
        self.text_of = text_of
        self.is_cached = is_cached
        """Whether reading an attribute of this name may compute it once and keep it in the object."""
        self.placed = Placed() if placed is None else placed
        self.later = False
        """Whether this is code that runs when it is called, with the functions inside it."""
        self.scopes: list[dict[str, Value]] = []
        """The local variables of comprehensions, functions and classes, the innermost last."""
        self.bound: dict[str, Value] = {}
        """What the names of the notebook that are bound here were last bound to."""
        self.certain: set[str] = set()
        """Names that have been bound here, so that no value from before is meant."""

    def value(self, node: ast.expr | None) -> Value:  # noqa: PLR0911, PLR0912 - one return a kind of node
        match node:
            case None | ast.Constant():
                return CONSTANT
            case ast.Name() | ast.Attribute():
                return self._given_on(self.look_up(node))
            case ast.Subscript(value=base, slice=key):
                known = self.value(base)
                if known.origin == libraries.ALL_MODULES and not _names_another_module(key):
                    return self._anything("sys.modules")
                return self._item(known, self.value(key))
            case ast.Call():
                return self._call(node)
            case ast.BinOp(left=left, right=right):
                return self._operator([self.value(left), self.value(right)])
            case ast.UnaryOp(operand=operand):
                return self._operator([self.value(operand)])
            case ast.Compare(left=left, comparators=others):
                return self._operator([self.value(part) for part in (left, *others)])._replace(roots=NONE, held=NONE)
            case ast.BoolOp(values=parts):
                return either([self.value(part) for part in parts])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.value(test)
                return either([self.value(body), self.value(orelse)])
            case ast.List(elts=parts) | ast.Set(elts=parts):
                return container([self.value(part) for part in parts])
            case ast.Tuple(elts=parts):
                return container([self.value(part) for part in parts], fixed=True)
            case ast.Dict(keys=keys, values=values):
                return container([self.value(part) for part in (*keys, *values)])
            case ast.Starred(value=inner):
                return self.iterate(self.value(inner))
            case ast.NamedExpr(target=target, value=inner):
                found = self.value(inner)
                self.bind_name(target.id, found)
                return self.known_as(target.id, found)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
            case ast.Lambda():
                self.notes.pending.append(self.function(node))
                given = self._defaults(node)
                found = self._with_parameters(node, Value())
                held = found.held | given.everything
                return found._replace(kind=Kind.ACTIVE, held=held) if given.everything else found
            case ast.Await(value=inner) | ast.YieldFrom(value=inner):
                found = self.value(inner)
                self.use(found)
                return found.element()
            case ast.JoinedStr() | ast.FormattedValue():
                for part in ast.iter_child_nodes(node):
                    self.value(part)  # type: ignore[arg-type]
                return CONSTANT
            case _:
                return either([self.value(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)])

    def look_up(self, node: ast.expr) -> Value:
        """What is read to be called, or for an attribute of it."""
        match node:
            case ast.Name(id=name):
                return self.looked_at(self.name(name))
            case ast.Attribute(value=base, attr=attribute):
                return self.looked_at(self._attribute(self.look_up(base), attribute))
            case _:
                return self.value(node)

    def looked_at(self, value: Value) -> Value:
        """A value of which somebody may set members, if it is a library's."""
        if value.kind is Kind.LIBRARY and value.origin:
            self.placed.handed.add(value.origin)
        return value

    def _given_on(self, value: Value) -> Value:
        """A value that stands for itself: whoever has it, now or later, may do all that a library lets it do."""
        if value.kind is not Kind.LIBRARY or not value.origin:
            return value
        self.placed.handed.give_on(value.origin)
        if not leads_to_interpreter(value.origin):
            return value
        self.notes.needs[INTERPRETER] = None
        return value._replace(roots=value.roots | {INTERPRETER})

    def name(self, name: str) -> Value:
        """Read a name."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        known = [self.bound[name]] if name in self.bound else []
        if name not in self.certain:
            before = self.before(name)
            if before is None and not known and hasattr(builtins, name):
                return self._builtin(name)
            self.notes.needs[name] = None
            if before is not None or not known or hasattr(builtins, name):
                known.append(Value() if before is None else Value(before.kind, origin=before.origin))
        found = either(known)
        if found.origin == NAMESPACE:
            return self._anything(f"{name} is a namespace")
        if found.kind is Kind.CONSTANT:
            return CONSTANT
        if found.kind is Kind.LIBRARY and found.origin:
            return self._of_library(found.origin)
        if found.kind in (Kind.BOX, Kind.LIBRARY, Kind.ACTIVE):
            self.notes.active[name] = None
        return Value(found.kind, frozenset({name}), origin=found.origin, direct=True)

    def _builtin(self, name: str) -> Value:
        """A built-in function, or what a cell has put among them."""
        if is_pythons_own(vars(builtins).get(name)):
            return Value(Kind.LIBRARY, origin=f"builtins.{name}")
        self.notes.needs[INTERPRETER] = None
        return Value(roots=frozenset({INTERPRETER}))

    def _of_library(self, origin: str) -> Value:
        """A module that has a state of its own is a name of the notebook too."""
        if libraries.root(origin) in libraries.PURE:
            return Value(Kind.LIBRARY, origin=origin)
        module = libraries.state_of(origin)
        self.notes.needs[module] = None
        return Value(Kind.LIBRARY, frozenset({module}), origin=origin)

    def use(self, value: Value) -> None:
        """Go through a value, or let an operator work on it: this may change what is not plain data."""
        if value.kind is Kind.ACTIVE:
            self.notes.mutate(value)

    def iterate(self, value: Value) -> Value:
        """The items of a value."""
        self.use(value)
        return value.element()

    def _attribute(self, base: Value, attribute: str) -> Value:
        if self.later:
            self.placed.ask(attribute)
        if base.kind is Kind.LIBRARY:
            return self.member(base._replace(origin=f"{base.origin}.{attribute}", direct=False))
        if (found := self.placed.of_objects(attribute)) is not None:
            return self._shared(Kind.ACTIVE, base.everything, found[1].origin, name=found[0])
        if base.kind is Kind.TABLE and attribute in libraries.INDEXERS:
            return base
        if base.kind is Kind.TABLE and (accessor := registered(attribute)) is not None:
            own = not is_of_library(name_of(accessor)[0])
            return self._anything(f"accessor {attribute}") if own else Value(Kind.ACTIVE, base.everything)
        return self._attribute_of_its_own(base, attribute)

    def member(self, found: Value) -> Value:
        """A member of a library, which is everybody's where a cell has put it there."""
        known = self.placed.described(found.origin)
        return found if known is None else self._shared(known.kind, found.roots, known.origin)

    def _shared(self, kind: Kind, roots: frozenset[str], origin: str = "", *, name: str = INTERPRETER) -> Value:
        self.notes.needs[name] = None
        if kind in (Kind.BOX, Kind.ACTIVE):
            self.notes.active[name] = None
        return Value(kind, roots | {name}, origin=origin)

    def place(self, owner: Value, name: str | None, item: Value) -> None:
        """Something is set on a module, a class or a function of a library; without a name it may be any member."""
        self.notes.interpreter()
        self.placed.put(owner.origin, name, shown=not self.later)
        if name is not None and self.placed.of_objects(name) is not None:
            self.notes.aliases.setdefault(method_of(name), set()).update(item.roots)
            self.notes.touched.add(method_of(name))
        self.notes.touched.add(INTERPRETER)
        self.notes.store(Value(roots=frozenset({INTERPRETER})), item)

    def give(self, item: Value) -> None:
        """A function that is not known is given something of a library."""
        if item.origin == libraries.ALL_MODULES:
            self.notes.interpreter()
        self.placed.give(item.origin)

    def _attribute_of_its_own(self, base: Value, attribute: str) -> Value:
        if attribute in libraries.LEADS_ANYWHERE:
            return self._anything(attribute)
        if base.origin == SHELL and attribute not in libraries.HARMLESS_OF_SHELL:
            return self._anything(f"get_ipython().{attribute}")
        if base.kind is Kind.ACTIVE and self.is_cached(attribute):
            self.notes.mutate(base)
        if attribute == "__class__":
            return class_of(base)
        if attribute == "__dict__":
            return dictionary_of(base)
        return Value(_kind_of_attribute(base, attribute), base.everything)

    def _anything(self, reason: str) -> Value:
        """What may be any object of the notebook, and lead to its names."""
        self.notes.unknown[reason] = None
        return Value(roots=frozenset({ANYTHING}))

    def _item(self, base: Value, key: Value) -> Value:
        self.use(base)
        self.use(key)
        if base.origin == libraries.ALL_MODULES:
            return base
        return base.element()

    def _operator(self, values: list[Value]) -> Value:
        for value in values:
            self.use(value)
        kind = max(value.kind for value in values)
        if kind <= Kind.TABLE:
            return Value(kind)
        return Value(kind, frozenset().union(*(value.everything for value in values)))

    def _comprehension(self, node: Comprehension) -> Value:
        """The first iterable is evaluated outside of the comprehension, all the rest inside."""
        first = self.value(node.generators[0].iter)
        with self._scope(scopes.bound_in_comprehension(node)):
            for place, generator in enumerate(node.generators):
                self.bind(generator.target, self.iterate(self.value(generator.iter) if place else first))
                for test in generator.ifs:
                    self.value(test)
            results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            found = container([self.value(result) for result in results])
        if isinstance(node, ast.GeneratorExp):
            self.notes.pending.append(self.function(node))
            return found._replace(roots=found.held, held=NONE, lazy=True)
        return found

    @contextmanager
    def _scope(self, names: Iterable[str], given: Value = CONSTANT) -> Iterator[None]:
        self.scopes.append(dict.fromkeys(names, given))
        try:
            yield
        finally:
            self.scopes.pop()

    def _defaults(self, node: ast.Lambda) -> Value:
        return either([self.value(default) for default in scopes.defaults(node.args)])

    def _with_parameters(self, node: ast.Lambda, given: Value) -> Value:
        """The value of a lambda whose parameters have a given value."""
        with self._scope(scopes.bound_in_function(node), given):
            return self.value(node.body)

    def _call(self, node: ast.Call) -> Value:
        """A call; a lambda among the arguments is taken to be called with (parts of) the others."""
        special = self.special(node)
        if special is not None:
            return special
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        base = self.look_up(node.func.value) if isinstance(node.func, ast.Attribute) else None
        function = self.look_up(node.func) if base is None else self._attribute(base, method)
        given = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
        nodes = [("", argument) for argument in node.args] + given
        values = [(name, self.value(part)) for name, part in nodes if not isinstance(part, ast.Lambda)]
        ambient = either([value for _, value in values] + ([base] if base is not None else []))
        for _, part in nodes:
            if isinstance(part, ast.Lambda):
                self.notes.pending.append(self.function(part))
                parameter = either([Value(max(ambient.kind, Kind.TABLE), ambient.everything), self._defaults(part)])
                values.append((LAMBDA, self._with_parameters(part, parameter)._replace(kind=Kind.CONSTANT)))
        self._read_texts(method or libraries.last(function.origin), nodes)
        if base is not None and self.placed.of_objects(method) is not None:
            roots = function.roots - base.everything  # it is given its object
            function = function._replace(roots=roots, direct=INTERPRETER not in roots)
            return call(self, Called(node, None, "", function, [("", base), *values], bool(self.scopes)))
        return call(self, Called(node, base, method, function, values, bool(self.scopes)))

    def _read_texts(self, function: str, given: list[tuple[str, ast.expr]]) -> None:
        """Names of the notebook in a text that is a query or a formula."""
        if function not in libraries.TEXTS_WITH_NAMES and not any(name == "formula" for name, _ in given):
            return
        for _, argument in given:
            for part in ast.walk(argument):
                for word in WORD.findall(self._text(part)):
                    if word in self.bound or self.before(word) is not None:
                        self.name(word)

    def _text(self, node: ast.AST) -> str:
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name):
                return self.text_of(name) or ""
            case _:
                return ""

    @abstractmethod
    def special(self, node: ast.Call) -> Value | None:
        """The value of a call that executes code in a text, which statements know how to read; None for others."""

    @abstractmethod
    def function(self, node: ast.Lambda | ast.GeneratorExp) -> FunctionEffects:
        """What calling a function may do."""

    @abstractmethod
    def bind(self, target: ast.expr, value: Value) -> None:
        """Give a value to a target."""

    @abstractmethod
    def bind_name(self, name: str, value: Value) -> None:
        """Give a value to a name."""

    @abstractmethod
    def known_as(self, name: str, value: Value) -> Value:
        """A value that a name has been bound to: it is the object of that name."""


def _names_another_module(key: ast.expr) -> bool:
    """Whether a key of `sys.modules` shows that it is not the notebook itself."""
    return isinstance(key, ast.Constant) and key.value != MAIN


def _kind_of_attribute(base: Value, attribute: str) -> Kind:
    if base.origin == CLASS and attribute in NAMES_OF_A_CLASS:
        return Kind.CONSTANT
    if base.kind is Kind.BOX or (base.kind <= Kind.ESTIMATOR and libraries.changes_itself(attribute)):
        return Kind.ACTIVE
    return base.kind
