"""What lightgbm's text may hold, and the numbers in it that its compiled code follows without looking.

Written by `Booster.model_to_string`, read by src/boosting/gbdt_model_text.cpp and src/io/tree.cpp. A file is read into
these structures, checked, and written anew from them, so that lightgbm reads nothing but what was checked.
"""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from cellops.packaging.formats.branches import reached

Entries = dict[str, str]

NUMBER = r"-?\d{1,310}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?"
INTEGER = r"-?\d{1,10}"
HEADER = {
    "version": r"v[34]",
    "num_class": r"\d{1,6}",
    "num_tree_per_iteration": r"\d{1,6}",
    "label_index": r"\d{1,9}",
    "max_feature_idx": r"\d{1,7}",
    "objective": r"[a-z_0-9]+(?: [a-z_]+:[0-9.e+-]{1,40}| sqrt)*",
    "feature_names": r"[^\n]*",
    "feature_infos": r"[^\n]*",
    "tree_sizes": r"[0-9 ]*",
    "monotone_constraints": r"[0-9 -]*",
}
OBJECTIVES = (
    "binary",
    "cross_entropy",
    "cross_entropy_lambda",
    "fair",
    "gamma",
    "huber",
    "mape",
    "multiclass",
    "multiclassova",
    "poisson",
    "quantile",
    "regression",
    "regression_l1",
    "tweedie",
)
INFO = re.compile(rf"none|\[{NUMBER}:{NUMBER}\]|\[-?inf:-?inf\]|-?\d+(:-?\d+)*")
PLACES = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")
SPLITS = (*PLACES, "internal_value", "internal_weight", "internal_count")
LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
LINEAR = ("leaf_const", "num_features", "leaf_features", "leaf_coeff")
WHOLE = {"split_feature", "decision_type", "left_child", "right_child", "internal_count", "leaf_count"}
WHOLE |= {"num_features", "leaf_features", "cat_boundaries", "cat_threshold", "num_leaves", "num_cat", "is_linear"}
KNOWN = {
    *SPLITS,
    *LEAVES,
    *LINEAR,
    "num_leaves",
    "num_cat",
    "is_linear",
    "shrinkage",
    "cat_boundaries",
    "cat_threshold",
}
SIGNIFICANT = re.compile(r"[-0.]*[1-9]")
"""A number that is not zero, as it is written."""
PANDAS = "pandas_categorical:"
NAN_KINDS = 3
"""How missing values are told: not at all, as zero, as NaN."""


@dataclass(frozen=True)
class Model:
    header: Entries
    averages: bool
    """Whether the trees are a forest, of which the mean counts."""
    trees: list[Entries]
    categories: list[list[Any]] | None
    """The categories of each categorical column of pandas."""

    @property
    def inputs(self) -> int:
        """How many columns the model reads."""
        return int(self.header["max_feature_idx"]) + 1

    @property
    def groups(self) -> int:
        """How many numbers the model gives for a row."""
        return int(self.header["num_tree_per_iteration"])


def read(content: bytes) -> Model:
    """The model in a file.

    Raises
    ------
    ValueError
        When the file is not of lightgbm's text.
    """
    head, _, rest = content.decode().partition("\nTree=0\n")
    body, found, tail = f"Tree=0\n{rest}".partition("\nend of trees\n")
    lines = head.splitlines()
    if not rest or not found or lines[:1] != ["tree"]:
        text = "it does not begin with tree, or its trees do not end"
        raise ValueError(text)
    averages = "average_output" in lines
    header = _entries([line for line in lines[1:] if line not in {"", "average_output"}])
    for name, text in header.items():
        if name not in HEADER or not re.fullmatch(HEADER[name], text):
            fact = f"its header has {name[:40]} = {text[:40]}"
            raise ValueError(fact)
    return Model(header, averages, list(_trees(body)), _categories(tail))


def _entries(lines: list[str]) -> Entries:
    found: Entries = {}
    for line in lines:
        name, equals, text = line.partition("=")
        if not equals or name in found:
            text = f"a line says {line[:40]!r}"
            raise ValueError(text)
        found[name] = text
    return found


def _trees(body: str) -> Any:
    for place, part in enumerate(re.split(r"\n(?=Tree=)", body)):
        title, *lines = part.split("\n")
        if title != f"Tree={place}":
            text = f"tree {place} is called {title[:40]!r}"
            raise ValueError(text)
        tree = _entries([line for line in lines if line])
        for name, text in tree.items():
            if name not in KNOWN or not re.fullmatch(_list_of(INTEGER if name in WHOLE else NUMBER), text):
                fact = f"tree {place} has {name[:40]} = {text[:40]!r}"
                raise ValueError(fact)
        yield tree


def _list_of(number: str) -> str:
    return rf" *(?:{number}(?: +|$))*"


def _categories(tail: str) -> list[list[Any]] | None:
    line = next((line for line in reversed(tail.splitlines()) if line.startswith(PANDAS)), None)
    held = None if line is None else json.loads(line.removeprefix(PANDAS))
    if held is not None and not (
        type(held) is list
        and all(type(column) is list for column in held)
        and all(isinstance(value, str | int | float | bool | None) for column in held for value in column)
    ):
        text = "its categories are no lists of values"
        raise ValueError(text)
    return held


def kept(model: Model) -> str:
    """The model as lightgbm shall read it: how it was trained, and how important columns were, is left out."""
    trees = [_tree_text(place, tree) for place, tree in enumerate(model.trees)]
    header = {name: text for name, text in model.header.items() if name not in {"tree_sizes", "monotone_constraints"}}
    sizes = " ".join(str(len(text.encode())) for text in trees)
    lines = ["tree", *(f"{name}={text}" for name, text in header.items()), f"tree_sizes={sizes}"]
    if model.averages:
        lines.insert(-1, "average_output")
    tail = f"\n{PANDAS}{json.dumps(model.categories)}\n"
    return "\n".join(lines) + "\n\n" + "".join(trees) + "end of trees\n\nparameters:\nend of parameters\n" + tail


def _tree_text(place: int, tree: Entries) -> str:
    return f"Tree={place}\n" + "".join(f"{name}={text}\n" for name, text in tree.items()) + "\n\n"


def holds(model: Model) -> bool:
    """Whether every number by which lightgbm finds a place is of a place that is there."""
    names, infos = model.header["feature_names"].split(" "), model.header["feature_infos"].split(" ")
    classes = int(model.header["num_class"])
    return (
        len(names) == len(infos) == model.inputs
        and all(map(INFO.fullmatch, infos))
        and model.groups > 0
        and len(model.trees) % model.groups == 0
        and _objective_holds(model.header["objective"], classes, model.groups)
        and all(_tree_holds(tree, model.inputs) for tree in model.trees)
    )


def _objective_holds(objective: str, classes: int, groups: int) -> bool:
    name, *given = objective.split(" ")
    options = dict(option.split(":") for option in given if option != "sqrt")
    several = name.startswith("multiclass")
    return (
        name in OBJECTIVES
        and classes == groups
        and (int(options["num_class"]) == classes if several else classes == 1)
        and set(options) <= {"sigmoid", "num_class", "alpha", "tweedie_variance_power"}
        and all(float(number) > 0 for number in options.values())
    )


def _tree_holds(tree: Entries, size: int) -> bool:
    leaves = int(tree["num_leaves"])
    linear = tree.get("is_linear", "0").strip()  # to lightgbm every other number than 0 is a yes
    if leaves < 1 or len(tree["leaf_value"].split()) != leaves or linear not in {"0", "1"} or not _finite(tree):
        return False
    if leaves == 1:  # of the rest lightgbm reads nothing then, unless the one leaf has a sum, which it never writes
        return linear == "0"
    return (
        all(_counted(tree, (name,), leaves - 1) for name in SPLITS)
        and all(_counted(tree, (name,), leaves) for name in LEAVES)
        and _splits_hold(tree, leaves, size)
        and (linear == "0" or _linear_holds(tree, leaves, size))
    )


def _counted(tree: Entries, names: tuple[str, ...], count: int) -> bool:
    return all(name in tree and len(tree[name].split()) == count for name in names)


def _finite(tree: Entries) -> bool:
    return all(_readable(tree[name].split()) for name in tree if name not in WHOLE)


def _readable(texts: list[str]) -> bool:
    """Whether numbers are finite, and none so small that lightgbm's reader of them ends the process."""
    numbers = np.array(texts, dtype=float)
    small = np.flatnonzero(np.abs(numbers) < np.finfo(float).tiny).tolist()
    return bool(np.isfinite(numbers).all()) and not any(SIGNIFICANT.match(texts[place]) for place in small)


def _splits_hold(tree: Entries, leaves: int, size: int) -> bool:
    feature, kind, left, right = (np.array(tree[name].split(), dtype=np.int64) for name in (SPLITS[0], *SPLITS[3:6]))
    ends = np.concatenate([left, right])
    met = reached(np.maximum(left, -1), np.maximum(right, -1))
    by_set = kind % 2 == 1
    return bool(
        met is not None
        and len(met) == leaves - 1
        and np.array_equal(np.sort(~ends[ends < 0]), np.arange(leaves))
        and np.all((feature >= 0) & (feature < size))
        and np.all((kind >= 0) & (kind // 4 < NAN_KINDS))
        and _sets_hold(tree, np.array(tree["threshold"].split(), dtype=float)[by_set])
    )


def _sets_hold(tree: Entries, chosen: Any) -> bool:
    """The sets of categories, lying one behind the other as bits, and the nodes that name them."""
    sets = int(tree["num_cat"])
    if not sets:
        return not len(chosen) and "cat_boundaries" not in tree and "cat_threshold" not in tree
    bounds = [int(bound) for bound in tree["cat_boundaries"].split()]
    words = [int(word) for word in tree["cat_threshold"].split()]
    return bool(
        len(bounds) == sets + 1
        and bounds[0] == 0
        and bounds[-1] == len(words)
        and all(begin < end for begin, end in pairwise(bounds))
        and all(0 <= word < 2**32 for word in words)
        and np.all((chosen >= 0) & (chosen < sets) & (chosen == np.floor(chosen)))
    )


def _linear_holds(tree: Entries, leaves: int, size: int) -> bool:
    """The columns and factors of each leaf's own sum, one leaf behind the other."""
    if not _counted(tree, LINEAR[:2], leaves):
        return False
    counts = [int(count) for count in tree["num_features"].split()]
    columns = [int(column) for column in tree["leaf_features"].split()]
    return (
        all(count >= 0 for count in counts)
        and sum(counts) == len(columns) == len(tree["leaf_coeff"].split())
        and all(0 <= column < size for column in columns)
    )
