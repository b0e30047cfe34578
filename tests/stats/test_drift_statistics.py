"""The drift statistics against scipy's, and their treatment of empty bins, ties, infinities and disjoint supports."""

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cellops.data.sketch import sketch
from cellops.errors import InputError
from cellops.stats.benjamini_hochberg import benjamini_hochberg
from cellops.stats.chi_squared import chi_squared
from cellops.stats.jensen_shannon import jensen_shannon
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov
from cellops.stats.kullback_leibler import kullback_leibler
from cellops.stats.psi import psi
from cellops.stats.wasserstein import wasserstein

CLOSE = {"rel": 1e-10, "abs": 1e-10}


def tables(least: int) -> st.SearchStrategy[tuple[list[int], list[int]]]:
    counts = st.integers(least, 5000)
    return st.integers(2, 15).flatmap(
        lambda bins: st.tuples(*[st.lists(counts, min_size=bins, max_size=bins)] * 2).filter(
            lambda pair: sum(pair[0]) > 0 and sum(pair[1]) > 0
        )
    )


tied = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=60)
spread = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)
samples = st.one_of(st.tuples(tied, tied), st.tuples(spread, spread), st.tuples(tied, spread))


@given(tables(1))
def test_divergences_equal_scipy_where_no_bin_is_empty(pair: tuple[list[int], list[int]]) -> None:
    p, q = (np.array(side) / sum(side) for side in pair)
    there, back = scipy.stats.entropy(q, p), scipy.stats.entropy(p, q)
    assert kullback_leibler(*pair).value == pytest.approx(there, **CLOSE)
    assert psi(*pair).value == pytest.approx(there + back, **CLOSE)


@given(tables(0))
def test_jensen_shannon_equals_scipy(pair: tuple[list[int], list[int]]) -> None:
    expected = scipy.spatial.distance.jensenshannon(*pair, base=2) ** 2
    assert jensen_shannon(*pair).value ** 2 == pytest.approx(expected, **CLOSE)


@given(tables(0))
def test_kullback_leibler_equals_scipy_when_only_the_current_side_has_empty_bins(
    pair: tuple[list[int], list[int]],
) -> None:
    reference = [count + 1 for count in pair[0]]
    assert kullback_leibler(reference, pair[1]).value == pytest.approx(scipy.stats.entropy(pair[1], reference), **CLOSE)


def test_an_empty_bin_counts_as_half_a_row() -> None:
    assert psi([100, 0], [50, 50]).value == psi([200, 1], [200, 200]).value
    assert kullback_leibler([100, 0], [50, 50]).value == kullback_leibler([200, 1], [50, 50]).value


def test_bins_empty_on_both_sides_change_nothing() -> None:
    for statistic in (psi, jensen_shannon, kullback_leibler, chi_squared):
        assert statistic([60, 0, 40, 0], [30, 0, 70, 0]) == statistic([60, 40], [30, 70])


@given(tables(5))
def test_chi_squared_equals_scipy_where_enough_rows_are_expected(pair: tuple[list[int], list[int]]) -> None:
    expected = scipy.stats.chi2_contingency(pair, correction=False)
    if expected.expected_freq.min() < 5:
        return
    result = chi_squared(*pair)
    assert result.value == pytest.approx(expected.statistic, **CLOSE)
    assert result.p_value == pytest.approx(expected.pvalue, **CLOSE)


def test_chi_squared_pools_rare_bins() -> None:
    pooled = chi_squared([500, 400, 3, 2, 1], [480, 410, 1, 0, 6])
    expected = scipy.stats.chi2_contingency([[500, 400, 6], [480, 410, 7]], correction=False)
    assert pooled.value == pytest.approx(expected.statistic)
    assert pooled.p_value == pytest.approx(expected.pvalue)


def test_chi_squared_adds_the_next_rarest_bin_to_a_pool_that_is_too_small() -> None:
    pooled = chi_squared([500, 40, 1], [480, 50, 0])
    expected = scipy.stats.chi2_contingency([[500, 41], [480, 50]], correction=False)
    assert pooled.p_value == pytest.approx(expected.pvalue)


def test_chi_squared_needs_two_bins_that_can_be_told_apart() -> None:
    assert chi_squared([100, 0], [50, 0]).reason == "constant"
    assert chi_squared([100, 1], [50, 0]).reason == "not enough data"


def test_chi_squared_keeps_its_size_on_rare_categories() -> None:
    random = np.random.default_rng(7)
    shares = np.array([0.5, 0.3, 0.19] + [0.001] * 10)
    reference, windows = random.multinomial(20_000, shares), random.multinomial(400, shares, size=400)
    p_values = np.array([chi_squared(reference, window).p_value for window in windows])
    assert np.mean(p_values < 0.05) == pytest.approx(0.05, abs=0.035)


@given(samples.filter(lambda pair: len(pair[0]) + len(pair[1]) > 2))  # one row a side: scipy's p-value is NaN
def test_kolmogorov_smirnov_equals_scipy(pair: tuple[list[float], list[float]]) -> None:
    expected = scipy.stats.ks_2samp(*pair, method="asymp")
    result = kolmogorov_smirnov(*[sketch(np.array(side)) for side in pair])
    assert result.value == pytest.approx(expected.statistic, **CLOSE)
    assert result.p_value == pytest.approx(expected.pvalue, **CLOSE)


@given(samples)
def test_wasserstein_equals_scipy(pair: tuple[list[float], list[float]]) -> None:
    expected = scipy.stats.wasserstein_distance(*pair)
    result = wasserstein(*[sketch(np.array(side)) for side in pair])
    assert result.value == pytest.approx(expected, **CLOSE)


def test_infinities_take_part_in_kolmogorov_smirnov_and_are_named_by_wasserstein() -> None:
    reference, current = np.array([1.0, 2.0, np.inf, -np.inf]), np.array([1.0, np.inf, np.inf, 5.0])
    expected = scipy.stats.ks_2samp(reference, current, method="asymp")
    sides = sketch(reference), sketch(current)
    assert kolmogorov_smirnov(*sides).value == expected.statistic
    assert kolmogorov_smirnov(*sides).p_value == pytest.approx(expected.pvalue)
    assert wasserstein(*sides).reason == "infinite values"


def test_disjoint_supports() -> None:
    low, high = sketch(np.arange(200.0)), sketch(np.arange(200.0) + 1000)
    assert kolmogorov_smirnov(low, high).value == 1
    assert kolmogorov_smirnov(low, high).p_value < 1e-12
    assert wasserstein(low, high).value == pytest.approx(1000)


def test_a_distance_beyond_the_largest_float_is_named() -> None:
    largest = 1.7e308
    assert wasserstein(sketch(np.array([-largest])), sketch(np.array([largest]))).reason == "infinite values"


@pytest.mark.parametrize("shift", [0.0, 0.05, 1.0])
def test_a_grid_is_within_its_stated_error(shift: float) -> None:
    random = np.random.default_rng(3)
    reference = np.concatenate([random.normal(size=30_000), np.zeros(20_000)])
    current = np.concatenate([random.normal(size=20_000) + shift, np.zeros(9_000)])
    sides = sketch(reference), sketch(current)
    error = sum(side.rank_error for side in sides)
    assert 0 < error < 0.003
    expected = scipy.stats.ks_2samp(reference, current, method="asymp")
    assert kolmogorov_smirnov(*sides).value == pytest.approx(expected.statistic, abs=error)
    distance = scipy.stats.wasserstein_distance(reference, current)
    assert wasserstein(*sides).value == pytest.approx(distance, abs=0.003)


@given(st.lists(st.floats(0, 1), max_size=40))
def test_benjamini_hochberg_equals_scipy(p_values: list[float]) -> None:
    expected = scipy.stats.false_discovery_control(p_values) if p_values else np.zeros(0)
    assert benjamini_hochberg(p_values) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("bad", [[0.1, 1.2], [-0.1], [float("nan")]])
def test_benjamini_hochberg_refuses_what_is_no_p_value(bad: list[float]) -> None:
    with pytest.raises(InputError):
        benjamini_hochberg(bad)
