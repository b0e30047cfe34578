"""What xgboost's JSON may hold, and the numbers in it that its compiled code follows without looking.

Written by `Booster.save_model`; its layout is in xgboost's doc/model.schema. A file is read into these structures,
checked, and written anew from them, so that xgboost reads nothing but what was checked.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET, Meta, UnsetType

from cellops.packaging.formats.branches import reached

Index = Annotated[int, Meta(ge=-1, le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,9}$")]
Flag = Annotated[int, Meta(ge=0, le=1)] | bool
Text = Annotated[str, Meta(pattern=r"^[ -~]{0,200}$")]
MOST_CATEGORIES = 65_536
WORD = 32
"""Bits in which xgboost holds a set of categories, up to the largest of them."""
OBJECTIVES = (
    "binary:hinge",
    "binary:logistic",
    "binary:logitraw",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "reg:absoluteerror",
    "reg:gamma",
    "reg:logistic",
    "reg:pseudohubererror",
    "reg:quantileerror",
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:tweedie",
)


class Part(msgspec.Struct, forbid_unknown_fields=True):
    pass


class TreeParam(Part):
    num_feature: Digits
    num_nodes: Digits
    num_deleted: Digits = "0"
    size_leaf_vector: Literal["0", "1"] = "1"
    """One number a leaf: models of several targets at once are no packages."""


class Tree(Part):
    tree_param: TreeParam
    id: Count
    left_children: list[Index]
    right_children: list[Index]
    parents: list[Index]
    split_indices: list[Count]
    split_conditions: list[float]
    default_left: list[Flag]
    base_weights: list[float]
    loss_changes: list[float]
    sum_hessian: list[float]
    split_type: list[Flag]
    categories: list[Annotated[int, Meta(ge=0, lt=MOST_CATEGORIES)]]
    categories_nodes: list[Count]
    categories_segments: list[Count]
    categories_sizes: list[Count]


class Texts(Part):
    """Categories that are texts: where each begins in the bytes of all."""

    offsets: list[Count]
    values: list[Annotated[int, Meta(ge=-128, le=255)]]


class Numbers(Part):
    type: Annotated[int, Meta(ge=0, le=20)]
    values: list[int]


class Categories(Part):
    enc: list[dict[Literal["offsets", "values", "type"], Any]]
    feature_segments: list[Count]
    sorted_idx: list[Count]


class Ensemble(Part):
    num_trees: Digits
    num_parallel_tree: Digits = "1"
    size_leaf_vector: Literal["0", "1"] | UnsetType = UNSET


class Trees(Part):
    gbtree_model_param: Ensemble
    trees: list[Tree]
    tree_info: list[Count]
    iteration_indptr: list[Count] | UnsetType = UNSET
    cats: Categories | UnsetType = UNSET


class Gbtree(Part, tag="gbtree", tag_field="name"):
    model: Trees


class Dart(Part, tag="dart", tag_field="name"):
    gbtree: Gbtree
    weight_drop: list[float]


class Weights(Part):
    weights: list[float]
    boosted_rounds: Count | UnsetType = UNSET


class Gblinear(Part, tag="gblinear", tag_field="name"):
    model: Weights


class Learner(Part):
    attributes: dict[Text, str]
    feature_names: list[str]
    feature_types: list[Literal["float", "int", "i", "q", "c"]]
    gradient_booster: Gbtree | Dart | Gblinear
    learner_model_param: dict[
        Literal["base_score", "boost_from_average", "num_class", "num_feature", "num_target"], Text
    ]
    objective: dict[Text, Text | dict[Text, Text]]


class Model(Part):
    learner: Learner
    version: Annotated[list[Count], Meta(min_length=3, max_length=3)]


def read(content: bytes) -> Model:
    """The model in a file.

    Raises
    ------
    ValueError
        When the file is not of xgboost's JSON.
    """
    try:
        return msgspec.json.decode(content, type=Model)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def inputs(model: Model) -> int:
    """How many columns the model reads."""
    return int(model.learner.learner_model_param["num_feature"])


def groups(model: Model) -> int:
    """How many numbers the model gives for a row."""
    return max(1, int(model.learner.learner_model_param.get("num_class", "0")))


def kept(model: Model) -> bytes:
    """The model as xgboost shall read it: attributes that only say how it was trained are left out."""
    attributes = {name: text for name, text in model.learner.attributes.items() if name == "best_iteration"}
    learner = msgspec.structs.replace(model.learner, attributes=attributes)
    return msgspec.json.encode(msgspec.structs.replace(model, learner=learner))


def holds(model: Model) -> bool:
    """Whether every number by which xgboost finds a place is of a place that is there."""
    learner, size = model.learner, inputs(model)
    booster = learner.gradient_booster
    fits = (
        0 < size < MOST_CATEGORIES * 16
        and len(learner.feature_names) in {0, size}
        and len(learner.feature_types) in {0, size}
        and _parameters_hold(model)
    )
    if isinstance(booster, Gblinear):
        return fits and len(booster.model.weights) == (size + 1) * groups(model)
    if isinstance(booster, Dart):
        fits = fits and len(booster.weight_drop) == len(booster.gbtree.model.trees)
        booster = booster.gbtree
    return fits and _trees_hold(booster.model, size, groups(model)) and _best_holds(learner, booster.model)


def _parameters_hold(model: Model) -> bool:
    """The scores that each row begins with are one, or one for each class; the objective knows as many classes."""
    given, objective = model.learner.learner_model_param, model.learner.objective
    scores = msgspec.json.decode(given["base_score"], type=float | list[float])
    several = objective.get("softmax_multiclass_param")
    classes = several.get("num_class") if isinstance(several, dict) else None
    multi = str(objective.get("name")).startswith("multi:")
    return (
        objective.get("name") in OBJECTIVES
        and given.get("num_target", "1") in {"0", "1"}
        and given.get("boost_from_average", "1") in {"0", "1"}
        and (isinstance(scores, float) or len(scores) in {1, groups(model)})
        and multi == (groups(model) > 1)
        and (not multi or classes == str(groups(model)))
        and _one_quantile(objective)
    )


def _one_quantile(objective: dict[str, str | dict[str, str]]) -> bool:
    """Several quantiles would be several answers for a row."""
    given = objective.get("quantile_loss_param")
    if objective["name"] != "reg:quantileerror":
        return given is None
    alphas = msgspec.json.decode(given["quantile_alpha"], type=list[float]) if isinstance(given, dict) else []
    return len(alphas) == 1


def _best_holds(learner: Learner, trees: Trees) -> bool:
    best = learner.attributes.get("best_iteration", "0")
    rounds = len(trees.iteration_indptr) - 1 if trees.iteration_indptr is not UNSET else len(trees.trees)
    return best.isascii() and best.isdecimal() and int(best) < max(1, rounds)


def _trees_hold(model: Trees, size: int, classes: int) -> bool:
    trees, parallel = model.trees, int(model.gbtree_model_param.num_parallel_tree)
    rounds = model.iteration_indptr
    cats = model.cats
    return (
        len(trees) == int(model.gbtree_model_param.num_trees) == len(model.tree_info)
        and 0 < parallel <= max(1, len(trees))
        and all(group < classes for group in model.tree_info)
        and (len(trees) % (parallel * classes) == 0)
        and (rounds is UNSET or _ascends_to(rounds, len(trees)))
        and (cats is UNSET or _categories_hold(cats, size))
        and all(tree.id == place and _tree_holds(tree, size) for place, tree in enumerate(trees))
    )


def _ascends_to(places: list[int], last: int) -> bool:
    return bool(places) and places[0] == 0 and places[-1] == last and all(a <= b for a, b in pairwise(places))


def _tree_holds(tree: Tree, size: int) -> bool:
    nodes = int(tree.tree_param.num_nodes)
    columns = (
        tree.left_children,
        tree.right_children,
        tree.parents,
        tree.split_indices,
        tree.split_conditions,
        tree.default_left,
        tree.base_weights,
        tree.loss_changes,
        tree.sum_hessian,
        tree.split_type,
    )
    if not nodes or any(len(column) != nodes for column in columns) or int(tree.tree_param.num_feature) != size:
        return False
    left, right = np.array(tree.left_children), np.array(tree.right_children)
    parents, split, kind = np.array(tree.parents), np.array(tree.split_indices), np.array(tree.split_type)
    met = reached(left, right)
    leaf = left < 0
    if met is None or np.any(leaf != (right < 0)) or np.any(split >= size):
        return False
    inner = met[~leaf[met]]
    return bool(
        np.all(parents[left[inner]] == inner)
        and np.all(parents[right[inner]] == inner)
        and int(tree.tree_param.num_deleted) == nodes - len(met)
        and _sets_hold(tree, np.flatnonzero(kind).tolist(), leaf)
    )


def _sets_hold(tree: Tree, chosen: list[int], leaf: npt.NDArray[np.bool_]) -> bool:
    """The sets of categories of the nodes that split by one, lying one behind the other."""
    ends = [begin + size for begin, size in zip(tree.categories_segments, tree.categories_sizes, strict=True)]
    return (
        tree.categories_nodes == chosen
        and not leaf[chosen].any()
        and len(tree.categories_segments) == len(chosen)
        and tree.categories_segments == [0, *ends][: len(chosen)]
        and (ends[-1] if ends else 0) == len(tree.categories)
        and all(tree.categories_sizes)
    )


def _categories_hold(cats: Categories, size: int) -> bool:
    """The names of the categories, and the order in which they are looked up."""
    segments = cats.feature_segments
    if not cats.enc:
        return not cats.sorted_idx and not any(segments)
    if len(cats.enc) != size or len(segments) != size + 1 or not _ascends_to(segments, len(cats.sorted_idx)):
        return False
    return all(
        _names(column) == end - begin and sorted(cats.sorted_idx[begin:end]) == list(range(end - begin))
        for column, (begin, end) in zip(cats.enc, pairwise(segments), strict=True)
    )


def _names(column: Mapping[Any, Any]) -> int:
    """How many categories a column names; -1 where its texts leave their bytes."""
    if "type" in column:
        return len(msgspec.convert(column, Numbers).values)
    held = msgspec.convert(column, Texts)
    if not held.offsets:
        return -1 if held.values else 0
    return len(held.offsets) - 1 if _ascends_to(held.offsets, len(held.values)) else -1
