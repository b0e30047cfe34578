"""The watcher of splits: how a cell divided rows for training and evaluation."""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from cellops.capture.content.fingerprint import is_data, rows_of
from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.redaction import redact, redact_scalar
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.base import Value
from cellops.records.cell import CellRecord
from cellops.records.finding import Finding, Severity
from cellops.records.split import Overlap, Split, SplitRecord

Namespace = Mapping[str, Any]
LIBRARY = "sklearn.model_selection."
DIVIDERS = ("Split", "Fold", "Out")
"""How the names of scikit-learn's splitters end."""
USERS = ("train_test_split", "cross_val_score", "cross_validate", "cross_val_predict", "check_cv")
ROW_METHODS = ("sample", "query", "head", "tail", "drop", "filter", "take", "truncate")
VIEWS = ("iloc", "loc")
PLAIN = (type(None), bool, int, float, str)
LONGEST = 200
SIGMAS = 4
"""Standard deviations beyond what repetitions explain, from which on shared rows are a warning."""


class Made(NamedTuple):
    """What `cellops.split` has given."""

    record: SplitRecord
    given: object
    """All parts in one."""
    tables: Mapping[str, object]


class Splits:
    name = "splits"

    def __init__(self) -> None:
        self._namespace: Namespace = {}
        self._is_open = False
        self._made: list[Made] = []

    def start(self, shell: Any) -> None:
        self._namespace = shell.user_ns

    def stop(self) -> None:
        """Nothing to take away."""

    def keep(self, made: Made) -> None:
        """Take in what `cellops.split` has made in the cell that is executed."""
        if self._is_open:
            self._made.append(made)

    def before(self, _cell: OpenCell) -> None:
        self._is_open = True

    def after(self, cell: OpenCell, _state: None, _ending: Ending) -> Seen:
        self._is_open = False
        made, self._made = self._made, []
        found = (*self._found(cell), *(_split_of(one, cell.flow, self._namespace) for one in made))
        noticed = tuple(f.replace(where=cell.where) for one in made for f in one.record.findings)
        return Seen({"splits": found}, noticed) if found else Seen()

    def _found(self, cell: OpenCell) -> tuple[Split, ...]:
        if not cell.flow.calls and len(cell.flow.writes) < 2:  # noqa: PLR2004 - nothing is divided into one
            return ()
        return tuple(splits_of(cell.flow, self._namespace))


def splits_of(flow: Dataflow, namespace: Namespace) -> Iterator[Split]:
    """The splits that a cell's source shows: by scikit-learn, and by hand into parts of one table."""
    for call in flow.calls:
        kind = _divider(call, namespace)
        if kind is not None:
            yield Split(
                kind=kind,
                line=call.lineno,
                parts={name: _rows(namespace.get(name)) for name, value in flow.values.items() if value is call},
                parameters=_parameters(call, namespace),
            )
    yield from _by_hand(flow, namespace)


def splits_of_run(
    trail: Iterable[CellRecord], run: CellRecord, slice_: Collection[int] | None = None
) -> tuple[Split, ...]:
    """The splits of a run's own cell, and those before it of which the run read a part.

    Those that `cellops.split` made are the run's in every cell of its slice.
    """
    last = {name: cell.order for cell in trail for name in cell.writes}
    earlier = [
        split
        for cell in trail
        for split in cell.splits
        if cell.order != run.order
        and (
            any(name in run.reads and last.get(name) == cell.order for name in split.parts)
            or (split.made is not None and slice_ is not None and cell.order in slice_)
        )
    ]
    return (*earlier, *run.splits)


def shared_rows(found: Overlap, where: str) -> list[Finding]:
    """A finding on rows that stand in training and in evaluation: a warning where repetitions do not explain them."""
    if not found.shared:
        return []
    rows = found.sketches["evaluation"].rows
    ratio = min(1.0, found.explained / max(1, rows))
    least = found.explained + SIGMAS * ((rows * ratio * (1 - ratio)) ** 0.5 + found.error)
    about = "about " if found.method == "estimated" else ""
    repeated = (
        f"{found.repeated_in_training} rows of the training and {found.repeated_in_evaluation} of the evaluation "
        "repeat others beside them"
    )
    return [
        Finding(
            code="rows-shared",
            severity=Severity.WARNING if found.shared > least else Severity.INFO,
            where=where,
            seen=f"{about}{found.shared} of {rows} rows of {found.evaluation} are in {found.training} too; {repeated}",
            remedy="Drop duplicates before the split, or split by what the rows belong to (GroupKFold)",
        )
    ]


def _split_of(made: Made, flow: Dataflow, namespace: Namespace) -> Split:
    """A split that was made, with the names that its cell has given to the parts."""
    sizes = {id(table): made.record.parts[name].rows for name, table in made.tables.items()}
    sizes[id(made.given)] = made.record.whole.rows - made.record.left_out
    bound: dict[str, int | None] = {
        name: sizes[id(namespace[name])] for name in flow.writes if id(namespace.get(name)) in sizes
    }
    lines = [line for name in bound for line in flow.lines.get(name, ())]
    return Split(kind="cellops.split", line=min(lines, default=1), parts=bound, made=made.record)


def _divider(call: ast.Call, namespace: Namespace) -> str | None:
    """The name of the function or class of scikit-learn that is called, where it divides rows."""
    function = _function(call.func, namespace)
    if type(function) is not FunctionType and not isinstance(function, type):
        return None
    # A class may have a class of its own, whose code answers for the name.
    name = str(vars(type)["__name__"].__get__(function)) if isinstance(function, type) else function.__name__
    known = name in USERS or name.endswith(DIVIDERS)
    return name if known and str(function.__module__).startswith(LIBRARY) else None


def _function(node: ast.expr, namespace: Namespace) -> object:
    match node:
        case ast.Name(id=name):
            return namespace.get(name)
        case ast.Attribute(value=base, attr=name):
            module = _function(base, namespace)
            return vars(module).get(name) if type(module) is ModuleType else None
        case _:
            return None


def _parameters(call: ast.Call, namespace: Namespace) -> dict[str, Value]:
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    if call.args and not given.keys() & {"n_splits"} and isinstance(call.args[0], ast.Constant):
        given["n_splits"] = call.args[0]
    return {name: _parameter(name, node, namespace) for name, node in given.items()}


def _parameter(name: str, node: ast.expr, namespace: Namespace) -> Value:
    value: object = node
    if isinstance(node, ast.Constant | ast.Name):
        value = node.value if isinstance(node, ast.Constant) else namespace.get(node.id, node)
    match value:
        case None | int() | float() | str() if type(value) in PLAIN:
            return redact_scalar(name, value)
        case _:
            return redact(ast.unparse(node))[:LONGEST]


def _by_hand(flow: Dataflow, namespace: Namespace) -> Iterator[Split]:
    """Two or more names of one cell that hold some of the rows of one table."""
    parts: dict[str, dict[str, ast.expr]] = {}
    for name, expression in flow.values.items():
        base = _divided(expression)
        if base is not None and base != name and _is_part(namespace.get(name), namespace.get(base)):
            parts.setdefault(base, {})[name] = expression
    for named in parts.values():
        if len(named) > 1:
            yield Split(
                kind="by hand",
                line=min(expression.lineno for expression in named.values()),
                parts={name: _rows(namespace.get(name)) for name in named},
                parameters={name: redact(ast.unparse(node))[:LONGEST] for name, node in named.items()},
            )


def _divided(node: ast.expr) -> str | None:
    """The name of the table of which an expression takes rows."""
    match node:
        case ast.Subscript(value=ast.Name(id=name)):
            return name
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr=view)) if view in VIEWS:
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in ROW_METHODS:
            return name
        case ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner) | ast.Attribute(value=inner):
            return _divided(inner)
        case _:
            return None


def _is_part(part: object, whole: object) -> bool:
    rows, of = _rows(part), _rows(whole)
    return rows is not None and of is not None and 0 < rows < of


def _rows(value: object) -> int | None:
    return rows_of(value) if is_data(value) else None
