"""What a cell's source says of the names it reads and writes, of its literals and of its calls."""

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass, field

from cellops.capture.dataflow import scopes
from cellops.capture.dataflow.scopes import Comprehension, Function
from cellops.capture.dataflow.shell_calls import ShellCall, shell_call
from cellops.records.base import Value

STAR_IMPORT = "star import"
DYNAMIC = {
    "exec": "exec",
    "eval": "eval",
    "globals": "globals()",
    "locals": "locals()",
    "vars": "vars()",
    "setattr": "setattr",
    "delattr": "delattr",
}


@dataclass(frozen=True)
class Dataflow:
    """Names in the order in which they first appear."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    literals: dict[str, Value | list[Value]] = field(default_factory=dict)
    """Names that the cell binds to literals and to nothing else."""
    computed: tuple[str, ...] = ()
    """Names that the cell binds to the value of an expression: neither literals, imports, definitions nor counters."""
    calls: tuple[ast.Call, ...] = ()
    values: dict[str, ast.expr] = field(default_factory=dict)
    """The expression that a name was last bound to."""
    lines: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The lines at which a name is bound."""
    changes: dict[str, tuple[tuple[int, str | None], ...]] = field(default_factory=dict)
    """The lines at which the object under a name is changed in place, with the column where only that one is."""
    certain: dict[str, int] = field(default_factory=dict)
    """Names that are bound whenever the cell comes past the given line: outside of branches, loops and `try`."""
    uncertain: tuple[str, ...] = ()
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []))


def analyse(source: str) -> Dataflow:
    """Read a cell's (transformed) source; a syntax error gives an empty answer that says so."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Dataflow(uncertain=(f"source not understood: {type(error).__name__}",))
    visitor = _Visitor()
    try:
        visitor.visit(tree)
    except RecursionError as error:
        return Dataflow(uncertain=(f"source not understood: {type(error).__name__}",))
    return visitor.result(tree)


def constant_code(node: ast.Call) -> ast.Module | None:
    """The code that `exec` or `eval` is given as a plain string, without a namespace of its own."""
    match node:
        case ast.Call(func=ast.Name(id="exec" | "eval"), args=[ast.Constant(value=str(code))], keywords=[]):
            try:
                return ast.parse(code.strip())
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
        case _:
            return None


CHANGING = frozenset({"fill", "insert", "partition", "pop", "put", "resize", "setflags", "sort", "update"})
"""Methods of tables that change them."""


def _column(node: ast.Attribute | ast.Subscript) -> str | None:
    """The column that `table["column"] = …` writes."""
    match node:
        case ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str(column))):
            return column
        case _:
            return None


def _changed_by(call: ast.Call) -> list[str]:
    """The names of tables that a call changes: by a method of theirs, with `inplace=True`, or by shuffling."""
    match call.func:
        case ast.Attribute(attr="shuffle"):
            return [argument.id for argument in call.args if isinstance(argument, ast.Name)]
        case ast.Attribute(value=ast.Name(id=name), attr=method):
            inplace = any(k.arg == "inplace" and not _is_false(k.value) for k in call.keywords)
            return [name] if inplace or method in CHANGING else []
        case _:
            return []


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


@dataclass(frozen=True)
class _Scope:
    bound: set[str]
    is_class: bool


class _Visitor(ast.NodeVisitor):
    """Walks the module scope and the bodies inside it; a name bound inside a function is not the cell's."""

    def __init__(self) -> None:
        self._reads: dict[str, None] = {}
        self._writes: dict[str, None] = {}
        self._literal: dict[str, Value | list[Value]] = {}
        self._computed: dict[str, None] = {}
        self._other: set[str] = set()
        self._calls: list[ast.Call] = []
        self._values: dict[str, ast.expr] = {}
        self._uncertain: dict[str, None] = {}
        self._locals: list[_Scope] = []
        self._lines: dict[str, list[int]] = {}
        self._changes: dict[str, list[tuple[int, str | None]]] = {}
        self._certain: dict[str, int] = {}
        self._line = self._end = 0
        self._conditions = 0

    def result(self, tree: ast.Module) -> Dataflow:
        literals = {n: v for n, v in self._literal.items() if n not in self._computed and n not in self._other}
        computed = tuple(n for n in self._computed if n not in self._other)
        return Dataflow(
            reads=tuple(self._reads),
            writes=tuple(self._writes),
            literals=literals,
            computed=computed,
            calls=tuple(self._calls),
            values=self._values,
            uncertain=tuple(self._uncertain),
            lines={name: tuple(lines) for name, lines in self._lines.items()},
            changes={name: tuple(changes) for name, changes in self._changes.items()},
            certain=self._certain,
            tree=tree,
        )

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._line = node.lineno
        super().visit(node)

    def visit_Module(self, node: ast.Module) -> None:
        for statement in node.body:
            self._end = statement.end_lineno or statement.lineno
            self.visit(statement)

    def visit_If(self, node: ast.AST) -> None:
        self._conditions += 1
        self.generic_visit(node)
        self._conditions -= 1

    visit_IfExp = visit_BoolOp = visit_Match = visit_Try = visit_TryStar = visit_If  # noqa: N815
    visit_For = visit_AsyncFor = visit_While = visit_If  # noqa: N815

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._bind(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self._bind(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
            self._write(node.target.id, self._computed)
        else:
            self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._bind(node.target, node.value)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        else:
            self._write(node.id, None)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._mutation(node)
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._mutation(node)
        self.visit(node.value)
        self.visit(node.slice)

    def visit_Call(self, node: ast.Call) -> None:
        for name in _changed_by(node):
            self._changes.setdefault(name, []).append((self._line, None))
        if not self._locals:
            self._calls.append(node)
        called = shell_call(node)
        if called is not None:
            self._shell(called)
            return
        code = constant_code(node)
        if code is not None:
            self._hidden(code.body)
            return
        if isinstance(node.func, ast.Name) and node.func.id in DYNAMIC and (node.func.id != "vars" or not node.args):
            self._uncertain[DYNAMIC[node.func.id]] = None
        self.generic_visit(node)

    def _shell(self, called: ShellCall) -> None:
        for name in called.reads:
            self._read(name)
        if called.unknown is not None:
            self._uncertain[called.unknown] = None
        self._hidden(called.code.body)

    def _hidden(self, body: Sequence[ast.stmt]) -> None:
        """Statements that stand in a string; their lines are not the cell's."""
        line = self._line
        self._conditions += 1
        for statement in body:
            self.generic_visit(ast.Module([statement], []))
        self._conditions -= 1
        self._line = line

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._write(alias.asname or alias.name.partition(".")[0], None)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self._uncertain[STAR_IMPORT] = None
            else:
                self._write(alias.asname or alias.name, None)

    def visit_FunctionDef(self, node: Function) -> None:
        for outer in (*node.decorator_list, *_annotations(node), *scopes.defaults(node.args)):
            self.visit(outer)
        self._write(node.name, None)
        self._inside(node.body, scopes.bound_in_function(node))

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for outer in scopes.defaults(node.args):
            self.visit(outer)
        self._inside([node.body], scopes.bound_in_function(node))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for outer in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            self.visit(outer)
        self._write(node.name, None)
        self._inside(node.body, scopes.bound_in(node.body), is_class=True)

    def visit_ListComp(self, node: Comprehension) -> None:
        """The first iterable is evaluated outside of the comprehension, all the rest inside."""
        self.visit(node.generators[0].iter)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        conditions = [test for generator in node.generators for test in generator.ifs]
        inner = [*results, *conditions, *(g.iter for g in node.generators[1:])]
        self._inside(inner, scopes.bound_in_comprehension(node))

    visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_ListComp  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name is not None:
            self._write(node.name, None)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.generic_visit(node)
        if node.name is not None:
            self._write(node.name, None)

    visit_MatchStar = visit_MatchAs  # noqa: N815

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest is not None:
            self._write(node.rest, None)

    def _inside(self, body: Sequence[ast.AST], bound: set[str], *, is_class: bool = False) -> None:
        """A scope of its own. What a class binds is read by nobody inside it as a plain name for certain."""
        self._locals.append(_Scope(bound, is_class))
        for node in body:
            self.visit(node)
        self._locals.pop()

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._values[target.id] = value
            literal = _literal(value)
            if literal is _NOT_A_LITERAL:
                self._write(target.id, self._computed)
            else:
                self._write(target.id, None, literal)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target, value)
        else:
            self.visit(target)

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.expr) -> None:
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        pairwise = len(parts) == len(target.elts) and not any(isinstance(e, ast.Starred) for e in target.elts)
        for position, element in enumerate(target.elts):
            inner = element.value if isinstance(element, ast.Starred) else element
            self._bind(inner, parts[position] if pairwise else value)

    def _mutation(self, node: ast.Attribute | ast.Subscript) -> None:
        """`frame["x"] = 1` and `thing.x = 1` write to the name at their root."""
        if isinstance(node.ctx, ast.Load):
            return
        root: ast.expr = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if isinstance(root, ast.Name) and not self._is_local(root.id):
            self._writes.setdefault(root.id)
            self._changes.setdefault(root.id, []).append((self._line, _column(node)))

    def _read(self, name: str) -> None:
        if not self._is_local(name, to_read=True) and (name in self._writes or not hasattr(builtins, name)):
            self._reads.setdefault(name)

    _UNSET = object()

    def _write(self, name: str, kind: dict[str, None] | None, literal: object = _UNSET) -> None:
        if self._is_local(name):
            return
        self._writes.setdefault(name)
        self._lines.setdefault(name, []).append(self._line)
        if not self._conditions and not self._locals:
            self._certain.setdefault(name, self._end)
        if literal is not self._UNSET:
            self._literal[name] = literal  # type: ignore[assignment]
        elif kind is not None:
            kind.setdefault(name)
        else:
            self._other.add(name)

    def _is_local(self, name: str, *, to_read: bool = False) -> bool:
        return any(name in scope.bound and not (to_read and scope.is_class) for scope in self._locals)


_NOT_A_LITERAL = object()
MOST_ITEMS = 100


def _literal(node: ast.expr) -> object:
    """The value of a literal scalar, or list of scalars; everything else is computed."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _NOT_A_LITERAL
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, tuple | list) and len(value) <= MOST_ITEMS:
        return list(value) if all(isinstance(v, str | int | float | None) for v in value) else str(value)
    return str(value)


def _stores(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _annotations(node: Function) -> list[ast.expr]:
    """Annotations are evaluated where the function is defined."""
    given = [argument.annotation for argument in scopes.arguments(node.args)]
    return [annotation for annotation in (*given, node.returns) if annotation is not None]
