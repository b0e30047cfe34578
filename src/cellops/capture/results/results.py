"""What a run cell leaves behind: literals are parameters, computed numbers metrics, fitted estimators models."""

import contextlib
import math
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from pathlib import PosixPath, WindowsPath
from typing import Any

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.names.bindings import is_model, parts_of
from cellops.capture.redaction import redact
from cellops.capture.results.tables import Pair, find_tables
from cellops.capture.results.trained import library_of, optimizer_parameters
from cellops.records.base import Value

MOST_ITEMS = 100
LONGEST_TEXT = 2000
LARGEST_INTEGER = 2**63
"""Integers from here on fit no JSON reader's 64 bits."""
Namespace = Mapping[str, Any]
TEXTS: Mapping[type, Callable[[Any], str]] = {
    PosixPath: str,
    WindowsPath: str,
    date: date.isoformat,
    datetime: datetime.isoformat,
}
"""By the type of a value, how it is told as text."""


@dataclass(frozen=True)
class FittedModel:
    """An estimator that the cell fitted, with the tables it was fitted and evaluated on where the cell names them."""

    name: str
    estimator: Any
    training: Pair | None = None
    evaluation: Pair | None = None


@dataclass(frozen=True)
class Results:
    parameters: dict[str, Value | list[Value]] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    not_finite: tuple[str, ...] = ()
    """Metrics that came out as NaN or infinite."""
    models: tuple[FittedModel, ...] = ()


def collect(flow: Dataflow, namespace: Namespace, bound: Collection[str], fitted: Iterable[str] = ()) -> Results:
    """Read a run cell's results from the namespace: of the names that it has bound, and of estimators it has fitted."""
    metrics: dict[str, float] = {}
    for name in flow.computed:
        if not name.startswith("_") and name in bound:
            metrics.update({redact(full): number for full, number in _numbers(name, namespace[name]).items()})
    finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
    used = {name: namespace[name] for name in (*flow.writes, *flow.reads) if name in namespace}
    return Results(
        {**values((name for name in flow.literals if name in bound), namespace), **_plain(optimizer_parameters(used))},
        finite,
        tuple(n for n in metrics if n not in finite),
        _models(flow, namespace, [*(name for name in flow.writes if name in bound), *fitted]),
    )


def values(names: Iterable[str], namespace: Namespace) -> dict[str, Value | list[Value]]:
    """The values of names as parameters: scalars, short lists of them, the text of other literals; no private names."""
    found = {}
    for name in names:
        if not name.startswith("_") and name in namespace:
            with contextlib.suppress(TypeError):
                found[name] = _as_value(namespace[name])
    return found


def plain_value(value: object) -> Value:
    """A scalar as JSON can hold it: numbers beyond JSON, paths and dates as text, a member of an Enum as its name.

    Raises
    ------
    TypeError
        When the value is no scalar.
    """
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()  # type: ignore[attr-defined]
    if issubclass(type(value), Enum):
        value = object.__getattribute__(value, "_name_")  # without methods of the user's
    match value:
        case None | bool() | str():
            return value
        case int():
            return int(value) if abs(value) < LARGEST_INTEGER else str(int(value))
        case float():
            return float(value) if math.isfinite(value) else str(float(value))
        case _ if type(value) in TEXTS:
            return TEXTS[type(value)](value)
        case _:
            fact = f"{type(value).__name__} is no scalar"
            raise TypeError(fact)


def _as_value(value: object) -> Value | list[Value]:
    """A scalar or a short list of scalars; the text of another literal."""
    if isinstance(value, list | tuple | set) and len(value) <= MOST_ITEMS:
        with contextlib.suppress(TypeError):
            items = [plain_value(item) for item in value]
            # The order of a set is another one in each process.
            return sorted(items, key=repr) if isinstance(value, set) else items
    if isinstance(value, list | tuple | dict | set | bytes | complex):
        return _literal(value)[:LONGEST_TEXT]
    return plain_value(value)


def _literal(value: object) -> str:
    """A value as a literal; of sets in it, which have another order in each process, the items in one order."""
    if type(value) is list:
        return f"[{', '.join(map(_literal, value))}]"
    if type(value) is tuple:
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    if type(value) is dict:
        return f"{{{', '.join(f'{_literal(key)}: {_literal(held)}' for key, held in value.items())}}}"
    if type(value) is set and value:
        return f"{{{', '.join(sorted(map(_literal, value)))}}}"
    return repr(value)


def scalar_parameters(estimator: Any) -> dict[str, Value]:
    """The scalars among `get_params()`, also of the steps of a pipeline; an estimator that fails has none."""
    library = library_of(estimator)
    try:
        return _plain(estimator.get_params(deep=True) if library is None else library.parameters(estimator))
    except Exception:  # noqa: BLE001 - user code runs here
        return {}


def _plain(given: Mapping[Any, object]) -> dict[str, Value]:
    found = {}
    for name, value in given.items():
        with contextlib.suppress(TypeError):
            found[str(name)] = plain_value(value)
    return found


def _numbers(name: str, value: Any) -> dict[str, float]:
    """A number, or the numbers of a dictionary by their keys."""
    if issubclass(type(value), dict):
        found: dict[str, float] = {}
        for key, inner in dict.items(value):
            if type(key) is str and not issubclass(type(inner), dict):
                found.update(_numbers(f"{name}.{key}", inner))
        return found
    number = _number(value)
    return {} if number is None else {name: number}


def _number(value: Any) -> float | None:
    """A numeric scalar as a float; an integer beyond the floats is infinite, and a truth value is no number."""
    if type(value) is bool:
        return None
    if issubclass(type(value), int | float):
        value = (int if issubclass(type(value), int) else float).__pos__(value)  # without methods of the user's
        return float(value) if abs(value) <= sys.float_info.max or value != value else math.inf  # noqa: PLR0124 - NaN
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        return float(value) if kind in "iuf" else None
    return None


def _models(flow: Dataflow, namespace: Namespace, names: Iterable[str]) -> tuple[FittedModel, ...]:
    """The fitted models under some names, also in a list or dictionary; parts of others are not counted.

    Those with scikit-learn's methods come first: the first model of a run is the one that has a contract.
    """
    named = {n: v for name in dict.fromkeys(names) for n, v in _contained(name, namespace[name])}
    fitted = {name: value for name, value in named.items() if _is_fitted_model(value)}
    inner = {id(part) for value in fitted.values() for part in parts_of(value)}
    outer = {name: value for name, value in fitted.items() if id(value) not in inner}
    models = []
    seen: set[int] = set()
    for name, estimator in outer.items():
        if id(estimator) not in seen:
            seen.add(id(estimator))
            models.append(FittedModel(name, estimator, *find_tables(name, estimator, flow, namespace)))
    return tuple(sorted(models, key=lambda model: not is_model(model.estimator)))


def _contained(name: str, value: Any) -> list[tuple[str, object]]:
    """A value under its name, or the items of a small container under names of their own."""
    for kind in (list, tuple):
        if issubclass(type(value), kind) and kind.__len__(value) <= MOST_ITEMS:
            return [(f"{name}_{position}", item) for position, item in enumerate(kind.__iter__(value))]
    if not issubclass(type(value), dict) or dict.__len__(value) > MOST_ITEMS:
        return [(name, value)]
    found: dict[str, object] = {}
    for position, (key, item) in enumerate(dict.items(value)):
        label = redact(f"{name}_{key}") if type(key) in (str, int, float, bool) else f"{name}_{position}"
        found[f"{label}_{position}" if label in found else label] = item
    return list(found.items())


def _is_fitted_model(value: object) -> bool:
    library = library_of(value)
    if library is not None:
        return library.is_trained(value)
    if not is_model(value):
        return False
    validation = sys.modules.get("sklearn.utils.validation")
    if validation is None:
        return any(name.endswith("_") and not name.startswith("_") for name in getattr(value, "__dict__", {}))
    try:
        validation.check_is_fitted(value)
    except Exception:  # noqa: BLE001 - NotFittedError, or whatever a foreign estimator raises
        return False
    return True
