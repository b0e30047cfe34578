"""Profiles that are made of summaries, against those that are made of the tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.profile import observe, profile, sketch
from cellops.data.summary.freeze import freeze
from cellops.data.summary.summarize import summarize
from cellops.data.summary.table import merge
from cellops.errors import InputError
from cellops.records.profile import ColumnProfile, Profile
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov
from cellops.stats.wasserstein import wasserstein

few = st.one_of(
    st.sampled_from([0.0, 1.5, -2.0, 7.0, np.nan]),
    st.floats(width=32),
    st.sampled_from([np.inf, -np.inf]),
)


def without_rounding(column: ColumnProfile) -> ColumnProfile:
    moments = column.moments
    rough = None if moments is None else moments.replace(mean=0.0, squared_deviations=0.0)
    return column.replace(moments=rough)


def assert_same(ours: Profile, theirs: Profile) -> None:
    assert [without_rounding(column) for column in ours.columns] == [without_rounding(c) for c in theirs.columns]
    for one, other in zip(ours.columns, theirs.columns, strict=True):
        if one.moments is not None and other.moments is not None and abs(other.moments.mean) < 1e100:
            assert one.moments.mean == pytest.approx(other.moments.mean, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=80)
@given(st.lists(few, min_size=1, max_size=300))
def test_numbers_with_few_different_values_have_the_profile_of_the_table(values: list[float]) -> None:
    table = pd.DataFrame({"x": values})
    with np.errstate(over="ignore", invalid="ignore"):
        theirs = profile(table)

    if theirs.columns[0].problem is None:
        assert_same(freeze(summarize(table, rows=70)), theirs)


def test_other_columns_have_the_profile_of_the_table_too() -> None:
    generator = np.random.default_rng(8)
    rows = 5_000
    table = pd.DataFrame(
        {
            "integer": generator.integers(0, 300, rows),
            "deciles": generator.integers(0, 12, rows) * 1.0,
            "boolean": generator.random(rows) < 0.2,
            "flag": pd.Series(generator.choice([True, None], rows), dtype=object),
            "word": pd.Series(
                generator.choice(["UA", "AA", "rare", None], rows, p=[0.6, 0.3, 0.001, 0.099]), dtype=object
            ),
            "key": [f"key {number}" for number in generator.integers(0, 1500, rows)],
            "category": pd.Categorical(generator.choice(["a", "b"], rows)),
            "time": pd.Timestamp("2013-01-01") + pd.to_timedelta(generator.integers(0, 365, rows), unit="D"),
            "nothing": np.nan,
            "none": pd.Series([None] * rows, dtype=object),
        }
    )

    assert_same(freeze(merge(*(summarize(part) for part in (table.iloc[:1_000], table.iloc[1_000:])))), profile(table))


@pytest.mark.parametrize("shape", ["normal", "lognormal", "zeros", "negative"])
def test_of_many_values_counts_are_exact_and_deciles_within_the_stated_error(shape: str) -> None:
    generator = np.random.default_rng(2)
    values = {
        "normal": generator.normal(size=50_000),
        "lognormal": generator.lognormal(0, 3, 50_000),
        "zeros": np.where(generator.random(50_000) < 0.4, 0.0, generator.normal(size=50_000)),
        "negative": -np.round(generator.lognormal(0, 1, 50_000), 3),
    }[shape]
    table = pd.DataFrame({"x": values})
    column = freeze(summarize(table)).columns[0]

    assert column.bins is not None
    assert column.sketch is not None
    assert observe(column, table["x"]).bins == column.bins
    theirs = profile(table).columns[0].bins
    assert theirs is not None
    assert len(column.bins.counts) == len(theirs.counts)
    ranks = np.searchsorted(np.sort(values), np.array(column.bins.edges[1:-1])) / len(values)  # type: ignore[index]
    exact = np.searchsorted(np.sort(values), np.array(theirs.edges[1:-1])) / len(values)  # type: ignore[index]
    assert np.abs(ranks - exact).max() <= column.sketch.rank_error + 1e-9


def test_other_rows_are_held_against_a_summary_as_against_the_table() -> None:
    generator = np.random.default_rng(5)
    before, after = (pd.DataFrame({"x": generator.lognormal(mean, 1, 20_000)}) for mean in (0, 0.5))
    exact = sketch(before["x"])
    ours = freeze(summarize(before)).columns[0].sketch
    current = sketch(after["x"])

    assert ours is not None
    for statistic in (kolmogorov_smirnov, wasserstein):
        told, theirs = statistic(ours, current), statistic(exact, current)
        assert told.value == pytest.approx(theirs.value, rel=0.02)


def test_many_strings_have_bins_for_the_frequent_ones_and_all_rows_are_counted() -> None:
    values = ["UA"] * 5_000 + ["AA"] * 3_000 + ["long" * 100] * 500 + [f"row {number}" for number in range(20_000)]
    column = freeze(summarize(pd.DataFrame({"word": values}))).columns[0]

    assert column.bins is not None
    assert column.bins.categories == ("UA", "AA")
    assert sum(column.bins.counts) + column.bins.other == len(values)
    assert column.known is None


def test_columns_that_cannot_be_profiled_say_why_and_an_empty_table_is_refused() -> None:
    table = pd.DataFrame({"mixed": [1, "late"], "list": [[1], [2]], "hour": [5, 6]})
    mixed, nested, hour = freeze(summarize(table)).columns

    assert (mixed.bins, nested.bins) == (None, None)
    assert "'late'" in str(mixed.problem)
    assert "list" in str(nested.problem)
    assert hour.problem is None
    with pytest.raises(InputError, match="no rows"):
        freeze(summarize(table.iloc[:0]))
