"""Writes down the names that the statements of a cell read and write."""

import ast
import builtins
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from cellops.capture.dataflow.literals import NOT_A_LITERAL, literal_of
from cellops.capture.dataflow.table_changes import column_of
from cellops.records.base import Value


@dataclass(frozen=True)
class Scope:
    bound: set[str]
    is_class: bool


class Recorder(ABC):
    """Knows the scope in which it stands; a name bound inside a function is not the cell's."""

    def __init__(self) -> None:
        self.reads: dict[str, None] = {}
        self.writes: dict[str, None] = {}
        self.literals: dict[str, Value | list[Value]] = {}
        self.computed: dict[str, None] = {}
        self.other: set[str] = set()
        self.calls: list[ast.Call] = []
        self.values: dict[str, ast.expr] = {}
        self.uncertain: dict[str, None] = {}
        self._locals: list[Scope] = []
        self.lines: dict[str, list[int]] = {}
        self.changes: dict[str, list[tuple[int, str | None]]] = {}
        self.members: list[ast.Attribute] = []
        self.attributes: list[ast.Attribute] = []
        self.certain: dict[str, int] = {}
        self._line = self._end = 0
        self._conditions = 0

    @abstractmethod
    def visit(self, node: ast.AST) -> None:
        """Go through a part of the source."""

    def _inside(self, body: Sequence[ast.AST], bound: set[str], *, is_class: bool = False) -> None:
        """A scope of its own. What a class binds is read by nobody inside it as a plain name for certain."""
        self._locals.append(Scope(bound, is_class))
        for node in body:
            self.visit(node)
        self._locals.pop()

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.values[target.id] = value
            literal = literal_of(value)
            if literal is NOT_A_LITERAL:
                self._write(target.id, self.computed)
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
        if isinstance(node, ast.Attribute):
            (self.attributes if isinstance(node.ctx, ast.Load) else self.members).append(node)
        if isinstance(node.ctx, ast.Load):
            return
        root: ast.expr = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if isinstance(root, ast.Name) and not self._is_local(root.id):
            self.writes.setdefault(root.id)
            self.changes.setdefault(root.id, []).append((self._line, column_of(node)))

    def _read(self, name: str) -> None:
        if not self._is_local(name, to_read=True) and (name in self.writes or not hasattr(builtins, name)):
            self.reads.setdefault(name)

    def _write(self, name: str, kind: dict[str, None] | None, literal: object = NOT_A_LITERAL) -> None:
        if self._is_local(name):
            return
        self.writes.setdefault(name)
        self.lines.setdefault(name, []).append(self._line)
        if not self._conditions and not self._locals:
            self.certain.setdefault(name, self._end)
        if literal is not NOT_A_LITERAL:
            self.literals[name] = literal  # type: ignore[assignment]
        elif kind is not None:
            kind.setdefault(name)
        else:
            self.other.add(name)

    def _is_local(self, name: str, *, to_read: bool = False) -> bool:
        return any(name in scope.bound and not (to_read and scope.is_class) for scope in self._locals)
