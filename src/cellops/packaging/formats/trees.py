"""Check decision trees, alone and boosted: compiled code follows their child and feature numbers without looking."""

from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer[Any]]
BITSET_WORDS = 8
"""A category set of histogram gradient boosting: 256 bits in words of 32."""


def width(estimator: Any) -> int:
    """The number of columns that an estimator lets through; without its own number it would let any through."""
    features = vars(estimator).get("n_features_in_")
    return int(features) if type(features) is int or isinstance(features, np.integer) else 0


def decision_tree_holds(estimator: Any) -> bool:
    """A single tree, alone or in a forest."""
    from sklearn.tree._tree import Tree

    tree = estimator.tree_
    if (
        type(tree) is not Tree
        or not 0 < tree.node_count <= tree.capacity
        or min(tree.n_outputs, tree.max_n_classes) < 1
    ):
        return False
    nodes = tree.__getstate__()["nodes"][: tree.node_count]
    leaf = nodes["left_child"] == -1
    return (
        _nodes_hold(nodes["left_child"], nodes["right_child"], nodes["feature"], leaf, width(estimator))
        and tree.compute_node_depths().max() - 1 <= tree.max_depth
    )


def gradient_boosting_holds(estimator: Any) -> bool:
    """Boosted trees are followed without asking them for their width, into an array as wide as the first guess."""
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.tree import DecisionTreeRegressor

    trees, features = estimator.estimators_, width(estimator)
    if not (type(trees) is np.ndarray and trees.ndim == 2 and trees.size):  # noqa: PLR2004 - stages by classes
        return False
    if not all(type(tree) is DecisionTreeRegressor and width(tree) == features for tree in trees.ravel()):
        return False
    if any(tree.tree_.n_outputs != 1 or tree.tree_.max_n_classes != 1 for tree in trees.ravel()):
        return False
    first = estimator.init_
    if not (type(first) in {DummyClassifier, DummyRegressor} or (type(first) is str and first == "zero")):
        return False
    rows = np.zeros((3, features), dtype=np.float32)
    return bool(estimator._raw_predict_init(rows).shape == (len(rows), trees.shape[1]))


def histogram_boosting_holds(estimator: Any) -> bool:
    """Histogram gradient boosting: trees, category sets, and the map from a column to its known categories."""
    from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
    from sklearn.ensemble._hist_gradient_boosting.predictor import PREDICTOR_RECORD_DTYPE, TreePredictor

    features, bins = width(estimator), estimator._bin_mapper
    categorical = np.asarray(bins.is_categorical_)
    predictors = [predictor for stage in estimator._predictors for predictor in stage]
    return (
        type(bins) is _BinMapper
        and categorical.shape == (features,)
        and not getattr(estimator, "_in_fit", False)
        and _preprocessor_holds(estimator._preprocessor, features)
        and all(
            type(predictor) is TreePredictor
            and predictor.nodes.dtype == PREDICTOR_RECORD_DTYPE
            and _predictor_holds(predictor.nodes, predictor.raw_left_cat_bitsets, categorical != 0)
            for predictor in predictors
        )
    )


def _preprocessor_holds(preprocessor: Any, features: int) -> bool:
    """What stands before the trees where there are categories must let all columns through, no more and no less."""
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
    from sklearn.utils import check_array

    if preprocessor is None:
        return True
    (first, encoder, coded), (second, numbers, rest), *others = preprocessor.transformers_
    places = preprocessor._transformer_to_input_indices
    return (
        type(preprocessor) is ColumnTransformer
        and width(preprocessor) == features
        and (first, second) == ("encoder", "numerical")
        and type(encoder) is OrdinalEncoder
        and type(numbers) is FunctionTransformer
        and numbers.func.func is check_array
        and not numbers.func.args
        and set(numbers.func.keywords) <= {"dtype", "ensure_all_finite"}
        and all(name == "remainder" and chosen == "drop" for name, chosen, _ in others)
        and np.array_equal(np.flatnonzero(coded), places["encoder"])
        and np.array_equal(np.flatnonzero(rest), places["numerical"])
        and np.array_equal(coded, ~np.asarray(rest))
        and len(coded) == features
    )


def _predictor_holds(nodes: Any, bitsets: Any, categorical: npt.NDArray[np.bool_]) -> bool:
    leaf = nodes["is_leaf"] != 0
    sets = nodes[~leaf & (nodes["is_categorical"] != 0)]
    left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
    return (
        _nodes_hold(left, right, nodes["feature_idx"], leaf, len(categorical))
        and bitsets.shape[1:] == (BITSET_WORDS,)
        and bool(np.all(sets["bitset_idx"] < len(bitsets)) and np.all(categorical[sets["feature_idx"]]))
    )


def _nodes_hold(left: Integers, right: Integers, feature: Integers, leaf: npt.NDArray[np.bool_], features: int) -> bool:
    """Children come after their parent, as scikit-learn writes them, so that every walk ends."""
    inner = np.flatnonzero(~leaf)
    forward = all(np.all((child[inner] > inner) & (child[inner] < len(leaf))) for child in (left, right))
    return len(leaf) > 0 and forward and bool(np.all((feature[inner] >= 0) & (feature[inner] < features)))
