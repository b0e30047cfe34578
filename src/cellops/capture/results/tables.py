"""The tables that a model was fitted and evaluated on, as far as the cell's source names them."""

import ast
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cellops.capture.content.fingerprint import is_columnar, is_data
from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.names.bindings import is_model
from cellops.capture.redaction import redact
from cellops.capture.results.matrices import Matrix, matrices_of
from cellops.errors import UsageError

Namespace = Mapping[str, Any]
PREDICTIONS = ("predict_proba", "predict", "decision_function", "score")
METRICS = "sklearn.metrics"
CROSS_VALIDATION = "sklearn.model_selection._validation"
PURE = ("astype", "copy", "drop", "filter", "head", "ravel", "reset_index", "squeeze", "tail", "to_frame", "to_numpy")
"""Methods of pandas and numpy that give a table and change nothing."""
VIEWS = ("iloc", "loc", "values")
PARTS = "cellops.data.splits.parts"


@dataclass(frozen=True)
class Table:
    """A table and how the cell names it."""

    name: str
    value: Any


Pair = tuple[Table, Table]
"""Inputs and target."""


def find_tables(name: str, estimator: Any, flow: Dataflow, namespace: Namespace) -> tuple[Pair | None, Pair | None]:
    """Training and evaluation, by the calls in the cell: `model.fit(X, y)`, `model = Kind().fit(X, y)`, `metric(y, …)`.

    Of a booster they are what stands in the matrices that `train` was given.

    A name that has been given another table since a call tells nothing of what the call saw.
    """
    made_by = flow.values.get(name)
    matrices = matrices_of(made_by, flow, lambda node: resolve(node, namespace))
    training, evaluation = (_of_matrix(matrix, estimator, flow, namespace) for matrix in matrices)
    for call in flow.calls:
        if not isinstance(call.func, ast.Attribute):
            continue
        if call is not made_by and resolve(call.func.value, namespace) is not estimator:
            continue
        tables = [_table(argument, call, estimator, flow, namespace) for argument in _arguments(call)]
        if call.func.attr == "fit":
            training = _pair(tables[:2])
        elif call.func.attr in PREDICTIONS and tables and is_columnar(tables[0].value):
            evaluation = _pair(tables[:2]) or _with_truth(tables[0], call, flow, namespace) or evaluation
    return training, evaluation


def _of_matrix(matrix: Matrix | None, estimator: Any, flow: Dataflow, namespace: Namespace) -> Pair | None:
    if matrix is None:
        return None
    return _pair([_table(node, matrix.call, estimator, flow, namespace) for node in matrix.tables])


def data_of_calls(flow: Dataflow, namespace: Namespace) -> list[tuple[str, Table]]:
    """Everything with rows that the cell gives to `fit`, predictions, metrics and cross-validation, with its role.

    The role is `table` where no estimator that predicts took it itself: a metric, a transformer, a cross-validation.
    """
    given = [
        (role, argument)
        for call in flow.calls
        if (role := _role(call, flow, namespace)) is not None
        for argument in _arguments(call)
        if not _has_changed(argument, call, flow)
    ]
    tables = [(role, Table(redact(ast.unparse(node)), resolve(node, namespace))) for role, node in given]
    return [(role, table) for role, table in tables if is_data(table.value)]


def named_tables(names: tuple[str, ...], namespace: Namespace) -> Pair | None:
    """The inputs and the target that a person named, as tables; None when none are named.

    Raises
    ------
    UsageError
        When they are not two tables.
    """
    if not names:
        return None
    tables = [Table(redact(name), resolve(ast.parse(name, mode="eval").body, namespace)) for name in names]
    pair = _pair(tables)
    if pair is None:
        missing = ", ".join(table.name for table in tables if not is_columnar(table.value))
        fact = f"There is no table {missing}" if missing else "Two tables are needed, inputs and target"
        raise UsageError(fact, remedy="Name two tables of the notebook, for example: --train X_train,y_train")
    return pair


def resolve(node: ast.expr, namespace: Namespace) -> Any:
    """The value of an expression that only reads: names, columns and rows of tables, pure methods of pandas.

    None where it would take the user's own code to know.
    """
    try:
        return _resolve(node, namespace)
    except Exception:  # noqa: BLE001 - a table's own methods refuse in many ways; then it is not known
        return None


class _UnknownError(Exception):
    """The expression is of a kind that is not read."""


def _resolve(node: ast.expr | None, namespace: Namespace) -> Any:  # noqa: PLR0911 - one return a kind of node
    match node:
        case None | ast.Constant(value=None):
            return None
        case ast.Name(id=name):
            return namespace[name]
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=parts):
            return [_resolve(part, namespace) for part in parts]
        case ast.Tuple(elts=parts):
            return tuple(_resolve(part, namespace) for part in parts)
        case ast.Slice(lower=lower, upper=upper, step=step):
            return slice(*(_resolve(part, namespace) for part in (lower, upper, step)))
        case ast.Subscript(value=base, slice=key):
            return _readable(_resolve(base, namespace))[_resolve(key, namespace)]
        case ast.Attribute(value=base, attr=attribute):
            return _attribute(_resolve(base, namespace), attribute)
        case ast.Call(func=ast.Attribute(value=base, attr=method), args=arguments, keywords=keywords) if method in PURE:
            table = _readable(_resolve(base, namespace))
            named = {str(k.arg): _resolve(k.value, namespace) for k in keywords}
            if "inplace" in named:
                raise _UnknownError
            return getattr(table, method)(*(_resolve(argument, namespace) for argument in arguments), **named)
        case _:
            raise _UnknownError


def _readable(value: Any) -> Any:
    """A table, its view by rows, or the parts that `cellops.split` has made of one."""
    if is_columnar(value) or type(value).__module__ in {"pandas.core.indexing", PARTS}:
        return value
    raise _UnknownError


def _attribute(base: Any, name: str) -> Any:
    if isinstance(base, type(sys)) or (is_columnar(base) and name in VIEWS):
        return getattr(base, name)
    if type(base).__module__ == PARTS or name in getattr(_readable(base), "columns", ()):
        return base[name]
    raise _UnknownError


def _role(call: ast.Call, flow: Dataflow, namespace: Namespace) -> str | None:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("fit", *PREDICTIONS):
        return "table" if _is_of((METRICS, CROSS_VALIDATION), call, namespace) else None
    made = [namespace.get(name) for name, value in flow.values.items() if value is call]
    if not any(map(is_model, (resolve(call.func.value, namespace), *made))):
        return "table"
    return "training" if call.func.attr == "fit" else "evaluation"


def _is_of(modules: str | tuple[str, ...], call: ast.Call, namespace: Namespace) -> bool:
    """Whether a function of one of these modules is called."""
    module = getattr(resolve(call.func, namespace), "__module__", "")
    return type(module) is str and module.startswith(modules)


def _arguments(call: ast.Call) -> list[ast.expr]:
    """The inputs and the target of a call, by place or by scikit-learn's names for them."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    return [*call.args, *(named[name] for name in ("X", "y")[len(call.args) :] if name in named)]


def _table(node: ast.expr, call: ast.Call, estimator: Any, flow: Dataflow, namespace: Namespace) -> Table:
    """The table that a call was given; of a frame that has gained columns since, those that the model knows."""
    known = getattr(estimator, "feature_names_in_", None)
    value: Any = None if _has_changed(node, call, flow, known) else resolve(node, namespace)
    columns = getattr(value, "columns", ()) if is_columnar(value) and hasattr(type(value), "__setitem__") else ()
    if known is not None and len(columns) > len(known) and set(known) <= set(columns):
        value = value[list(known)]
    return Table(redact(ast.unparse(node)), value)


def _has_changed(node: ast.expr, call: ast.Call, flow: Dataflow, known: Any = None) -> bool:
    """Whether a name in an argument was bound again or changed behind the call; a model's new columns are no change."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    kept = set() if known is None else set(known)
    changes = [change for name in names for change in flow.changes.get(name, ())]
    return any(line >= call.lineno for name in names for line in flow.lines.get(name, ())) or any(
        line >= call.lineno and not (known is not None and column is not None and column not in kept)
        for line, column in changes
    )


def _pair(tables: list[Table]) -> Pair | None:
    match tables:
        case [inputs, target] if is_columnar(inputs.value) and is_columnar(target.value):
            return inputs, target
        case _:
            return None


def _with_truth(inputs: Table, answers: ast.Call, flow: Dataflow, namespace: Namespace) -> Pair | None:
    """The truth that the cell's scikit-learn metrics hold these answers against; None where they name several."""
    truths: dict[str, Table] = {}
    for call in flow.calls:
        if not _is_of(METRICS, call, namespace) or not any(_gives(node, answers, flow) for node in _answers_of(call)):
            continue
        node = next(iter(_named(call, "y_true", 0)), None)
        if node is None or _has_changed(node, call, flow):
            continue
        truth = Table(redact(ast.unparse(node)), resolve(node, namespace))
        if is_columnar(truth.value) and getattr(truth.value, "shape", None) == (len(inputs.value),):
            truths[truth.name] = truth
    return (inputs, next(iter(truths.values()))) if len(truths) == 1 else None


def _named(call: ast.Call, name: str, position: int) -> list[ast.expr]:
    return [*call.args[position : position + 1], *(k.value for k in call.keywords if k.arg == name)]


def _answers_of(call: ast.Call) -> list[ast.expr]:
    return [node for name in ("y_pred", "y_score", "y_prob", "y_proba") for node in _named(call, name, 1)]


def _gives(node: ast.expr, answers: ast.Call, flow: Dataflow) -> bool:
    """Whether an expression is made of the answers of a call, itself or by a name that was bound to them last."""
    for part in ast.walk(node):
        if part is answers:
            return True
        if isinstance(part, ast.Name) and part.id in flow.values and _is_last(part, answers, flow):
            return any(inner is answers for inner in ast.walk(flow.values[part.id]))
    return False


def _is_last(name: ast.Name, answers: ast.Call, flow: Dataflow) -> bool:
    """Whether a name stands, where it is read, for what it was bound to last, and that was done with the answers."""
    bound = max(flow.lines.get(name.id, (0,)))
    return bound <= answers.lineno and bound <= name.lineno
