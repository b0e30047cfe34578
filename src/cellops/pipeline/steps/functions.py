"""What functions of the notebook do: each is read at each of its calls, with what it is given there."""

import ast
import builtins
from collections.abc import Mapping

from cellops.capture.dataflow import scopes
from cellops.capture.names.effects import Source
from cellops.capture.names.kinds import Description, Kind
from cellops.capture.names.sharing import CONSTANT, Value, container, either
from cellops.pipeline.steps.definitions import OWN, has_functions, parameters
from cellops.pipeline.steps.known import KindNotes, Known
from cellops.records.effects import FunctionEffects

DEEPEST = 8
"""Calls inside of calls that are read; a deeper one may do anything with its arguments."""
MOST_CALLS = 2000
"""Calls of the notebook's functions that are read in one step."""


class Functions(Source):
    """Reads functions of the notebook; which there are comes from `reader.Reader`."""

    def __init__(self, known: Known, shares: Mapping[str, int]) -> None:
        super().__init__(known.kinds.get)
        self.notes: KindNotes = KindNotes(shares)
        self.defined = dict(known.defined)
        self.bodies = dict(known.bodies)
        self._calling: list[ast.AST] = []
        self._returned: list[Value] = []
        self._calls = 0

    def kind_of(self, name: str) -> Description:
        """What is known of a name behind the cells that were read."""
        if name not in self.bound:
            before = self.before(name) or Description(Kind.ACTIVE)
            found = Value(before.kind, origin=before.origin)
        else:
            found = self.bound[name]
        return Description(self.notes.kind(name, found.kind), found.origin)

    def use_returned(self, value: Value) -> None:
        if self._calling:
            self._returned.append(value)

    def value(self, node: ast.expr | None) -> Value:
        found = super().value(node)
        return self._with_captured(node, found) if isinstance(node, ast.Lambda) and self.scopes else found

    def _with_captured(self, node: ast.AST, found: Value) -> Value:
        """A function inside of another with the local variables of that one, which it keeps."""
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        captured = [scope[name].everything for scope in self.scopes for name in names if name in scope]
        return found._replace(kind=Kind.ACTIVE, held=found.held.union(*captured))

    def _with_functions(self, node: ast.Call, found: Value) -> Value:
        """The value of a call, to which functions among its arguments add theirs."""
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        functions = [part.id for part in given if isinstance(part, ast.Name) and self._is_function(part.id)]
        if not functions:
            return found
        base = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        ambient = either([self.value(part) for part in (*given, *base)])
        ambient = Value(max(ambient.kind, Kind.TABLE), ambient.everything)
        for name in functions:
            body = self.bodies.get(name)
            result = None if body is None else self._read_body(body, dict.fromkeys(parameters(body), ambient))
            if result is None:
                self.notes.mutate(ambient)
            found = either([found, ambient if result is None else result])
        return found._replace(direct=False)

    def _call_body(self, name: str, node: ast.Call) -> Value | None:
        """Read a function of the notebook as it is called here; None for one that calls itself."""
        if name not in self.certain:
            self.notes.needs[name] = None
        self.function_value(name, may_run=False)
        found = self._read_body(self.bodies[name], self._given(self.bodies[name], node))
        if found is None:
            self.function_value(name, may_run=True)
        return found

    def function_value(self, name: str, *, may_run: bool) -> Value:
        """A function or class as a value: it shares nothing with what it makes, but that may do what it does."""
        whole = self._effects_of(name)
        self.notes.pending.append(whole)
        if may_run:
            self._may_run(whole)
        held = frozenset(one for one in whole.uses if one not in self.defined and self.stands(one))
        return Value(Kind.ACTIVE, held=held, origin=f"{OWN}.{name}")

    def _may_run(self, effects: FunctionEffects) -> None:
        """Note what a function does that somebody may call."""
        for name in effects.uses:
            if name not in self.certain:
                self.notes.needs[name] = None
            if self.kind_of(name).kind >= Kind.BOX and name not in self.defined:
                self.notes.active[name] = None
        for name in effects.changes:
            self.notes.mutate(Value(roots=frozenset({name})))
            self.conditions += 1
            self.bind_name(name, Value(roots=frozenset({name})))
            self.conditions -= 1
        for name in effects.consumes:
            if self.kind_of(name).kind in (Kind.BOX, Kind.ACTIVE):
                self.notes.mutate(Value(roots=frozenset({name})))

    def _read_body(self, function: ast.FunctionDef | ast.Lambda, given: dict[str, Value]) -> Value | None:
        """Read a function with the values of its parameters; None where calls stand too deep in each other."""
        self._calls += 1
        if function in self._calling or len(self._calling) >= DEEPEST or self._calls > MOST_CALLS:
            return None
        kept = (self.scopes, self.elsewhere, self.later, self._returned, self.result)
        noted = (list(self.notes.pending), set(self.notes.touched))
        local = {**dict.fromkeys(scopes.bound_in_function(function), CONSTANT), **given}
        self.scopes, self.elsewhere, self.later, self._returned = [local], [set()], True, []
        self._calling.append(function)
        self.conditions += 1
        try:
            for _ in range(2 if has_functions(function) else 1):
                self.run([ast.Return(function.body)] if isinstance(function, ast.Lambda) else function.body)
            return either(self._returned) if self._returned else CONSTANT
        finally:
            self.conditions -= 1
            self._calling.pop()
            self.scopes, self.elsewhere, self.later, self._returned, self.result = kept
            self.notes.pending[:0] = noted[0]
            self.notes.touched |= noted[1]

    def _given(self, function: ast.FunctionDef | ast.Lambda, node: ast.Call) -> dict[str, Value]:
        """What the parameters of a function are given by a call."""
        args = function.args
        names = parameters(function)
        found = dict.fromkeys(names, CONSTANT)
        defaults = [self.value(default) for default in scopes.defaults(args)]
        positional = [self.value(argument) for argument in node.args]
        by_name = [(keyword.arg, self.value(keyword.value)) for keyword in node.keywords]
        values = [*positional, *(value for _, value in by_name)]
        if any(isinstance(one, ast.Starred) for one in node.args) or any(name is None for name, _ in by_name):
            together = either([*values, *defaults])
            return dict.fromkeys(names, together if together.kind <= Kind.TABLE else together._replace(direct=False))
        if defaults:
            found = dict.fromkeys(names, either(defaults))
        if args.vararg is not None:
            found[args.vararg.arg] = container(positional)
        if args.kwarg is not None:
            found[args.kwarg.arg] = container([value for _, value in by_name])
        places = [argument.arg for argument in (*args.posonlyargs, *args.args)]
        found |= dict(zip(places, positional, strict=False))
        found |= {name: value for name, value in by_name if name in found and name is not None}
        return found

    def _effects_of(self, name: str) -> FunctionEffects:
        """What a function or a class may do, itself or by the definitions that it uses."""
        found, waiting = set[str](), [name]
        effects: list[FunctionEffects] = []
        while waiting:
            one = waiting.pop()
            if one not in found and one in self.defined:
                found.add(one)
                effects.append(self.defined[one].later)
                waiting += [*self.defined[one].later.uses, *self.defined[one].at_once]
        uses = {
            *found,
            *(one for part in effects for one in part.uses if self.stands(one) or not hasattr(builtins, one)),
        }
        return FunctionEffects(
            uses=tuple(sorted(uses)),
            changes=tuple(sorted({one for part in effects for one in part.changes if one not in self.defined})),
            consumes=tuple(sorted({one for part in effects for one in part.consumes if one not in self.defined})),
            derived=tuple(sorted({one for part in effects for one in part.derived if one not in self.defined})),
            keeps=False,
            looked=any(part.looked for part in effects),
            ends=any(part.ends for part in effects),
        )

    def stands(self, name: str) -> bool:
        """Whether anything above has bound a name."""
        return self._is_local(name) or name in self.bound or self.before(name) is not None

    def _is_function(self, name: str) -> bool:
        return name in self.defined and not self._is_local(name) and self.kind_of(name).kind is Kind.ACTIVE

    def _is_local(self, name: str) -> bool:
        return self._local(name) is not None
