"""Summaries of parts, merged in any order, against that of the whole and against pandas, numpy and scipy."""

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.buckets import FEW
from cellops.data.summary.column import ColumnSummary, Parts
from cellops.data.summary.counts import CAP
from cellops.data.summary.distinct import STANDARD_ERROR
from cellops.data.summary.moments import CentralMoments
from cellops.data.summary.numbers import NumberSummary
from cellops.data.summary.summarize import summarize
from cellops.data.summary.table import TableSummary, merge
from cellops.records.summary import SummaryKind

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, 5e-324]


def frame(rows: int, seed: int) -> pd.DataFrame:
    """A column of each kind; some of them with many different values, where there are many rows."""
    generator = np.random.default_rng(seed)
    number = generator.normal(100, 3, rows)
    chosen = generator.random(rows) < 0.05
    number[chosen] = generator.choice(SPECIAL, int(chosen.sum()))
    words = generator.choice(["UA", "AA", "", "naïve", None], rows)
    mixed = [value if value % 3 else str(value) for value in generator.integers(0, 9, rows).tolist()]
    return pd.DataFrame(
        {
            "number": number,
            "few": generator.choice([1.5, 2.5, np.nan], rows),
            "integer": generator.integers(-(10**6), 10**6, rows),
            "wide": generator.integers(2**53, 2**63 - 1, rows),
            "boolean": generator.random(rows) < 0.3,
            "word": pd.Series(words, dtype=object),
            "category": pd.Categorical(generator.choice(["a", "b"], rows), categories=["a", "b", "never"]),
            "time": pd.Timestamp("2013-01-01", tz="UTC")
            + pd.to_timedelta(generator.integers(0, 10**9, rows), unit="s"),
            "mixed": pd.Series(mixed, dtype=object),
            "nothing": pd.Series([None] * rows, dtype=object),
        }
    )


def pieces(table: pd.DataFrame, number: int) -> list[pd.DataFrame]:
    size = -(-len(table) // number)
    return [table.iloc[begin : begin + size] for begin in range(0, len(table), size)]


def without_rounding(summary: TableSummary) -> TableSummary:
    """The summary without its sums of powers, which depend on the order in the last digits."""

    def exact(moments: CentralMoments) -> CentralMoments:
        return replace(moments, mean=0.0, second=0.0, third=0.0, fourth=0.0)

    def numbers(part: NumberSummary | None) -> NumberSummary | None:
        return None if part is None else replace(part, moments=exact(part.moments))

    def column(one: ColumnSummary) -> ColumnSummary:
        times = one.parts.times
        rest: Parts = replace(
            one.parts,
            numbers=numbers(one.parts.numbers),
            times=None if times is None else replace(times, seconds=numbers(times.seconds)),
        )
        return replace(one, parts=rest)

    return replace(summary, columns=tuple(map(column, summary.columns)))


@settings(deadline=None, max_examples=25)
@given(
    rows=st.integers(1, 3 * FEW),
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.integers(0, 3 * FEW), max_size=5),
    order=st.randoms(use_true_random=False),
)
def test_parts_in_any_order_come_to_the_summary_of_the_whole(
    rows: int, seed: int, cuts: list[int], order: random.Random
) -> None:
    table = frame(rows, seed)
    whole = summarize(table)
    bounds = sorted({0, rows, *(cut for cut in cuts if cut < rows)})
    parts = [summarize(table.iloc[low:high]) for low, high in pairwise(bounds)]

    while len(parts) > 1:  # any two at a time
        order.shuffle(parts)
        parts = [merge(*parts[:2]), *parts[2:]]

    assert without_rounding(parts[0]) == without_rounding(whole)
    for column, other in zip(whole.columns, parts[0].columns, strict=True):
        if column.parts.numbers is not None and other.parts.numbers is not None:
            ours, theirs = other.parts.numbers.moments, column.parts.numbers.moments
            if column.name != "number":  # of 1e300 only the sign of a power is known
                assert ours.mean == pytest.approx(theirs.mean, rel=1e-9)
                assert ours.second == pytest.approx(theirs.second, rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), max_size=40), min_size=1, max_size=5).filter(
        lambda parts: sum(map(len, parts)) > 3
    )
)
def test_moments_of_parts_are_those_of_scipy(parts: list[list[float]]) -> None:
    whole = np.concatenate([np.array(part) for part in parts])
    ours = CentralMoments.merged(CentralMoments.of_ordered(np.sort(np.array(part))) for part in parts)

    scale = max(float(np.abs(whole).max()), 1e-300)
    assert ours.mean == pytest.approx(whole.mean(), abs=1e-13 * scale)
    assert ours.variance == pytest.approx(whole.var(ddof=1), rel=1e-9, abs=1e-13 * scale**2)
    assert (ours.minimum, ours.maximum) == (whole.min(), whole.max())
    if whole.std() > 1e-4 * scale:
        assert ours.skewness == pytest.approx(scipy.stats.skew(whole), rel=1e-6, abs=1e-6)
        assert ours.kurtosis == pytest.approx(scipy.stats.kurtosis(whole), rel=1e-6, abs=1e-6)


def test_a_constant_has_neither_skewness_nor_kurtosis() -> None:
    moments = CentralMoments.of_ordered(np.full(1000, 0.1))

    assert np.isnan(moments.skewness)
    assert np.isnan(moments.kurtosis)


@pytest.mark.parametrize("distinct", [1, 300, FEW, FEW + 1, 5_000, 60_000])
@pytest.mark.parametrize("make", [np.float64, np.int64, lambda values: 2**60 + values.astype(np.int64)])
def test_distinct_numbers_are_counted_within_the_stated_error(
    distinct: int, make: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]
) -> None:
    values = make(np.random.default_rng(distinct).permutation(np.arange(distinct)))
    table = pd.DataFrame({"key": np.append(values, values[: distinct // 2])})
    numbers = merge(*(summarize(part) for part in pieces(table, 3))).columns[0].parts.numbers

    assert numbers is not None
    assert numbers.distinct == pytest.approx(distinct, rel=4 * numbers.distinct_error + 1e-12)
    assert (numbers.distinct_error == 0) or distinct > FEW or numbers.wide


@pytest.mark.parametrize("distinct", [CAP, 3 * CAP, 30_000])
def test_strings_are_counted_exactly_up_to_the_cap_and_within_the_stated_error_beyond(distinct: int) -> None:
    generator = np.random.default_rng(distinct)
    common = np.repeat(["UA", "AA", "B6"], [9_000, 6_000, 3_000])
    values = np.concatenate([common, [f"row {number}" for number in range(distinct - 3)]])
    table = pd.DataFrame({"name": generator.permutation(values)})
    texts = merge(*(summarize(part) for part in pieces(table, 4))).columns[0].parts.texts

    assert texts is not None
    assert texts.distinct == pytest.approx(distinct, rel=4 * texts.distinct_error)
    assert texts.counts.error <= len(values) / (CAP + 1)
    assert texts.counts.exact == (distinct <= CAP)
    for name, rows in texts.counts.ranked()[:3]:
        true = int((values == name).sum())
        assert rows <= true <= rows + texts.counts.error
    assert [name for name, _ in texts.counts.ranked()[:3]] == ["UA", "AA", "B6"]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=60))
def test_strings_are_counted_as_pandas_counts_them(values: list[str | None]) -> None:
    column = pd.Series(values, dtype=object, name="text")
    found = summarize(pd.DataFrame(column)).columns[0]

    assert found.missing == int(column.isna().sum())
    if found.parts.texts is not None:
        texts = found.parts.texts
        assert dict(texts.counts.rows) == column.value_counts().to_dict()
        lengths = [len(value) for value in values if value is not None]
        assert (texts.lengths.shortest, texts.lengths.longest) == (min(lengths), max(lengths))
        assert (texts.lengths.total, texts.lengths.empty) == (sum(lengths), lengths.count(0))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(width=64), max_size=80))
def test_numbers_are_told_as_pandas_tells_them(values: list[float]) -> None:
    column = pd.Series(values, dtype="float64", name="number")
    found = summarize(pd.DataFrame(column)).columns[0]

    assert found.missing == int(column.isna().sum())
    numbers = found.parts.numbers
    assert (numbers is None) == (found.missing == len(values))
    if numbers is not None:
        assert numbers.distinct == (column + 0.0).nunique()
        assert numbers.below == int((column == -np.inf).sum())
        assert numbers.above == int((column == np.inf).sum())


def test_a_part_without_a_column_leaves_that_column_with_fewer_rows() -> None:
    first, second = pd.DataFrame({"a": [1, 2], "b": ["x", None]}), pd.DataFrame({"c": [1.5], "a": [3]})
    both, other = merge(summarize(first), summarize(second)), merge(summarize(second), summarize(first))

    assert both == other
    assert both.rows == 3
    assert {column.name: column.rows for column in both.columns} == {"a": 3, "b": 2, "c": 1}


def test_integers_that_meet_other_numbers_are_numbers_and_strings_beside_them_are_mixed() -> None:
    kinds = [
        merge(*(summarize(pd.DataFrame({"x": values})) for values in parts)).columns[0].kind
        for parts in ([[1], [2]], [[1], [2.5]], [[None], [1]], [[1], ["a", "a"]])
    ]

    assert kinds == [SummaryKind.INTEGER, SummaryKind.NUMBER, SummaryKind.INTEGER, SummaryKind.MIXED]


def test_the_standard_error_is_that_of_many_estimates() -> None:
    from cellops.data.summary.distinct import HyperLogLog
    from cellops.data.summary.hashing import hash_numbers

    generator = np.random.default_rng(1)
    off = [HyperLogLog.of(hash_numbers(generator.normal(size=20_000))).estimate() / 20_000 - 1 for _ in range(200)]

    assert np.std(off) == pytest.approx(STANDARD_ERROR, rel=0.25)
    assert abs(np.mean(off)) < 0.3 * STANDARD_ERROR
