"""Goes through the source of a cell for the names that it reads and writes, and for its calls."""

import ast
from collections.abc import Sequence

from cellops.capture.dataflow import scopes
from cellops.capture.dataflow.recorder import Recorder
from cellops.capture.dataflow.scopes import Comprehension, Function
from cellops.capture.dataflow.shell_calls import ShellCall, shell_call
from cellops.capture.dataflow.table_changes import changed_by
from cellops.capture.dataflow.texts import constant_code

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


class Visitor(Recorder, ast.NodeVisitor):
    """Walks the module scope and the bodies inside it."""

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._line = node.lineno
        ast.NodeVisitor.visit(self, node)

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
            self._write(node.target.id, self.computed)
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
        for name in changed_by(node):
            self.changes.setdefault(name, []).append((self._line, None))
        if not self._locals:
            self.calls.append(node)
        called = shell_call(node)
        if called is not None:
            self._shell(called)
            return
        code = constant_code(node)
        if code is not None:
            self._hidden(code.body)
            return
        if isinstance(node.func, ast.Name) and node.func.id in DYNAMIC and (node.func.id != "vars" or not node.args):
            self.uncertain[DYNAMIC[node.func.id]] = None
        self.generic_visit(node)

    def _shell(self, called: ShellCall) -> None:
        for name in called.reads:
            self._read(name)
        if called.unknown is not None:
            self.uncertain[called.unknown] = None
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
                self.uncertain[STAR_IMPORT] = None
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


def _annotations(node: Function) -> list[ast.expr]:
    """Annotations are evaluated where the function is defined."""
    given = [argument.annotation for argument in scopes.arguments(node.args)]
    return [annotation for annotation in (*given, node.returns) if annotation is not None]
