"""Digests differ where the content does, and nowhere else: what hides beside the cells of a table counts too."""

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import xgboost
from sklearn.ensemble import GradientBoostingClassifier

from cellops.capture.values.allowance import Allowance
from cellops.capture.values.description import look_at
from cellops.records.value import Covered, ValueSeen

FRAME = pd.DataFrame({"a": [1, 2], "b": ["c", "d"]})
DAYS = pd.date_range("2020", periods=3)
X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)


def seen_of(value: Any) -> ValueSeen:
    return look_at("x", value, Allowance(60))


def with_attributes() -> pd.DataFrame:
    frame = FRAME.copy()
    frame.attrs["unit"] = "m"
    return frame


def spawning() -> np.random.Generator:
    generator = np.random.default_rng(1)
    generator.spawn(1)
    return generator


def overwritten() -> GradientBoostingClassifier:
    model = GradientBoostingClassifier(n_estimators=2, random_state=0).fit(X, Y)
    model.estimators_[0, 0].tree_.value[0] += 1
    return model


DIFFERENT: dict[str, Callable[[], tuple[Any, ...]]] = {
    "attributes of a frame": lambda: (FRAME, with_attributes()),
    "flags of a frame": lambda: (FRAME, FRAME.set_flags(allows_duplicate_labels=False)),
    "frequency of an index": lambda: tuple(
        pd.Series([1, 2, 3], index=index) for index in (DAYS, pd.DatetimeIndex(DAYS.to_numpy()))
    ),
    "a frame in a list": lambda: ([FRAME], [with_attributes()]),
    "fill value": lambda: tuple(np.ma.array([1.0, 2.0], mask=[False, True], fill_value=fill) for fill in (5, 6)),
    "hard mask": lambda: tuple(np.ma.array([1.0, 2.0], mask=[False, True], hard_mask=hard) for hard in (False, True)),
    "a generator that has spawned": lambda: (np.random.default_rng(1), spawning()),
    "trees": lambda: (GradientBoostingClassifier(n_estimators=2, random_state=0).fit(X, Y), overwritten()),
    "model of lightgbm": lambda: tuple(
        lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(X, y) for y in (Y, 1 - Y)
    ),
    "model of xgboost": lambda: tuple(xgboost.XGBClassifier(n_estimators=2).fit(X, y) for y in (Y, 1 - Y)),
    "booster of xgboost": lambda: tuple(
        xgboost.train({}, xgboost.DMatrix(X, label=y), num_boost_round=2) for y in (Y, 1 - Y)
    ),
}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_other_content_has_another_digest_and_the_same_content_the_same(kind: str) -> None:
    (one, other), (again, _) = DIFFERENT[kind](), DIFFERENT[kind]()
    first, second, third = seen_of(one), seen_of(other), seen_of(again)
    assert first.covered is second.covered is Covered.FULL, first.reason
    assert first.digest == third.digest
    assert first.digest != second.digest


def test_the_padding_of_a_long_double_is_no_content() -> None:
    for kind in (np.longdouble, np.clongdouble):
        size = np.dtype(kind).itemsize
        arrays = [np.frombuffer(bytes([fill]) * size, kind).copy() for fill in (0, 255)]
        for array in arrays:
            array[:] = 1.5
        padded = np.frombuffer(np.zeros(size, np.uint8).tobytes(), kind).copy()
        padded[0] = 1.5
        assert len({seen_of(array[0]).digest for array in (*arrays, padded)}) == 1


def test_the_order_in_which_a_sparse_matrix_is_kept_is_no_content() -> None:
    sorted_, unsorted = (
        scipy.sparse.csr_matrix((np.array(data), np.array(places), np.array([0, 2])), shape=(1, 3))
        for data, places in (([1, 2], [1, 2]), ([2, 1], [2, 1]))
    )
    assert seen_of(sorted_).digest == seen_of(unsorted).digest
    assert unsorted.indices.tolist() == [2, 1]
