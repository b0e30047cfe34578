"""Check models that look up rows or centres: compiled code takes their widths and labels as they are."""

from typing import Any

import numpy as np

from cellops.packaging.formats.trees import width

MOST_THREADS = 1024
METRICS = frozenset(
    {
        "braycurtis",
        "canberra",
        "chebyshev",
        "cityblock",
        "correlation",
        "cosine",
        "euclidean",
        "hamming",
        "l1",
        "l2",
        "manhattan",
        "minkowski",
        "nan_euclidean",
        "sqeuclidean",
    }
)
"""Distances that take no array of their own, whose size compiled code would believe."""
TREE_METRICS = frozenset({"ChebyshevDistance64", "EuclideanDistance64", "ManhattanDistance64", "MinkowskiDistance64"})


def neighbours_hold(estimator: Any) -> bool:
    """The rows of training, their tree and their labels belong together."""
    rows = estimator._fit_X
    tree = estimator._tree
    labels, classes = getattr(estimator, "_y", None), getattr(estimator, "classes_", None)
    return (
        metric_holds(estimator)
        and rows.ndim == 2  # noqa: PLR2004 - a table
        and rows.shape[1] == width(estimator)
        and estimator.n_samples_fit_ == rows.shape[0]
        and (tree is None or _search_tree_holds(tree, rows.shape))
        and (labels is None or len(labels) == rows.shape[0])
        and (classes is None or labels is None or _labels_hold(labels, classes))
    )


def metric_holds(estimator: Any) -> bool:
    """A distance by its name, with no more to it than the power of Minkowski's."""
    names = (estimator.metric, getattr(estimator, "effective_metric_", estimator.metric))
    options = (getattr(estimator, "metric_params", None), getattr(estimator, "effective_metric_params_", None))
    return all(type(name) is str and name in METRICS for name in names) and all(map(_only_a_power, options))


def _only_a_power(options: Any) -> bool:
    return options is None or (
        type(options) is dict
        and options.keys() <= {"p", "w"}
        and isinstance(options.get("p", 2), int | float)
        and options.get("w") is None
    )


def centres_hold(estimator: Any) -> bool:
    """k-means: centres as wide as the rows, and a number of threads that can be had."""
    centres = estimator.cluster_centers_
    threads = estimator._n_threads
    return (
        type(centres) is np.ndarray
        and centres.ndim == 2  # noqa: PLR2004 - a table
        and len(centres) > 0
        and centres.shape[1] == width(estimator)
        and 0 < threads <= MOST_THREADS
    )


def _labels_hold(labels: Any, classes: Any) -> bool:
    columns = [labels] if labels.ndim == 1 else list(labels.T)
    known = [classes] if labels.ndim == 1 else list(classes)
    return len(columns) == len(known) and all(
        column.dtype.kind in "iu" and bool(np.all((column >= 0) & (column < len(names))))
        for column, names in zip(columns, known, strict=True)
    )


def _search_tree_holds(tree: Any, shape: tuple[int, int]) -> bool:
    """Each node's rows are those of its two children, one after the other, and the root's are all."""
    data, order, nodes, bounds, *_, metric, weights = tree.__getstate__()
    start, end = np.asarray(nodes["idx_start"]), np.asarray(nodes["idx_end"])
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    if data.shape != shape or not len(nodes) or np.any(2 * inner + 2 >= len(nodes)):
        return False
    reached = np.append(np.concatenate([2 * inner + 1, 2 * inner + 2]), 0)
    left, right = 2 * inner + 1, 2 * inner + 2
    return bool(
        _tree_metric_holds(metric)
        and bounds.shape[1:] == (len(nodes), shape[1])
        and bounds.shape[0] == (2 if type(tree).__name__ == "KDTree" else 1)
        and (weights is None or len(weights) == shape[0])
        and np.array_equal(np.sort(order), np.arange(shape[0]))
        and (start[0], end[0]) == (0, shape[0])
        and np.all(start[reached] <= end[reached])
        and np.all((start[left] == start[inner]) & (end[left] == start[right]) & (end[right] == end[inner]))
    )


def _tree_metric_holds(metric: Any) -> bool:
    """A distance of scikit-learn's own, without weights."""
    if type(metric).__module__ != "sklearn.metrics._dist_metrics" or type(metric).__name__ not in TREE_METRICS:
        return False
    weights = metric.__getstate__()[1]
    return type(metric).__name__ != "MinkowskiDistance64" or not len(weights)
