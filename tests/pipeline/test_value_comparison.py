"""Values as a record keeps them, compared: what differs by more than the tolerance is never taken for the same."""

import math
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cellops.capture.blobs import Blobs
from cellops.capture.values.allowance import Allowance
from cellops.capture.values.description import look_at
from cellops.capture.values.numbers import Room, unpack
from cellops.pipeline.verify.comparison import UNMEASURED, Comparing
from cellops.records.proof import Comparison, Verdict
from cellops.records.value import Covered, ValueSeen

TOLERANCE = 1e-6
IDENTICAL, WITHIN, DIVERGED = Verdict.IDENTICAL, Verdict.WITHIN_TOLERANCE, Verdict.DIVERGED
UNTOLD = Verdict.NOT_COMPARED


def compared(before: Any, after: Any, seconds: float = 10.0) -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        kept = Blobs(Path(folder))
        then, now = (look_at("x", value, Allowance(seconds), Room(kept)) for value in (before, after))
        read = lambda name: kept.path(name).read_bytes()  # noqa: E731
        return Comparing(TOLERANCE, read, read).value(then, now)


FLOATS = st.floats(-1e9, 1e9, width=32)
ARRAYS = st.sampled_from([np.float64, np.float32, np.int64, np.uint8]).flatmap(
    lambda kind: of_numpy.arrays(
        kind,
        of_numpy.array_shapes(max_dims=2, max_side=40),
        elements=FLOATS if np.dtype(kind).kind == "f" else st.integers(0, 100),
    )
)


def changed(array: Any, place: int, by: float) -> Any:
    """A copy with one element further away than the tolerance allows."""
    other = array.copy()
    step = 1 if array.dtype.kind in "iu" else by * max(1.0, float(np.abs(array).max()))
    other.flat[place] = other.flat[place] + step
    apart = float(np.abs(np.subtract(other, array, dtype=float)).max())
    largest = float(max(np.abs(array).max(), np.abs(other).max()))
    assume(array.dtype.kind in "iu" or apart > TOLERANCE * largest)
    return other


@given(array=ARRAYS, place=st.integers(0), by=st.floats(1e-5, 10))
@settings(max_examples=60, deadline=None)
def test_an_array_with_one_other_element_has_diverged(array: Any, place: int, by: float) -> None:
    assert compared(array, array.copy()).verdict is IDENTICAL
    assert compared(array, changed(array, place % array.size, by)).verdict is DIVERGED


@given(array=ARRAYS, place=st.integers(0), by=st.floats(1e-5, 10), text=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_frame_with_one_other_element_has_diverged(array: Any, place: int, by: float, text: bool) -> None:
    def frame(values: Any) -> pd.DataFrame:
        made = pd.DataFrame(values)
        return made.assign(text="a") if text else made

    assert compared(frame(array), frame(array.copy())).verdict is IDENTICAL
    other = compared(frame(array), frame(changed(array, place % array.size, by)))
    assert (other.verdict, len(other.parts)) == (DIVERGED, 1)


@given(array=of_numpy.arrays(np.float64, 30, elements=st.floats(0.5, 2)), by=st.floats(1e-14, 1e-7))
@settings(max_examples=30, deadline=None)
def test_what_differs_by_less_than_the_tolerance_is_within_it(array: Any, by: float) -> None:
    other = array * (1 + by)
    assume(not np.array_equal(array, other))
    for before, after in ((array, other), (pd.DataFrame({"a": array}), pd.DataFrame({"a": other}))):
        found = compared(before, after)
        assert found.verdict is WITHIN
        assert found.difference is not None
        assert found.difference <= TOLERANCE
    assert compared(list(array), list(other)).verdict is WITHIN


LINE = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
STEEPER = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.5])


class Mine(list[float]):
    """A class that is derived from a builtin one."""


class Slotted:
    __slots__ = ("held",)

    def __init__(self, held: object) -> None:
        self.held = held


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (math.nan, math.nan, IDENTICAL),
        (math.nan, 0.0, DIVERGED),
        (math.inf, -math.inf, DIVERGED),
        (0.0, -0.0, WITHIN),
        (1.0, 1.0 + 1e-9, WITHIN),
        (10**12, 10**12 + 1, DIVERGED),
        (np.int64(10**12), np.int64(10**12 + 1), DIVERGED),
        (np.float32(1), np.float64(1), DIVERGED),
        (1, 1.0, DIVERGED),
        (True, 1, DIVERGED),
        ("a", "b", DIVERGED),
        ([10**12], [10**12 + 1], DIVERGED),
        ([10**30, 1.0], [10**30, 1.0 + 1e-9], WITHIN),
        ([10**30], [10**30 + 1], DIVERGED),
        ({"a": 1.0}, {"a": 1.0 + 1e-9}, WITHIN),
        ({"a": 1.0}, {"a": 1.0 + 1e-9, "b": 2.0}, DIVERGED),
        ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}, DIVERGED),
        ({"a": 1.0, "n": 10**30}, {"a": 1.0 + 1e-9, "n": 10**30 + 1}, DIVERGED),
        ({"a", "b"}, {"b", "a"}, IDENTICAL),
        ({"a"}, {"b"}, DIVERGED),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), IDENTICAL),
        (np.array([1.0, np.nan]), np.array([1.0, 2.0]), DIVERGED),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0], np.float32), DIVERGED),
        (np.array(["a"]), np.array(["b"]), DIVERGED),
        (np.zeros(10**5), np.zeros(10**5) + 1e-9, DIVERGED),
        (pd.Series([1.0], ["x"]), pd.Series([1.0 + 1e-9], ["x"]), WITHIN),
        (pd.Series([1.0], ["x"]), pd.Series([1.0 + 1e-9], ["y"]), DIVERGED),
        (pd.Series([1.0], name="a"), pd.Series([1.0], name="b"), DIVERGED),
        (pd.DataFrame({"a": [1.0], "t": ["x"]}), pd.DataFrame({"a": [1.0 + 1e-9], "t": ["y"]}), DIVERGED),
        (pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]), pd.DataFrame([[9.0, 2.0]], columns=["a", "a"]), DIVERGED),
        (
            pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]),
            pd.DataFrame([[9.0, 2.0 + 1e-9]], columns=["a", "a"]),
            DIVERGED,
        ),
        (
            pd.DataFrame({"(index)": [1.0]}, index=["x"]),
            pd.DataFrame({"(index)": [1.0 + 1e-9]}, index=["y"]),
            DIVERGED,
        ),
        (
            pd.DataFrame({**{str(n): [1.0] for n in range(150)}, "t": ["x"]}),
            pd.DataFrame({**{str(n): [1.0 + 1e-9] for n in range(150)}, "t": ["y"]}),
            DIVERGED,
        ),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 2]}, index=[1, 0]), DIVERGED),
        (pd.Series(["a", "b"], dtype="category"), pd.Series(["a", "b"]), DIVERGED),
        (pl.DataFrame({"a": [1, None]}), pl.DataFrame({"a": [1, None]}), IDENTICAL),
        (pl.DataFrame({"a": [1, None]}), pl.DataFrame({"a": [1, 2]}), DIVERGED),
        (scipy.sparse.eye_array(3, format="csr"), scipy.sparse.eye_array(3, format="csr"), IDENTICAL),
        (scipy.sparse.eye_array(3, format="csr"), 2 * scipy.sparse.eye_array(3, format="csr"), DIVERGED),
        (LINE, STEEPER, DIVERGED),
        (Mine([1.0]), Mine([1.0]), IDENTICAL),
        (Mine([1.0]), Mine([2.0]), DIVERGED),
        (Slotted(1), Slotted(1), IDENTICAL),
        (Slotted(1), Slotted(2), DIVERGED),
        (Counter("ab"), Counter("aab"), DIVERGED),
        (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1), DIVERGED),
        (None, 0, DIVERGED),
    ],
)
def test_each_kind_of_value_compares_as_it_is(before: Any, after: Any, verdict: Verdict) -> None:
    assert compared(before, after).verdict is verdict


def test_what_cannot_be_read_is_said_not_to_be_compared() -> None:
    with Path(__file__).open() as file, tempfile.TemporaryFile() as other:
        for value in (file, other, (n for n in range(3)), iter([1])):
            found = compared(value, value)
            assert found.verdict is Verdict.NOT_COMPARED
            assert found.note


def test_a_table_that_is_too_large_says_what_was_read_of_it() -> None:
    large = np.zeros(10**6)
    found = compared(large, large.copy(), seconds=1e-4)
    assert (found.verdict, found.note) == (IDENTICAL, "1,000 of 1,000,000 rows: it is too large to be read in passing")
    other = large.copy()
    other[0] = 1
    assert compared(large, other, seconds=1e-4).verdict is DIVERGED


def pipeline(factor: float, **given: Any) -> Any:
    rows = np.random.default_rng(0).normal(size=(40, 2)) * factor
    return make_pipeline(StandardScaler(), LogisticRegression(**given)).fit(rows, rows[:, 0] > 0)


@dataclass
class Held:
    value: Any
    name: str = "a"


@pytest.mark.parametrize(
    ("make", "verdict"),
    [
        (lambda by: pipeline(1 + by), WITHIN),
        (lambda by: pipeline(1, C=1 + by), WITHIN),
        (lambda by: pipeline(1, tol=1e-4 if by else 1e-3), DIVERGED),
        (lambda by: {"a": {"b": [np.ones(3) * (1 + by), "c"]}}, WITHIN),
        (lambda by: {"a": {"b": [np.ones(3) * (1 + by), "d" if by else "c"]}}, DIVERGED),
        (lambda by: {"a": [1.0 + by, 3 if by else 2]}, DIVERGED),
        (lambda by: {"a": [1.0 + by, 2]}, WITHIN),
        (lambda by: {"a": 1.0 + by, "b": {1.0 + by}}, DIVERGED),
        (lambda by: {1.0 + by: 1.0 + by}, DIVERGED),
        (lambda by: {"a": np.float32(1 + 1e7 * by)}, DIVERGED),
        (lambda by: {"a": np.float64(1 + by) if by else 1.0}, DIVERGED),
        (lambda by: {"a": [1 + by] if by else (1.0,)}, DIVERGED),
        (lambda by: Held(Held([1.0 + by])), WITHIN),
        (lambda by: Held(Held([1.0 + by]), "b" if by else "a"), DIVERGED),
        (lambda by: Held(np.array([1.0 + by, "a"], object)), WITHIN),
        (lambda by: [Held(1.0 + by)] * 3, WITHIN),
        (lambda by: [Held(float(n) + by) for n in range(1000)], DIVERGED),
    ],
)
def test_numbers_inside_of_a_value_are_measured_where_the_rest_is_the_same(
    make: Callable[[float], Any], verdict: Verdict
) -> None:
    assert compared(make(0.0), make(0.0)).verdict is IDENTICAL
    assert compared(make(0.0), make(1e-12)).verdict is verdict
    assert compared(make(0.0), make(0.5)).verdict is DIVERGED


def test_where_a_nested_number_differs_is_shown() -> None:
    found = compared({"a": {"b": [1.5, "c"]}}, {"a": {"b": [2.5, "c"]}})
    assert (found.before, found.after) == ("dict of 1, ['a']['b'][0] = 1.5", "dict of 1, ['a']['b'][0] = 2.5")


def test_no_number_under_the_name_of_a_secret_is_kept() -> None:
    for value in ({"a": 1.5, "password": 123456}, {"a": 1.5, "password": [123456]}):
        with tempfile.TemporaryDirectory() as folder:
            seen = look_at("x", value, Allowance(1.0), Room(Blobs(Path(folder))))
            assert seen.numbers is not None
            assert list(unpack((Path(folder) / seen.numbers).read_bytes())) == ["['a']"]


def test_what_is_too_large_to_be_kept_says_that_it_was_not_measured() -> None:
    large = np.zeros(10**5)
    found = compared(large, large + 1e-9)
    assert (found.verdict, found.difference, found.note) == (DIVERGED, None, UNMEASURED)
    assert compared(large, large.copy()).note == ""
    assert compared("a", "b").note == ""
    assert compared(np.zeros(3), np.ones(3)).note == ""


SEEN = ValueSeen(name="x", type="builtins.function", covered=Covered.CODE, shown="function of the notebook")


@pytest.mark.parametrize(
    ("before", "after", "verdict", "note"),
    [
        ({}, {}, IDENTICAL, "by its source"),
        ({"digest": "a"}, {"digest": "a"}, IDENTICAL, ""),
        ({"digest": "a", "parts": {"k": "a"}}, {"digest": "b", "parts": {"k": "b"}}, DIVERGED, ""),
        ({"digest": "a"}, {}, DIVERGED, ""),
        ({}, {"digest": "a"}, UNTOLD, "the record does not say what it keeps"),
        ({}, {"digest": "a", "shown": "class of the notebook"}, DIVERGED, "by its source"),
        ({}, {"covered": Covered.NOTHING, "reason": "of a lock"}, UNTOLD, "of a lock"),
        ({"covered": Covered.NOTHING, "reason": "of a lock"}, {}, UNTOLD, "of a lock"),
        (
            {"covered": Covered.PARTIAL, "digest": "a", "reason": "without k"},
            {"covered": Covered.PARTIAL, "digest": "a", "reason": "without k"},
            IDENTICAL,
            "without k",
        ),
        (
            {"covered": Covered.PARTIAL, "digest": "a", "reason": "without k"},
            {"covered": Covered.PARTIAL, "digest": "a", "reason": "without j"},
            UNTOLD,
            "without k",
        ),
        (
            {"covered": Covered.PARTIAL, "digest": "a", "reason": "without k"},
            {"covered": Covered.FULL, "digest": "a"},
            UNTOLD,
            "partial then, full now: without k",
        ),
        (
            {"covered": Covered.SAMPLED, "digest": "a", "reason": "1 of 2 rows"},
            {"covered": Covered.FULL, "digest": "b", "sample": "a"},
            IDENTICAL,
            "1 of 2 rows",
        ),
        (
            {"covered": Covered.SAMPLED, "digest": "a", "reason": "1 of 2 rows"},
            {"covered": Covered.FULL, "digest": "a"},
            UNTOLD,
            "sampled then, full now: 1 of 2 rows",
        ),
        ({}, {"type": "builtins.type"}, DIVERGED, "builtins.function then, builtins.type now"),
    ],
)
def test_how_much_of_a_value_was_read_decides_how_it_compares(
    before: dict[str, Any], after: dict[str, Any], verdict: Verdict, note: str
) -> None:
    found = Comparing(0.0, lambda _: None, lambda _: None).value(SEEN.replace(**before), SEEN.replace(**after))
    assert (found.verdict, found.note) == (verdict, note)


class Loud:
    """Whatever is asked of it, it raises."""

    def __repr__(self) -> str:
        raise AssertionError

    def __eq__(self, _: object) -> bool:
        raise AssertionError

    def __hash__(self) -> int:
        return hash("fit_time")


def test_no_code_of_keys_is_run() -> None:
    assert compared({Loud(): 1.0}, {Loud(): 1.0}).verdict is IDENTICAL
    assert compared({Loud(): 1.0, "a": 1}, {Loud(): 2.0, "a": 1}).verdict is DIVERGED


def test_a_web_of_objects_is_read_once() -> None:
    """Twelve objects, each of which leads ten times to the next: without a memory, ten to the twelfth steps."""

    def web(value: int) -> Slotted:
        made = Slotted(value)
        for _ in range(12):
            made = Slotted([made] * 10)
        return made

    found = compared(web(1), web(1))
    assert (found.verdict, found.note) == (IDENTICAL, "")
    assert compared(web(1), web(2)).verdict is DIVERGED
