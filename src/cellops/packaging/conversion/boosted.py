"""Boosters of xgboost and lightgbm inside of pipelines as ONNX, read from the same files as their own formats are.

A booster's file is of numbers only, so that a pipeline around one, else a pickle, becomes a model without code.
"""

import sys
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from cellops.packaging.conversion.trees import LINKS, Answering, Ensemble, Nodes, UnconvertibleError, converter, shape
from cellops.packaging.formats import lightgbm_text, xgboost_model

EXPONENTIAL = frozenset({"count:poisson", "gamma", "poisson", "reg:gamma", "reg:tweedie", "tweedie"})
PLAIN = frozenset({"reg:absoluteerror", "reg:quantileerror", "reg:squarederror", "regression", "regression_l1", *LINKS})
NAN = 2
"""How lightgbm says that missing values have a way of their own; 0 says that they count as zero."""


def converters() -> dict[type, Callable[[Any, Any, Any], None]]:
    """By its class, how skl2onnx shall write each booster, of the libraries that a model has brought."""
    made: dict[type, Callable[[Any, Any, Any], None]] = {}
    for library, read, names in (
        ("xgboost", of_xgboost, ("XGBClassifier", "XGBRegressor")),
        ("lightgbm", of_lightgbm, ("LGBMClassifier", "LGBMRegressor")),
    ):
        module = sys.modules.get(library)
        made |= {getattr(module, name): converter(read) for name in names if module is not None}
    return made


def shapes() -> dict[type, Callable[[Any], None]]:
    return dict.fromkeys(converters(), shape)


def introduce(skl2onnx: Any) -> None:
    """Let skl2onnx know the classes: it takes options for none but those that it knows."""
    for kind, written in converters().items():
        options = {"zipmap": [True, False]} if hasattr(kind, "predict_proba") else None
        skl2onnx.update_registered_converter(kind, f"cellops{kind.__name__}", shape, written, options=options)


def of_xgboost(model: Any) -> Answering:
    """It compares and reads in single precision: below a threshold is at most the number before it."""
    held = xgboost_model.read(bytes(model.get_booster().save_raw("json")))
    booster, groups = held.learner.gradient_booster, xgboost_model.groups(held)
    if not isinstance(booster, xgboost_model.Gbtree):
        fact = f"it boosts by {model.booster}"
        raise UnconvertibleError(fact)
    objective = str(held.learner.objective["name"])
    made, trees = Ensemble(groups), booster.model
    rounds = trees.iteration_indptr if trees.iteration_indptr is not msgspec.UNSET else []
    best = held.learner.attributes.get("best_iteration")
    last = len(trees.trees) if best is None else rounds[int(best) + 1]
    for tree, group in zip(trees.trees[:last], trees.tree_info[:last], strict=True):
        if tree.categories_nodes:
            fact = "it splits by sets of categories"
            raise UnconvertibleError(fact)
        threshold = np.array(tree.split_conditions, dtype=np.float32)
        left = np.array(tree.left_children)
        nodes = Nodes(
            left,
            np.array(tree.right_children),
            np.array(tree.split_indices),
            np.nextafter(threshold, np.float32(-np.inf)).astype(float),
            np.array(tree.default_left, dtype=bool),
        )
        made.add(nodes, threshold.astype(float), group)
    begin = np.broadcast_to(msgspec.json.decode(held.learner.learner_model_param["base_score"]), groups).astype(float)
    finish = _finish(objective)
    if finish == "logistic":
        begin = np.log(begin / (1 - begin))
    return Answering(made, np.log(begin) if finish == "exp" else begin, finish, single=True)


def of_lightgbm(model: Any) -> Answering:
    held = lightgbm_text.read(model.booster_.model_to_string().encode())
    name, *options = held.header["objective"].split(" ")
    if held.averages or "sqrt" in options:
        fact = "its trees are averaged, or its answers squared"
        raise UnconvertibleError(fact)
    steep = next((float(option.split(":")[1]) for option in options if option.startswith("sigmoid:")), 1.0)
    made = Ensemble(held.groups)
    for place, tree in enumerate(held.trees):
        nodes, values = _lightgbm_nodes(tree)
        made.add(nodes, values * steep, place % held.groups)
    return Answering(made, np.zeros(held.groups), _finish(name), single=False)


def _lightgbm_nodes(tree: dict[str, str]) -> tuple[Nodes, Any]:
    """Splits first, then leaves, as one list of nodes."""
    leaves = np.array(tree["leaf_value"].split(), dtype=float)
    if int(tree["num_cat"]) or tree.get("is_linear", "0").strip() == "1":
        fact = "it splits by sets of categories, or has linear leaves"
        raise UnconvertibleError(fact)
    if len(leaves) == 1:
        none = np.array([-1])
        return Nodes(none, none, none, none.astype(float), none < 0), leaves
    kind = np.array(tree["decision_type"].split(), dtype=np.int64)
    feature, left, right = (
        np.array(tree[name].split(), dtype=np.int64) for name in ("split_feature", "left_child", "right_child")
    )
    threshold = np.array(tree["threshold"].split(), dtype=float)
    if np.any((kind >> 2) % 4 == 1):
        fact = "it takes zeros for missing"
        raise UnconvertibleError(fact)
    splits, ends = len(kind), np.full(len(leaves), -1)
    missing = np.where(kind >> 2 == NAN, (kind & 2) > 0, threshold >= 0)
    nodes = Nodes(
        np.concatenate([np.where(left < 0, splits + ~left, left), ends]),
        np.concatenate([np.where(right < 0, splits + ~right, right), ends]),
        np.concatenate([feature, ends]),
        np.concatenate([threshold, ends]),
        np.concatenate([missing, ends < 0]),
    )
    return nodes, np.concatenate([np.zeros(splits), leaves])


def _finish(objective: str) -> str:
    if objective in {"binary", "binary:logistic"}:
        return "logistic"
    if objective in {"multiclass", "multi:softprob"}:
        return "softmax"
    if objective in EXPONENTIAL:
        return "exp"
    if objective in PLAIN:
        return "identity"
    fact = f"its objective is {objective}"
    raise UnconvertibleError(fact)
