"""A fitted model of scikit-learn without the names of its columns, so that it takes arrays and does not warn of them.

A table of nothing but doubles becomes an array in every estimator anyway; to look through the table first takes three
times as long as a small model.
"""

from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any

NAMES = "feature_names_in_"
OF_NAMES = frozenset({"ColumnTransformer", "FunctionTransformer"})
"""Estimators that choose columns by name, or call a function that may."""
OUTPUT = "_sklearn_output_config"
"""Where `set_output` keeps what a transformer gives."""


def unnamed(estimator: Any) -> Any | None:
    """A copy that shares all that was fitted; None where an answer could depend on the names.

    Copied are the estimators of scikit-learn, alone or as steps of a Pipeline, none of which holds another one that
    knows names, chooses columns or gives tables.
    """
    from sklearn import get_config
    from sklearn.pipeline import Pipeline

    if get_config()["transform_output"] != "default":
        return None
    if type(estimator) is not Pipeline:
        return _copy(estimator, ()) if _is_plain(estimator) else None
    if estimator.memory is not None or OUTPUT in vars(estimator):
        return None
    steps = [(name, step if step in (None, "passthrough") else unnamed(step)) for name, step in estimator.steps]
    if any(made is None and step is not None for (_, made), (_, step) in zip(steps, estimator.steps, strict=True)):
        return None
    copy = _copy(estimator, ("steps",))
    copy.steps = steps
    return copy


def _copy(estimator: Any, others: Iterable[str]) -> Any:
    copy = object.__new__(type(estimator))
    vars(copy).update({name: held for name, held in vars(estimator).items() if name not in (NAMES, *others)})
    return copy


def _is_plain(estimator: Any) -> bool:
    """Whether it is scikit-learn's own and, with all that it holds, knows no names but those of its columns."""
    return (
        _is_known(estimator)
        and OUTPUT not in vars(estimator)
        and all(NAMES not in vars(held) and _is_known(held) for held in _inner(estimator))
    )


def _is_known(held: Any) -> bool:
    kind = type(held)
    return kind.__module__.partition(".")[0] in ("sklearn", "numpy", "scipy") and kind.__qualname__ not in OF_NAMES


def _inner(estimator: Any) -> Iterator[Any]:
    """The objects that one holds, however deep in lists, arrays, dicts and each other."""
    waiting, seen = list(vars(estimator).values()), set[int]()
    while waiting:
        held = waiting.pop()
        if id(held) in seen:
            continue
        seen.add(id(held))
        if isinstance(held, dict):
            waiting += held.values()
        elif isinstance(held, list | tuple | set | frozenset) or getattr(
            getattr(held, "dtype", None), "hasobject", False
        ):
            waiting += list(held)
        elif hasattr(held, "__dict__") and not isinstance(held, type | FunctionType):
            yield held
            waiting += vars(held).values()
