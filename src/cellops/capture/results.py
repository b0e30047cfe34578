"""What a run cell leaves behind: literals are parameters, computed numbers metrics, fitted estimators models."""

import ast
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cellops.capture.data import is_table
from cellops.capture.dataflow import Dataflow
from cellops.errors import UsageError
from cellops.records.base import Value

PREDICTIONS = ("predict_proba", "predict", "decision_function", "score")
Namespace = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table and how the cell names it."""

    name: str
    value: Any


@dataclass(frozen=True)
class FittedModel:
    """An estimator that the cell fitted, with the tables it was fitted and evaluated on where the cell names them."""

    name: str
    estimator: Any
    training: tuple[Table, Table] | None = None
    evaluation: tuple[Table, Table] | None = None


@dataclass(frozen=True)
class Results:
    parameters: dict[str, Value | list[Value]] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    not_finite: tuple[str, ...] = ()
    """Metrics that came out as NaN or infinite."""
    models: tuple[FittedModel, ...] = ()


def collect(flow: Dataflow, namespace: Namespace) -> Results:
    """Read a run cell's results from the names that it bound."""
    metrics: dict[str, float] = {}
    for name in flow.computed:
        if not name.startswith("_") and name in namespace:
            metrics.update(_numbers(name, namespace[name]))
    parameters = {n: v for n, v in flow.literals.items() if not n.startswith("_")}
    finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
    return Results(parameters, finite, tuple(n for n in metrics if n not in finite), _models(flow, namespace))


def scalar_parameters(estimator: Any) -> dict[str, Value]:
    """The scalars among `get_params()`, also of the steps of a pipeline; an estimator that fails has none."""
    try:
        given = estimator.get_params(deep=True)
    except Exception:  # noqa: BLE001 - user code runs here
        return {}
    return {str(n): v for n, v in given.items() if isinstance(v, str | int | float | None)}


def _numbers(name: str, value: object) -> dict[str, float]:
    """A number, or the numbers of a dictionary by their keys."""
    if isinstance(value, dict):
        found: dict[str, float] = {}
        for key, inner in value.items():
            if isinstance(key, str) and not isinstance(inner, dict):
                found.update(_numbers(f"{name}.{key}", inner))
        return found
    number = _number(value)
    return {} if number is None else {name: number}


def _number(value: object) -> float | None:
    """A numeric scalar as a float; an integer beyond the floats is infinite, and a truth value is no number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) <= sys.float_info.max or value != value else math.inf  # noqa: PLR0124 - NaN
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        return float(value) if kind in "iuf" else None  # type: ignore[arg-type]
    return None


def _models(flow: Dataflow, namespace: Namespace) -> tuple[FittedModel, ...]:
    named = {name: namespace[name] for name in (*flow.writes, *_receivers(flow, "fit")) if name in namespace}
    fitted = {name: value for name, value in named.items() if _is_fitted_model(value)}
    inner = {id(part) for value in fitted.values() for part in _parts(value)}
    outer = {name: value for name, value in fitted.items() if id(value) not in inner}
    models = []
    seen: set[int] = set()
    for name, estimator in outer.items():
        if id(estimator) not in seen:
            seen.add(id(estimator))
            models.append(_with_tables(name, estimator, flow, namespace))
    return tuple(models)


def _receivers(flow: Dataflow, method: str) -> list[str]:
    return [
        call.func.value.id
        for call in flow.calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == method and isinstance(call.func.value, ast.Name)
    ]


def _is_fitted_model(value: object) -> bool:
    kind = type(value)
    if isinstance(value, type) or not all(hasattr(kind, name) for name in ("fit", "predict", "get_params")):
        return False
    validation = sys.modules.get("sklearn.utils.validation")
    if validation is None:
        return any(name.endswith("_") and not name.startswith("_") for name in vars(value))
    try:
        validation.check_is_fitted(value)
    except Exception:  # noqa: BLE001 - NotFittedError, or whatever a foreign estimator raises
        return False
    return True


def _parts(estimator: Any) -> list[object]:
    try:
        parts: list[object] = list(estimator.get_params(deep=True).values())
    except Exception:  # noqa: BLE001 - user code runs here
        return []
    return [part for part in parts if part is not estimator]


def _with_tables(name: str, estimator: Any, flow: Dataflow, namespace: Namespace) -> FittedModel:
    """Find the tables by the calls in the cell: `model.fit(X, y)`, `model = Kind().fit(X, y)`, `metric(y, …)`."""
    training = evaluation = None
    made_by = flow.values.get(name)
    for call in flow.calls:
        if not isinstance(call.func, ast.Attribute):
            continue
        if call is not made_by and resolve(call.func.value, namespace) is not estimator:
            continue
        tables = [Table(ast.unparse(a), resolve(a, namespace)) for a in call.args]
        if call.func.attr == "fit":
            training = _pair(tables[:2])
        elif call.func.attr in PREDICTIONS and tables and is_table(tables[0].value):
            evaluation = _pair(tables[:2]) or _with_truth(tables[0], flow, namespace) or evaluation
    return FittedModel(name, estimator, training, evaluation)


def _pair(tables: list[Table]) -> tuple[Table, Table] | None:
    match tables:
        case [inputs, target] if is_table(inputs.value) and is_table(target.value):
            return inputs, target
        case _:
            return None


def _with_truth(inputs: Table, flow: Dataflow, namespace: Namespace) -> tuple[Table, Table] | None:
    """The truth is what the cell's scikit-learn metrics take first, where it is as long as the inputs."""
    for call in flow.calls:
        function = resolve(call.func, namespace)
        if not str(getattr(function, "__module__", "")).startswith("sklearn.metrics") or not call.args:
            continue
        truth = Table(ast.unparse(call.args[0]), resolve(call.args[0], namespace))
        if is_table(truth.value) and truth.value.shape == (len(inputs.value),):
            return inputs, truth
    return None


def resolve(node: ast.expr, namespace: Namespace) -> Any:  # noqa: PLR0911 - one return a kind of node
    """The value of a name, of `table["column"]` and of `module.name`: reading only, no call of the user's code."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id)
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [resolve(element, namespace) for element in node.elts]
    if isinstance(node, ast.Subscript):
        base = resolve(node.value, namespace)
        try:
            return base[resolve(node.slice, namespace)] if is_table(base) else None
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    if isinstance(node, ast.Attribute):
        base = resolve(node.value, namespace)
        return getattr(base, node.attr, None) if isinstance(base, type(sys)) else None
    return None


def resolve_names(names: tuple[str, ...], namespace: Namespace) -> tuple[Table, Table] | None:
    """The inputs and the target that a person named, as tables; None when none are named."""
    if not names:
        return None
    tables = [Table(name, resolve(ast.parse(name, mode="eval").body, namespace)) for name in names]
    pair = _pair(tables)
    if pair is None:
        missing = [table.name for table in tables if not is_table(table.value)]
        fact = f"Two tables are needed, inputs and target; {', '.join(missing) or len(names)} is none"
        raise UsageError(fact, received=",".join(names), remedy="Name two tables, for example: --train X_train,y_train")
    return pair
