"""A call with the values of its parts, and who evaluates them."""

import ast
from typing import NamedTuple, Protocol

from cellops.capture.names.sharing import Notes, Value

LAMBDA = "(lambda)"
"""Stands for the name of an argument that is a lambda; its value is what it returns."""


class Called(NamedTuple):
    """A call with the values of its parts."""

    node: ast.Call
    base: Value | None
    """What the method belongs to; None for a plain function."""
    method: str
    function: Value
    arguments: list[tuple[str, Value]]
    inside: bool
    """Whether it stands in a function, a class or a comprehension."""

    @property
    def values(self) -> list[Value]:
        return [value for _, value in self.arguments]

    @property
    def result(self) -> Value:
        """Something made of the arguments."""
        return Value(roots=frozenset().union(*(value.everything for value in self.values)))


class Evaluator(Protocol):
    notes: Notes

    def use(self, value: Value) -> None: ...

    def member(self, found: Value) -> Value: ...

    def place(self, owner: Value, name: str | None, item: Value) -> None: ...

    def give(self, item: Value) -> None: ...
