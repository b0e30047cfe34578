"""What a gate may name: metrics, the champion, figures of groups of rows, latencies."""

import ast
import re
from keyword import iskeyword

from cellops.records.base import Record

CHAMPION = "champion"
OF_GROUPS = ("min_group", "max_group", "gap_group")
FIGURES = ("accuracy", "brier", "log_loss", "mae", "precision", "r2", "recall", "rmse", "roc_auc")
"""What `stats.performance.evaluate` measures."""
LATENCIES = tuple(f"p{percent}_latency_ms" for percent in (50, 90, 95, 99))
LATENCY = re.compile(r"p(50|90|95|99)_latency_ms")
"""Latencies that are measured on the kept model where the run has no metric of that name."""
SMALLEST_GROUP = 30
"""Rows below which a group is not judged, where the gate says nothing else."""


class GroupCall(Record, frozen=True, kw_only=True):
    """`min_group(recall, carrier)`: a figure of the model over the groups of a column."""

    function: str
    figure: str
    column: str
    smallest: int = SMALLEST_GROUP
    """Rows that a group must have to count."""

    @property
    def name(self) -> str:
        """As it is written, and as the metric of the run is called."""
        more = "" if self.smallest == SMALLEST_GROUP else f", {self.smallest}"
        return f"{self.function}({self.figure}, {_quoted(self.column)}{more})"


def metric(node: ast.expr) -> str:
    """The metric that a node names: `auc`, `scores.auc`, or any other in quotes.

    Raises
    ------
    ValueError
        When it names none.
    """
    match node:
        case ast.Name(id=name) | ast.Constant(value=str(name)):
            return name
        case ast.Attribute(value=ast.Name() | ast.Attribute() as base, attr=attribute):
            return f"{metric(base)}.{attribute}"
        case _:
            raise ValueError(ast.unparse(node))


def group_call(node: ast.Call) -> GroupCall:
    """The figure of groups that a call asks for.

    Raises
    ------
    ValueError
        When its arguments are not a figure, a column and, if they are three, a number of rows.
    """
    match node:
        case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=figure), column], keywords=[]):
            return GroupCall(function=function, figure=figure, column=metric(column))
        case ast.Call(
            func=ast.Name(id=function),
            args=[ast.Name(id=figure), column, ast.Constant(value=int() as smallest)],
            keywords=[],
        ) if type(smallest) is int and smallest > 0:
            return GroupCall(function=function, figure=figure, column=metric(column), smallest=smallest)
        case _:
            raise ValueError(ast.unparse(node))


def _quoted(column: str) -> str:
    plain = all(part.isidentifier() and not iskeyword(part) for part in column.split("."))
    return column if plain else repr(column)
