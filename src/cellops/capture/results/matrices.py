"""The tables that a cell gives to `xgboost.train` and `lightgbm.train`, inside of these libraries' own matrices."""

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cellops.capture.dataflow.analysis import Dataflow

LIBRARIES = ("xgboost", "lightgbm")
MATRICES = ("DMatrix", "QuantileDMatrix", "Dataset")
TRAINED_ON = ("dtrain", "train_set")
EVALUATED_ON = ("evals", "valid_sets")


class Matrix(NamedTuple):
    """The call that makes a matrix, with the expressions of its inputs and its target."""

    call: ast.Call
    tables: tuple[ast.expr, ...]


def matrices_of(
    call: ast.expr | None, flow: Dataflow, resolve: Callable[[ast.expr], object]
) -> tuple[Matrix | None, Matrix | None]:
    """What a call of `train` is given to learn from, and to be evaluated on: the last that it does not learn from.

    Parameters
    ----------
    resolve
        Gives the value of an expression that only reads, or None.
    """
    if not isinstance(call, ast.Call) or not _is_of_library(resolve(call.func), ("train",)):
        return None, None
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    given = [*call.args[1:2], *(named[name] for name in TRAINED_ON if name in named)]
    training = next((_matrix(node, flow, resolve) for node in given), None)
    tested = [_matrix(node, flow, resolve) for name in EVALUATED_ON for node in _listed(named.get(name))]
    others = [
        matrix for matrix in tested if matrix is not None and (training is None or matrix.call is not training.call)
    ]
    return training, others[-1] if others else None


def _matrix(node: ast.expr, flow: Dataflow, resolve: Callable[[ast.expr], object]) -> Matrix | None:
    if isinstance(node, ast.Name) and len(flow.lines.get(node.id, ())) == 1:
        node = flow.values.get(node.id, node)
    if not isinstance(node, ast.Call) or not _is_of_library(resolve(node.func), MATRICES):
        return None
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    missing = ("data", "label")[len(node.args) :]
    return Matrix(node, (*node.args[:2], *(named[name] for name in missing if name in named)))


def _listed(node: ast.expr | None) -> Iterator[ast.expr]:
    """The matrices of `evals=[(matrix, "name")]` and `valid_sets=[matrix]`."""
    match node:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            for item in items:
                yield item.elts[0] if isinstance(item, ast.Tuple) and item.elts else item
        case ast.expr():
            yield node


def _is_of_library(function: object, names: tuple[str, ...]) -> bool:
    """Whether a function or class has one of some names and is one of these libraries'."""
    module, name = getattr(function, "__module__", None), getattr(function, "__name__", None)
    return isinstance(module, str) and module.partition(".")[0] in LIBRARIES and name in names
