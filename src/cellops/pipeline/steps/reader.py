"""Reads the statements of a step for what they do to the names of the notebook.

The reading is that of captured cells (`capture.names.effects`), with two differences. Nothing has been executed, so the
kinds of values are what the source shows. And a function of the notebook is read at each of its calls, with what it is
given there, so that one that leaves its arguments alone is seen to do so.
"""

import ast
import builtins
import re
from collections.abc import Mapping

from cellops.capture.dataflow import scopes
from cellops.capture.dataflow.shell_calls import shell_call
from cellops.capture.names import libraries
from cellops.capture.names.effects import Source
from cellops.capture.names.kinds import Description, Kind
from cellops.capture.names.sharing import CONSTANT, NONE, Value, container, either
from cellops.pipeline.steps.known import Defined, Definition, KindNotes, Known, keeps_nothing
from cellops.records.effects import INTERPRETER, FunctionEffects

Nodes = tuple[tuple[int, Definition], ...]
DEEPEST = 8
"""Calls inside of calls that are read; a deeper one may do anything with its arguments."""
MOST_CALLS = 2000
"""Calls of the notebook's functions that are read in one step."""
OF_THE_DISK = re.compile(
    r"^(?:os|shutil|subprocess|pathlib|tempfile)\..*\b(?:chdir|fchdir|system|popen|Popen|run|call|check_call"
    r"|check_output|makedirs|mkdir|mkdtemp|remove|removedirs|rename|renames|replace|rmdir|unlink|symlink|link|rmtree"
    r"|move|copy|copy2|copyfile|copytree)$"
)
GLOBAL_GENERATOR = re.compile(r"^(?:random\.[a-z]\w*|numpy\.random\.(?!default_rng$|bit_generator)[a-z]\w*)$")
LIKE_SKLEARN = re.compile(r"^(?:lightgbm|xgboost|catboost)\.(?:\w+\.)*[A-Z]\w*(?:Classifier|Regressor|Ranker)$")
SEEDS = frozenset({"random.seed", "random.setstate", "numpy.random.seed", "numpy.random.set_state"})


class Reader(Source):
    """Reads cells, one after the other, from what is known of the names before them."""

    def __init__(
        self, known: Known, changed_by_attribute: set[str], shares: Mapping[str, int], *, in_step: bool = True
    ) -> None:
        super().__init__(known.kinds.get)
        self.notes: KindNotes = KindNotes(shares)
        self.defined = dict(known.defined)
        self.bodies = dict(known.bodies)
        self.gone: set[str] = set()
        self.at: dict[tuple[str, str], tuple[int, int]] = {}
        """The cell and the line at which a name was first `read`, `bound` or `changed`, or something else was."""
        self.draws: tuple[int, int] | None = None
        """Where it draws from a global generator that it has not seeded."""
        self.seeded: set[str] = set()
        """Libraries whose global generator it has seeded."""
        self._in_step = in_step
        self._changed_by_attribute = changed_by_attribute
        self._calling: list[ast.AST] = []
        self._returned: list[Value] = []
        self._calls = 0
        self._place = (0, 0)

    def read(self, cell: int, tree: ast.Module) -> None:
        """Read the next cell."""
        self._place = (cell, 1)
        try:
            self.run(tree.body)
        except RecursionError:
            self.notes.unknown["code that is nested very deep"] = None

    def kind_of(self, name: str) -> Description:
        """What is known of a name behind the cells that were read."""
        if name not in self.bound:
            before = self.before(name) or Description(Kind.ACTIVE)
            found = Value(before.kind, origin=before.origin)
        else:
            found = self.bound[name]
        return Description(self.notes.kind(name, found.kind), found.origin)

    def statement(self, node: ast.AST) -> None:
        if not self._calling and isinstance(node, ast.stmt):
            self._place = (self._place[0], node.lineno)
        super().statement(node)
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda(args=args) as function):
                if not self._is_local(name) and not scopes.defaults(args):
                    self._define_once(name, node)
                    self._learn_body(name, function)
            case _:
                pass
        for name in (*self.notes.changes, *self.notes.mutates):
            self.at.setdefault((name, "changed"), self._place)
        for reason in self.notes.unknown:
            self.at.setdefault((reason, "unknown"), self._place)

    def name(self, name: str) -> Value:
        found = super().name(name)
        if name in self.notes.needs:
            self.at.setdefault((name, "read"), self._place)
        if name in self.defined and not self._is_local(name) and found.kind is Kind.ACTIVE:
            # It shares nothing with what it makes, but what it makes may use the names that it uses.
            self.notes.pending.append(FunctionEffects(uses=(name,), keeps=False))
            return Value(Kind.ACTIVE, held=self._within(name))
        return found if self._is_local(name) else found._replace(kind=self.notes.kind(name, found.kind))

    def _of_library(self, origin: str) -> Value:
        """What a module keeps in itself is set up again for each step, and shared by none."""
        found = super()._of_library(origin)
        return found._replace(roots=NONE) if self._in_step else found

    def bind_name(self, name: str, value: Value) -> None:
        super().bind_name(name, value)
        if self._is_local(name):
            return
        self.at.setdefault((name, "bound"), self._place)
        if not self.conditions:
            self.notes.raised.pop(name, None)
        self.gone.discard(name)
        self.defined.pop(name, None)
        self.bodies.pop(name, None)

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
            same = before[name].nodes if name in before and _is_of_package(before[name].nodes, alias) else ()
            self._define_once(name, node, same=same)

    def define(self, node: scopes.Function | ast.ClassDef) -> None:
        super().define(node)
        if node.name in self._changed_by_attribute or not keeps_nothing(node, self._origin):
            return
        self._define_once(node.name, node, _at_once(node))
        if isinstance(node, ast.FunctionDef) and not node.decorator_list and not _is_generator(node):
            self._learn_body(node.name, node)

    def _delete(self, target: ast.expr) -> None:
        super()._delete(target)
        if isinstance(target, ast.Name) and not self._is_local(target.id) and not self.conditions:
            self.gone.add(target.id)

    def _is_local(self, name: str) -> bool:
        return self._local(name) is not None

    def _define_once(self, name: str, node: Definition, at_once: tuple[str, ...] = (), same: Nodes = ()) -> None:
        if not self.conditions and not self.scopes:
            later = self.notes.functions[name].uses if name in self.notes.functions else ()
            self.defined[name] = Defined((*same, (self._place[0], node)), at_once, later)

    def _learn_body(self, name: str, node: ast.FunctionDef | ast.Lambda) -> None:
        if not self.conditions and not self.scopes:
            self.bodies[name] = node

    def use_returned(self, value: Value) -> None:
        if self._calling:
            self._returned.append(value)

    def special(self, node: ast.Call) -> Value | None:
        found = super().special(node)
        if found is not None:
            called = shell_call(node)
            if called is not None and called.changes_the_interpreter:
                self.notes.write_files()
            return found
        self._note_library(self._origin(node.func))
        match node.func:
            case ast.Name(id=name) if name in self.bodies and not self._is_local(name):
                return self._call_body(name, node)
            case _:
                return None

    def _note_library(self, origin: str) -> None:
        """What is kept by the disk, or by the generators that all cells draw from."""
        if OF_THE_DISK.match(origin):
            self.notes.write_files()
        library = libraries.root(origin)
        if origin in SEEDS:
            self.seeded.add(library)
        elif GLOBAL_GENERATOR.match(origin) and library not in self.seeded and self.draws is None:
            self.draws = self._place

    def _within(self, name: str) -> frozenset[str]:
        """The names of values that a function or a class may reach, itself or by those that it uses."""
        found, waiting = set[str](), [name]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.defined[one].later if one in self.defined else ()
        return frozenset(one for one in found if one not in self.defined and (one in self.bound or self.before(one)))

    def _call(self, node: ast.Call) -> Value:
        """A function of the notebook among the arguments is taken to be called with (parts of) the others."""
        if LIKE_SKLEARN.match(self._origin(node.func)):
            return self._estimator(node)
        found = super()._call(node)
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        functions = [part.id for part in given if isinstance(part, ast.Name) and self._is_function(part.id)]
        if not functions:
            return found
        base = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        ambient = either([self.value(part) for part in (*given, *base)])
        ambient = Value(max(ambient.kind, Kind.TABLE), ambient.everything)
        for name in functions:
            body = self.bodies.get(name)
            result = None if body is None else self._read_body(body, dict.fromkeys(_parameters(body), ambient))
            if result is None:
                self.notes.mutate(ambient)
            found = either([found, ambient if result is None else result])
        return found._replace(direct=False)

    def _estimator(self, node: ast.Call) -> Value:
        """An estimator of a library that keeps to the ways of scikit-learn."""
        self.value(node.func)
        values = [self.value(part) for part in (*node.args, *(keyword.value for keyword in node.keywords))]
        given = either(values)
        plain = all(value.kind <= Kind.DATA for value in values)
        return Value(Kind.ESTIMATOR if plain else Kind.ACTIVE, given.everything)

    def _is_function(self, name: str) -> bool:
        return name in self.defined and not self._is_local(name) and self.kind_of(name).kind is Kind.ACTIVE

    def _call_body(self, name: str, node: ast.Call) -> Value | None:
        """Read a function of the notebook as it is called here; None for one that calls itself."""
        was_active = name in self.notes.active
        self.name(name)
        if not was_active:
            self.notes.active.pop(name, None)  # What it uses is read here, and better.
        found = self._read_body(self.bodies[name], self._given(self.bodies[name], node))
        if found is None:
            self.notes.active[name] = None
        return found

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
            for _ in range(2 if _has_functions(function) else 1):
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
        names = _parameters(function)
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

    def _origin(self, node: ast.expr) -> str:
        """The full name of what a library brings; empty for anything else."""
        match node:
            case ast.Attribute(value=base, attr=attribute):
                origin = self._origin(base)
                return f"{origin}.{attribute}" if origin else ""
            case ast.Name(id=name) if not self._is_local(name):
                if name not in self.bound and self.before(name) is None:
                    return f"builtins.{name}" if hasattr(builtins, name) else ""
                found = self.kind_of(name)
                return found.origin if found.kind is Kind.LIBRARY else ""
            case _:
                return ""


def _parameters(function: ast.FunctionDef | ast.Lambda) -> list[str]:
    return [argument.arg for argument in scopes.arguments(function.args)]


def _is_of_package(nodes: Nodes, alias: ast.alias) -> bool:
    """Whether `import a.b` comes on top of `import a.c`: both make parts of the one package."""
    imports = [one for _, node in nodes if isinstance(node, ast.Import) for one in node.names]
    return alias.asname is None and all(one.asname is None for one in imports) and bool(imports)


def _at_once(node: scopes.Function | ast.ClassDef) -> tuple[str, ...]:
    """The names that a definition reads where it stands: all but those inside of functions."""
    waiting: list[ast.AST] = [*node.decorator_list]
    if isinstance(node, ast.ClassDef):
        waiting += [*node.bases, *node.keywords, *node.body]
    else:
        given = [argument.annotation for argument in scopes.arguments(node.args)]
        waiting += [*scopes.defaults(node.args), *(one for one in (*given, node.returns) if one is not None)]
    found: dict[str, None] = {}
    local = scopes.bound_in(node.body) if isinstance(node, ast.ClassDef) else set()
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, scopes.Function | ast.ClassDef):
            found.update(dict.fromkeys(_at_once(inner)))
        elif isinstance(inner, ast.Name):
            found[inner.id] = None
        elif not isinstance(inner, ast.Lambda):
            waiting += ast.iter_child_nodes(inner)
    return tuple(name for name in found if name not in local)


def _has_functions(node: ast.AST) -> bool:
    """Whether functions stand inside of it, which may use what is bound below them."""
    return any(isinstance(inner, scopes.Function | ast.Lambda) for inner in ast.walk(node) if inner is not node)


def _is_generator(node: ast.FunctionDef) -> bool:
    waiting: list[ast.AST] = [*node.body]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(inner, scopes.Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(inner)
    return False
