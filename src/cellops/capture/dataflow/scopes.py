"""Which names a scope of Python binds: a function, a lambda, a class or a comprehension."""

import ast
from collections.abc import Iterable, Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def bound_in(body: Iterable[ast.AST]) -> set[str]:
    """The names that statements bind in their own scope; what `global` and `nonlocal` name is another scope's."""
    binder = _Binder()
    for node in body:
        binder.visit(node)
    return binder.bound - binder.elsewhere


def bound_in_function(node: Function | ast.Lambda) -> set[str]:
    """The local names of a function: its arguments and what its body binds."""
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    return {argument.arg for argument in arguments(node.args)} | bound_in(body)


def bound_in_comprehension(node: Comprehension) -> set[str]:
    """The loop variables of a comprehension."""
    targets = (generator.target for generator in node.generators)
    return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}


def arguments(given: ast.arguments) -> Iterator[ast.arg]:
    """Every argument of a function."""
    yield from (*given.posonlyargs, *given.args, *given.kwonlyargs)
    yield from (argument for argument in (given.vararg, given.kwarg) if argument is not None)


def defaults(given: ast.arguments) -> list[ast.expr]:
    """The expressions of a function's defaults, which are evaluated where it is defined."""
    return [default for default in (*given.defaults, *given.kw_defaults) if default is not None]


def awaits(tree: ast.AST) -> bool:
    """Whether code awaits where it stands itself, outside of the functions inside it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) or getattr(node, "is_async", False):
            return True
        if not isinstance(node, Function | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return False


class _Binder(ast.NodeVisitor):
    """Goes through one scope and stays out of those inside it, but for the walrus of a comprehension."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.elsewhere: set[str] = set()
        self._in_comprehension = 0

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load) and not self._in_comprehension:
            self.bound.add(node.id)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.bound.add(node.target.id)
        self.visit(node.value)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.elsewhere.update(node.names)

    visit_Nonlocal = visit_Global  # noqa: N815

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_FunctionDef(self, node: Function) -> None:
        self.bound.add(node.name)
        for outer in (*node.decorator_list, *defaults(node.args)):
            self.visit(outer)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bound.add(node.name)
        for outer in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(outer)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in defaults(node.args):
            self.visit(default)

    def visit_ListComp(self, node: Comprehension) -> None:
        self._in_comprehension += 1
        self.generic_visit(node)
        self._in_comprehension -= 1

    visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_ListComp  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._capture(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self._capture(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs  # noqa: N815

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._capture(node.rest)
        self.generic_visit(node)

    def _capture(self, name: str | None) -> None:
        if name is not None:
            self.bound.add(name)
