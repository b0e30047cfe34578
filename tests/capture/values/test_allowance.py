"""No value is read beyond what may be read in passing, whatever hides its size."""

import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from cellops.capture.values.allowance import Allowance, SpentError
from cellops.capture.values.description import look_at
from cellops.records.value import Covered, ValueSeen

PASSING = 0.005
PLENTY = 1000.0


class Holder:
    def __init__(self, **held: Any) -> None:
        vars(self).update(held)


def doubled(times: int) -> list[Any]:
    nested: list[Any] = [1]
    for _ in range(times):
        nested = [nested, nested]
    return nested


def column(*cells: Any) -> "pd.DataFrame":
    held = np.empty(len(cells), object)
    held[:] = cells
    return pd.DataFrame({"cells": held})


HUGE: dict[str, Callable[[], Any]] = {
    "bytes": lambda: bytes(100_000_000),
    "text": lambda: "a" * 50_000_000,
    "texts in a list": lambda: ["a" * 100_000] * 500,
    "a large integer": lambda: 1 << 100_000_000,
    "large integers in a list": lambda: [1 << 1_000_000] * 500,
    "attributes": lambda: Holder(**{f"a{n}": n for n in range(100_000)}),
    "counter": lambda: Counter(range(100_000)),
    "ordered dictionary": lambda: OrderedDict.fromkeys(range(100_000)),
    "defaultdict": lambda: defaultdict(int, dict.fromkeys(range(100_000), 1)),
    "deque": lambda: deque(range(100_000)),
    "array of lists": lambda: column(*[list(range(100))] * 500).to_numpy(),
    "array of texts": lambda: np.array(["a" * 100_000] * 500, np.dtypes.StringDType()),
    "structured array of lists": lambda: np.array([(doubled(25),)], [("a", object)]),
    "text of numpy": lambda: np.array(["a" * 10_000_000])[0],
    "column of lists": lambda: column(*[[0.5] * 768] * 500),
    "column of dictionaries": lambda: column(*[{f"k{n}": n for n in range(200)}] * 500),
    "column of arrays": lambda: column(*[np.zeros(100_000)] * 500),
    "column of long texts": lambda: column(*["a" * 100_000] * 500),
    "column of texts of pandas": lambda: pd.Series(["a" * 100_000] * 500, dtype="str"),
    "categories of long texts": lambda: pd.Series(["a" * 50_000_000], dtype="category"),
    "index of long texts": lambda: pd.Series([1], index=pd.Index(["a" * 50_000_000], dtype=object)),
    "level of long texts": lambda: pd.Series([1], index=pd.MultiIndex.from_tuples([("a" * 50_000_000, 1)])),
    "label of a column": lambda: pd.DataFrame([[1]], columns=["a" * 50_000_000]),
    "lists that are shared": lambda: column(doubled(60)),
    "lists that are shared, in a large frame": lambda: column(*[doubled(60)] * 2000),
    "frame of polars": lambda: pl.DataFrame({"a": ["a" * 100_000] * 500}),
    "sparse matrix": lambda: scipy.sparse.eye(3_000_000, format="csr"),
    "sparse matrix of lists": lambda: scipy.sparse.eye(100_000, format="lil"),
    "wide rows": lambda: np.broadcast_to(np.zeros(1), (2_000, 1_000_000)),
}


@pytest.fixture(autouse=True)
def _any_integer_may_be_written() -> Iterator[None]:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("kind", HUGE)
def test_what_is_too_large_is_not_read_in_passing(kind: str) -> None:
    seen = look_at("x", HUGE[kind](), Allowance(PASSING))
    assert (seen.covered, seen.digest) == (Covered.NOTHING, None)
    assert seen.reason == "it is too large to be read in passing"
    assert len(seen.shown) < 100


SMALL: dict[str, Callable[[], Any]] = {
    "bytes": lambda: bytes(range(256)),
    "text": lambda: "a" * 1000,
    "numbers": lambda: [*range(1000)],
    "attributes": lambda: Holder(a=1, b=[Holder(c="d")]),
    "counter": lambda: Counter("abracadabra"),
    "deque": lambda: deque(range(10), 20),
    "array of lists": lambda: column([1], [2, "b"]).to_numpy(),
    "column of lists": lambda: column([1], [2, "b"], {"c": (1, b"d")}),
    "index of texts": lambda: pd.Series([1, 2], index=["a", "b"]),
    "categories": lambda: pd.Series(["a", "b", "a"], dtype="category"),
    "levels": lambda: pd.Series([1, 2], index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    "frame of polars": lambda: pl.DataFrame({"a": ["a", "b"]}),
    "sparse matrix": lambda: scipy.sparse.eye(30, format="csr"),
}


@pytest.mark.parametrize("kind", SMALL)
def test_what_is_small_is_read_whole_and_the_same_with_any_allowance(kind: str) -> None:
    passing, plenty = (look_at("x", SMALL[kind](), Allowance(seconds)) for seconds in (PASSING, PLENTY))
    assert passing.covered is Covered.FULL
    assert passing == plenty


def test_of_a_large_table_some_rows_are_read_and_they_are_those_that_are_read_again() -> None:
    frame = pd.DataFrame({"a": np.arange(10_000_000)})
    passing = look_at("x", frame, Allowance(PASSING))
    again = look_at("x", frame, Allowance(PLENTY), with_sample=True)
    assert (passing.covered, again.covered) == (Covered.SAMPLED, Covered.FULL)
    assert passing.digest == again.sample
    other = frame.assign(a=frame["a"] + 1)
    assert look_at("x", other, Allowance(PASSING)).digest != passing.digest


def test_what_is_read_is_spent() -> None:
    allowance = Allowance(PASSING)
    for _ in range(20):
        last = look_at("x", ["a"] * 500, allowance)
    assert last.covered is Covered.NOTHING


@pytest.mark.parametrize("spend", [Allowance.read, Allowance.visit, Allowance.count, Allowance.write_out])
def test_an_allowance_gives_what_it_has_and_no_more(spend: Callable[[Allowance, int], None]) -> None:
    allowance = Allowance(1e-6)
    spend(allowance, 0)
    with pytest.raises(SpentError):
        spend(allowance, 10**9)
    spend(allowance, 0)


def test_a_file_is_kept_only_where_there_is_time_to_write_it() -> None:
    assert Allowance(1.0).keep(1000)
    assert not Allowance(1e-5).keep(1000)


def seen_of(value: Any) -> ValueSeen:
    return look_at("x", value, Allowance(PLENTY))


def test_texts_and_bytes_are_told_apart() -> None:
    assert len({seen_of(value).digest for value in ("a", b"a", "b", b"b", [b"a"], ["a"])}) == 6
