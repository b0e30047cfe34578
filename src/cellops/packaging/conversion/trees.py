"""Trees of scikit-learn as one node of ONNX, in double precision: thresholds are compared as training compared them.

skl2onnx writes the older nodes, whose sums are of single precision and whose thresholds are rounded. This one is
`TreeEnsemble` of ai.onnx.ml 5, whose every number has the type of its input.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.packaging.conversion.writer import DOUBLE, FLOAT, Writer, number_type, skl2onnx_types
from cellops.packaging.formats.base import extra

DOMAIN = "cellops"
"""Stands for ai.onnx.ml 5 until the conversion is done: skl2onnx knows that domain up to 3 only."""
AT_MOST, SUM = 0, 1
"""How a row goes to the left: where its value is at most the threshold; and how trees come together."""


class UnconvertibleError(Exception):
    """A model that these nodes cannot say."""


@dataclass
class Ensemble:
    """What the attributes of a `TreeEnsemble` hold."""

    targets: int
    roots: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    left: list[tuple[int, int]] = field(default_factory=list)
    right: list[tuple[int, int]] = field(default_factory=list)
    """Places of nodes, with 0, or of leaves, with 1."""
    weights: list[float] = field(default_factory=list)
    leaf_targets: list[int] = field(default_factory=list)

    def add(self, nodes: "Nodes", values: npt.NDArray[np.float64], target: int) -> None:
        """One tree that adds the value of the leaf to a target."""
        if nodes.left[0] < 0:  # a tree of one leaf: both ways lead to it
            self.roots.append(len(self.features))
            self._node(0, np.inf, True, (len(self.weights), 1), (len(self.weights), 1))
            self._leaf(float(values[0]), target)
            return
        inner = np.flatnonzero(nodes.left >= 0)
        leaves = np.flatnonzero(nodes.left < 0)
        place = np.empty(len(nodes.left), dtype=np.int64)
        place[inner] = len(self.features) + np.arange(len(inner))
        place[leaves] = len(self.weights) + np.arange(len(leaves))
        ends = (nodes.left < 0).astype(int)
        self.roots.append(len(self.features))
        for node in inner.tolist():
            left, right = int(nodes.left[node]), int(nodes.right[node])
            self._node(
                int(nodes.feature[node]),
                float(nodes.threshold[node]),
                bool(nodes.missing_left[node]),
                (int(place[left]), int(ends[left])),
                (int(place[right]), int(ends[right])),
            )
        for leaf in leaves.tolist():
            self._leaf(float(values[leaf]), target)

    def _node(self, feature: int, split: float, missing: bool, left: tuple[int, int], right: tuple[int, int]) -> None:
        self.features.append(feature)
        self.splits.append(split)
        self.missing.append(int(missing))
        self.left.append(left)
        self.right.append(right)

    def _leaf(self, weight: float, target: int) -> None:
        self.weights.append(weight)
        self.leaf_targets.append(target)

    def attributes(self) -> dict[str, Any]:
        from_array = extra("onnx.numpy_helper", "onnx").from_array
        return {
            "n_targets": self.targets,
            "aggregate_function": SUM,
            "post_transform": 0,
            "tree_roots": self.roots,
            "nodes_modes": from_array(np.full(len(self.features), AT_MOST, dtype=np.uint8), "modes"),
            "nodes_splits": from_array(np.array(self.splits), "splits"),
            "nodes_featureids": self.features,
            "nodes_truenodeids": [place for place, _ in self.left],
            "nodes_trueleafs": [leaf for _, leaf in self.left],
            "nodes_falsenodeids": [place for place, _ in self.right],
            "nodes_falseleafs": [leaf for _, leaf in self.right],
            "nodes_missing_value_tracks_true": self.missing,
            "leaf_targetids": self.leaf_targets,
            "leaf_weights": from_array(np.array(self.weights), "weights"),
        }


@dataclass(frozen=True)
class Nodes:
    """A tree, node by node; leaves have no children: -1."""

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float64]
    missing_left: npt.NDArray[np.bool_]


def _sklearn_nodes(tree: Any) -> Nodes:
    return Nodes(
        np.asarray(tree.children_left, dtype=np.int64),
        np.asarray(tree.children_right, dtype=np.int64),
        np.asarray(tree.feature, dtype=np.int64),
        np.asarray(tree.threshold),
        np.asarray(tree.missing_go_to_left, dtype=bool),
    )


def _histogram_nodes(nodes: Any) -> Nodes:
    if nodes["is_categorical"].any():
        text = "it splits by sets of categories"
        raise UnconvertibleError(text)
    leaf = nodes["is_leaf"].astype(bool)
    left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
    return Nodes(
        np.where(leaf, -1, left),
        np.where(leaf, -1, right),
        nodes["feature_idx"].astype(np.int64),
        nodes["num_threshold"].astype(np.float64),
        nodes["missing_go_to_left"].astype(bool),
    )


@dataclass(frozen=True)
class Answering:
    """What a model's trees add up to, and what is made of the sums."""

    ensemble: Ensemble
    begin: npt.NDArray[np.float64]
    """What the sums begin with, of shape (targets,)."""
    finish: str
    """`identity`, `exp`, `logistic`, `softmax` or, for chances that are sums already, `rest` or `chances`."""
    single: bool
    """Whether the model reads its inputs in single precision."""


def of_forest(model: Any) -> Answering:
    """Trees of which the mean counts, or one tree."""
    trees = [estimator.tree_ for estimator in getattr(model, "estimators_", [model])]
    classes = getattr(model, "n_classes_", 1) if hasattr(model, "classes_") else 0
    if model.n_outputs_ != 1:
        text = "it has several outputs"
        raise UnconvertibleError(text)
    wanted = [0] if not classes else [1] if classes == 2 else list(range(classes))  # noqa: PLR2004
    made = Ensemble(len(wanted))
    for tree in trees:
        nodes, values = _sklearn_nodes(tree), tree.value[:, 0, :]
        if classes:
            values = values / values.sum(axis=1, keepdims=True)
        for target, column in enumerate(wanted):
            made.add(nodes, values[:, column] / len(trees), target)
    finish = "identity" if not classes else "rest" if len(wanted) == 1 else "chances"
    return Answering(made, np.zeros(len(wanted)), finish, single=True)


def of_boosting(model: Any) -> Answering:
    """Gradient boosting: trees that add to a beginning that is the same for each row."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    if not (model.init_ == "zero" or isinstance(model.init_, DummyClassifier | DummyRegressor)):
        text = "it begins with another estimator"
        raise UnconvertibleError(text)
    begin = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))[0]
    made, twice = Ensemble(model.estimators_.shape[1]), 1.0
    finish = "identity"
    if hasattr(model, "classes_"):
        finish = "logistic" if made.targets == 1 else "softmax"
        twice = 2.0 if model.loss == "exponential" else 1.0
    for stage in model.estimators_:
        for target, tree in enumerate(stage):
            made.add(_sklearn_nodes(tree.tree_), model.learning_rate * twice * tree.tree_.value[:, 0, 0], target)
    return Answering(made, np.asarray(begin, dtype=float) * twice, finish, single=True)


LINKS = {"squared_error": "identity", "absolute_error": "identity", "quantile": "identity"}
LINKS |= {"gamma": "exp", "poisson": "exp"}


def of_histogram(model: Any) -> Answering:
    """Gradient boosting over histograms."""
    if model._preprocessor is not None:
        text = "it encodes categories itself"
        raise UnconvertibleError(text)
    targets = model.n_trees_per_iteration_
    made = Ensemble(targets)
    for stage in model._predictors:
        for target, predictor in enumerate(stage):
            made.add(_histogram_nodes(predictor.nodes), predictor.nodes["value"].astype(float), target)
    begin = np.asarray(model._baseline_prediction, dtype=float).reshape(-1)
    if hasattr(model, "classes_"):
        return Answering(made, begin, "logistic" if targets == 1 else "softmax", single=False)
    return Answering(made, begin, LINKS[model.loss], single=False)


def converters() -> dict[type, Callable[[Any, Any, Any], None]]:
    """By its class, how skl2onnx shall write each estimator of trees."""
    from sklearn import ensemble, tree

    return {
        ensemble.HistGradientBoostingClassifier: converter(of_histogram),
        ensemble.HistGradientBoostingRegressor: converter(of_histogram),
        ensemble.GradientBoostingClassifier: converter(of_boosting),
        ensemble.GradientBoostingRegressor: converter(of_boosting),
        **dict.fromkeys(
            (
                ensemble.ExtraTreesClassifier,
                ensemble.ExtraTreesRegressor,
                ensemble.RandomForestClassifier,
                ensemble.RandomForestRegressor,
                tree.DecisionTreeClassifier,
                tree.DecisionTreeRegressor,
                tree.ExtraTreeClassifier,
                tree.ExtraTreeRegressor,
            ),
            converter(of_forest),
        ),
    }


def shapes() -> dict[type, Callable[[Any], None]]:
    """By its class, what skl2onnx shall expect of each estimator of trees."""
    return dict.fromkeys(converters(), shape)


def shape(operator: Any) -> None:
    """Tell skl2onnx of the label, and of the chances or the number."""
    types = skl2onnx_types()
    rows, classes = operator.inputs[0].get_first_dimension(), getattr(operator.raw_operator, "classes_", None)
    operator.outputs[-1].type = number_type(operator)([rows, 1 if classes is None else len(classes)])
    if classes is not None:
        operator.outputs[0].type = (types.StringTensorType if classes.dtype.kind in "OU" else types.Int64TensorType)(
            [rows]
        )


def converter(read: Callable[[Any], Answering]) -> Callable[[Any, Any, Any], None]:
    """How skl2onnx shall write an estimator whose trees can be read."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        _write(Writer(scope, container), operator, read(operator.raw_operator))

    return convert


def _write(writer: Writer, operator: Any, answering: Answering) -> None:
    rows = writer.node("Cast", [operator.inputs[0].full_name], to=FLOAT if answering.single else DOUBLE)
    rows = writer.node("Cast", [rows], to=DOUBLE) if answering.single else rows
    sums = writer.node("TreeEnsemble", [rows], domain=DOMAIN, **answering.ensemble.attributes())
    if answering.begin.any():
        sums = writer.node("Add", [sums, writer.constant(answering.begin.reshape(1, -1))])
    scores = _finished(writer, sums, answering.finish)
    *labels, last = operator.outputs
    writer.cast(scores, last)
    if labels:
        classes = operator.raw_operator.classes_
        named = writer.constant(classes.astype(object if classes.dtype.kind in "OU" else np.int64))
        best = writer.node("ArgMax", [scores], axis=1, keepdims=0)
        writer.node("Gather", [named, best], labels[0].full_name, axis=0)


def _finished(writer: Writer, sums: str, finish: str) -> str:
    match finish:
        case "exp":
            return writer.node("Exp", [sums])
        case "softmax":
            return writer.node("Softmax", [sums], axis=1)
        case "logistic" | "rest":
            second = sums if finish == "rest" else writer.node("Sigmoid", [sums])
            first = writer.node("Sub", [writer.constant(np.ones((1, 1))), second])
            return writer.node("Concat", [first, second], axis=1)
    return sums
