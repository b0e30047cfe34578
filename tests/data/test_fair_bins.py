"""Bins that neither side chose: a test over them rejects in no more than its level."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from cellops.data.fair_bins import fair_counts
from cellops.data.profile import observe, profile_column
from cellops.stats.chi_squared import chi_squared
from cellops.stats.counts import counts_of


def sides(before: list[object], after: list[object]) -> tuple[list[float], list[float]]:
    reference = profile_column("column", pd.Series(before))
    first, second = fair_counts(reference, observe(reference, pd.Series(after)))
    return first.tolist(), second.tolist()


def test_a_category_that_stands_out_keeps_its_bin() -> None:
    assert sides(["a"] * 60 + ["b"] * 40, ["a"] * 50 + ["b"] * 50) == ([60, 40, 0, 0, 0], [50, 50, 0, 0, 0])


def test_one_that_may_have_its_bin_by_luck_is_counted_with_the_rest() -> None:
    before, after = sides(["a"] * 80 + ["b"] * 11 + ["c"] * 4 + [None], ["a"] * 70 + ["b"] * 7)
    assert (before, after) == ([80, 15, 0, 1], [70, 7, 0, 0])


def test_a_new_category_stands_alone_where_there_are_more_rows_of_it_than_rare_ones_let_expect() -> None:
    few, known = ["a"] * 60 + ["b"] * 40 + ["c"] * 4 + ["d"] * 4, ["a"] * 50 + ["b"] * 50
    assert sides(few, [*known, "new"]) == ([60, 40, 8, 0, 0], [50, 50, 1, 0, 0])
    assert sides(few, known + ["new"] * 20) == ([60, 40, 6, 2, 0], [50, 50, 0, 20, 0])


def test_it_is_the_same_whichever_side_has_how_many_of_them() -> None:
    first, then = sides(["a"] * 300 + ["b"] * 70 + ["c"] * 30, ["a"] * 300 + ["b"] * 30 + ["c"] * 70)
    assert (first, then) == ([300, 70, 30, 0, 0, 0], [300, 30, 70, 0, 0, 0])
    first, then = sides(["a"] * 300 + ["b"] * 11 + ["c"] * 7, ["a"] * 300 + ["b"] * 7 + ["c"] * 11)
    assert first == then == [300, 18, 0, 0]


def test_numbers_booleans_and_columns_without_a_value_are_as_they_were_frozen() -> None:
    for before, after in (
        (np.arange(100.0), np.arange(50.0)),
        ([True] * 5 + [False] * 95, [True] * 9 + [False] * 91),
        ([None] * 9, ["new"] * 3),
    ):
        reference = profile_column("column", pd.Series(before))
        current = observe(reference, pd.Series(after))
        first, second = fair_counts(reference, current)
        assert first.tolist() == counts_of(reference.bins).tolist()
        assert second.tolist() == counts_of(current.bins).tolist()


def test_many_categories_hold_the_level_that_frozen_bins_do_not() -> None:
    random = np.random.default_rng(0)
    rows = np.array([f"category {place}" for place in random.integers(70, size=40_000)])
    frozen = fair = 0
    for _ in range(80):
        places = random.permutation(len(rows))[:4000]
        reference = profile_column("column", pd.Series(rows[places[:2000]]))
        current = observe(reference, pd.Series(rows[places[2000:]]))
        frozen += chi_squared(counts_of(reference.bins), counts_of(current.bins)).p_value <= 0.01
        fair += (chi_squared(*fair_counts(reference, current)).p_value or 1.0) <= 0.01
    assert binomtest(fair, 80, 0.01, alternative="greater").pvalue > 1e-4
    assert binomtest(frozen, 80, 0.01, alternative="greater").pvalue < 1e-3


def test_rare_categories_that_are_all_replaced_are_found() -> None:
    random = np.random.default_rng(1)
    before = [f"category {place}" for place in random.integers(80, size=2000)]
    reference = profile_column("column", pd.Series(before))
    counts = fair_counts(reference, observe(reference, pd.Series(["new"] * 2000)))
    assert chi_squared(*counts).p_value < 1e-12
