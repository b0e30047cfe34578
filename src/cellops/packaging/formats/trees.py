"""Check the trees of a loaded model.

Compiled code follows the child and feature numbers of a tree without looking: a crafted file could make it read outside
its arrays, or walk in a circle. skops therefore does not trust trees of itself; here they are checked instead.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.errors import IntegrityError

BITSET_WORDS = 8
"""A category set of histogram gradient boosting: 256 bits in words of 32."""


def check_trees(model: object) -> None:
    """Refuse a model one of whose trees leaves its own arrays.

    Raises
    ------
    IntegrityError
        Naming the type of the tree.
    """
    for part, features in _parts(model):
        name = f"{type(part).__module__}.{type(part).__qualname__}"
        check = _checks().get(name)
        if check is not None and not check(part, features):
            fact = f"A {name} in the model leaves its own arrays"
            raise IntegrityError(fact, remedy="Do not use this model; the file was not written by scikit-learn")


def _checks() -> dict[str, Callable[[Any, int], bool]]:
    return {
        "sklearn.tree._tree.Tree": _tree_holds,
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": _predictor_holds,
        "sklearn.neighbors._kd_tree.KDTree": _neighbour_tree_holds,
    }


def _tree_holds(tree: Any, features: int) -> bool:
    nodes = tree.__getstate__()["nodes"]
    return _nodes_hold(nodes["left_child"], nodes["right_child"], nodes["feature"], nodes["left_child"] == -1, features)


def _predictor_holds(predictor: Any, features: int) -> bool:
    nodes, bitsets = predictor.nodes, predictor.raw_left_cat_bitsets
    leaf = nodes["is_leaf"] != 0
    categorical = nodes["bitset_idx"][~leaf & (nodes["is_categorical"] != 0)]
    return (
        _nodes_hold(
            nodes["left"].astype(np.int64), nodes["right"].astype(np.int64), nodes["feature_idx"], leaf, features
        )
        and bitsets.shape[1:] == (BITSET_WORDS,)
        and bool(np.all(categorical < len(bitsets)))
    )


def _nodes_hold(
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    feature: npt.NDArray[np.int64],
    leaf: npt.NDArray[np.bool_],
    features: int,
) -> bool:
    """Children come after their parent, as scikit-learn writes them, so that every walk ends."""
    own = np.arange(len(leaf))[~leaf]
    forward = all(np.all((child[~leaf] > own) & (child[~leaf] < len(leaf))) for child in (left, right))
    return len(leaf) > 0 and forward and bool(np.all((feature[~leaf] >= 0) & (feature[~leaf] < features)))


def _neighbour_tree_holds(tree: Any, _features: int) -> bool:
    data, order, nodes, bounds, *_ = tree.__getstate__()
    rows = len(data)
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    return bool(
        bounds.shape == (2, len(nodes), data.shape[1])
        and np.array_equal(np.sort(order), np.arange(rows))
        and np.all((nodes["idx_start"] >= 0) & (nodes["idx_start"] <= nodes["idx_end"]) & (nodes["idx_end"] <= rows))
        and np.all(2 * inner + 2 < len(nodes))
    )


def _parts(model: object) -> Iterator[tuple[object, int]]:
    """Every object inside a model, with the number of features of the nearest estimator around it."""
    waiting: list[tuple[object, int]] = [(model, 0)]
    seen: set[int] = set()
    while waiting:
        part, features = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        own = vars(part) if hasattr(part, "__dict__") and not isinstance(part, type) else {}
        features = own.get("n_features_in_", features)
        yield part, features
        waiting += [(inner, features) for inner in (*own.values(), *_items(part)) if not _is_leaf(inner)]


def _items(part: object) -> list[Any]:
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, list | tuple | set | frozenset):
        return list(part)
    return part.ravel().tolist() if isinstance(part, np.ndarray) and part.dtype == object else []


def _is_leaf(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bytes)
