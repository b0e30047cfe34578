"""The statistics over bins that came later: against scipy's and published tables."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.errors import InputError
from cellops.stats.chi_squared import chi_squared
from cellops.stats.fisher import fisher
from cellops.stats.g_test import g_test
from cellops.stats.hellinger import hellinger
from cellops.stats.psi import psi
from cellops.stats.total_variation import total_variation

CLOSE = {"rel": 1e-10, "abs": 1e-10}
relaxed = settings(deadline=None, max_examples=50)


def tables(least: int, bins: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[list[int], list[int]]]:
    counts = st.integers(least, 2000)
    return bins.flatmap(lambda k: st.tuples(*[st.lists(counts, min_size=k, max_size=k)] * 2)).filter(
        lambda pair: sum(pair[0]) > 0 and sum(pair[1]) > 0
    )


@relaxed
@given(tables(5, st.integers(2, 15)))
def test_the_g_test_equals_scipy_where_enough_rows_are_expected(pair: tuple[list[int], list[int]]) -> None:
    expected = scipy.stats.chi2_contingency(pair, correction=False, lambda_="log-likelihood")
    result = g_test(*pair)
    assert result.value == pytest.approx(expected.statistic, **CLOSE)
    if expected.expected_freq.min() >= 5:
        assert (result.p_value, result.method) == (pytest.approx(expected.pvalue, **CLOSE), "asymptotic")


@relaxed
@given(tables(0, st.integers(1, 15)))
def test_distances_equal_their_formulas(pair: tuple[list[int], list[int]]) -> None:
    p, q = (np.array(side) / sum(side) for side in pair)
    coefficient = np.sum(np.sqrt(p * q))
    assert hellinger(*pair).value ** 2 == pytest.approx(1 - coefficient, **CLOSE)
    assert total_variation(*pair).value == pytest.approx(np.maximum(p - q, 0).sum(), **CLOSE)
    lower, upper = hellinger(*pair).value ** 2, hellinger(*pair).value * np.sqrt(2)
    assert lower - 1e-9 <= total_variation(*pair).value <= upper + 1e-9


@relaxed
@given(tables(0, st.integers(2, 12)), st.randoms(use_true_random=False))
def test_the_order_of_bins_is_all_the_same(pair: tuple[list[int], list[int]], random) -> None:
    order = list(range(len(pair[0])))
    random.shuffle(order)
    for statistic in (g_test, hellinger, total_variation):
        plain, mixed = statistic(*pair), statistic(*[[side[i] for i in order] for side in pair])
        assert mixed.reason == plain.reason
        if plain.computed:
            assert mixed.value == pytest.approx(plain.value, **CLOSE)


@relaxed
@given(tables(0, st.just(2)))
def test_fisher_equals_scipy_for_two_bins(pair: tuple[list[int], list[int]]) -> None:
    result = fisher(*pair)
    if result.computed:
        assert result.p_value == pytest.approx(scipy.stats.fisher_exact(pair).pvalue, **CLOSE)
        assert result.value == pytest.approx(scipy.stats.contingency.association(pair), abs=1e-9)


def test_fisher_knows_the_lady_who_tastes_tea() -> None:
    assert fisher([3, 1], [1, 3]).p_value == pytest.approx(34 / 70)
    assert fisher([4, 0], [0, 4]).p_value == pytest.approx(2 / 70)


@pytest.mark.parametrize("pair", [([5, 0, 2], [1, 4, 3]), ([3, 3, 3, 1], [0, 2, 5, 4]), ([8, 1, 1], [2, 6, 2])])
def test_random_tables_agree_with_all_tables(pair: tuple[list[int], list[int]]) -> None:
    both = np.sum(pair, axis=0)
    every = np.array([t for t in itertools.product(*[range(n + 1) for n in both]) if sum(t) == sum(pair[1])])
    chances = scipy.stats.multivariate_hypergeom.pmf(every, both, sum(pair[1]))
    seen = scipy.stats.multivariate_hypergeom.pmf(pair[1], both, sum(pair[1]))
    expected = chances[chances <= seen * (1 + 1e-7)].sum()
    result = fisher(*pair)
    assert result.p_value == pytest.approx(expected, abs=4 * np.sqrt(expected / 9999))
    assert result == fisher(*pair)
    assert fisher(*pair[::-1]).p_value == pytest.approx(expected, abs=4 * np.sqrt(expected / 9999))


def test_fisher_needs_whole_rows() -> None:
    with pytest.raises(InputError, match="whole rows"):
        fisher([1.5, 2], [3, 4])


def test_fisher_of_a_million_rows_agrees_with_chi_squared() -> None:
    random = np.random.default_rng(1)
    two, four = random.multinomial(1_000_000, [0.3, 0.7], 2), random.multinomial(1_000_000, [0.1, 0.2, 0.3, 0.4], 2)
    assert fisher(*two).p_value == pytest.approx(chi_squared(*two).p_value, abs=0.01)
    assert fisher(*four).p_value == pytest.approx(chi_squared(*four).p_value, abs=0.02)


def test_the_interval_of_two_shares_is_newcombes() -> None:
    published = fisher([14, 56], [32, 48]).effect  # 56 of 70 against 48 of 80: his table II, example a
    assert (published.value, published.low, published.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize("shift", [0.0, 0.03, 0.2])
def test_intervals_hold_what_they_promise(shift: float) -> None:
    random = np.random.default_rng(6)
    before = np.array([0.4, 0.3, 0.2, 0.1])
    after = before + np.array([-shift, 0, 0, shift])
    truth = {
        psi: np.sum((after - before) * np.log(after / before)),
        hellinger: np.sqrt(1 - np.sum(np.sqrt(before * after))),
        total_variation: shift,
        chi_squared: np.sqrt(np.sum((before - after) ** 2 / (before + after)) / 2),
    }
    held = dict.fromkeys(truth, 0)
    for pair in zip(random.multinomial(900, before, 300), random.multinomial(900, after, 300), strict=True):
        for statistic, true in truth.items():
            effect = statistic(*pair).effect
            held[statistic] += effect.low - 1e-12 <= true <= effect.high + 1e-12
    assert min(held.values()) >= 0.92 * 300
