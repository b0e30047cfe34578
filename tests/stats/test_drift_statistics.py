"""The drift statistics against scipy's, and their treatment of empty bins, ties, infinities and disjoint supports."""

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given, settings
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


def test_a_shift_spread_over_rare_bins_is_tested_in_groups_of_them() -> None:
    result = chi_squared([500, 400, 3, 2, 1, 4], [480, 410, 1, 2, 4, 2])
    expected = scipy.stats.chi2_contingency([[500, 400, 5, 1, 4], [480, 410, 3, 4, 2]], correction=False)
    assert result.p_value == pytest.approx(min(1.0, 2 * expected.pvalue))


def test_a_shift_into_one_rare_bin_is_tested_exactly() -> None:
    result = chi_squared([500, 400, 0], [480, 410, 9])
    one_sided = scipy.stats.binomtest(9, 9, 899 / 1799, alternative="greater").pvalue
    assert result.p_value == pytest.approx(2 * 2 * one_sided)


@pytest.mark.parametrize("rows", [100, 240])
@pytest.mark.parametrize("bins", [10, 50, 200])
def test_rows_in_bins_that_the_reference_never_had_are_never_lost_among_rare_ones(bins: int, rows: int) -> None:
    nothing, reference = np.zeros(bins), np.full(bins, 5000 // bins)
    assert chi_squared([*reference, 0], [*nothing, rows]).p_value < 1e-100
    known = np.random.default_rng(0).multinomial(rows - 10, np.full(bins, 1 / bins))
    assert chi_squared([*reference, 0], [*known, 10]).p_value < 1e-10
    assert chi_squared([*reference, 0], [rows, *nothing]).p_value < 1e-100


def test_chi_squared_needs_two_bins_that_can_be_told_apart() -> None:
    assert chi_squared([100, 0], [50, 0]).reason == "constant"
    assert chi_squared([100, 1], [50, 0]).p_value == 1.0


@pytest.mark.parametrize(
    ("shares", "reference_rows", "rows"),
    [
        ([0.5, 0.3, 0.19] + [0.001] * 10, 20_000, 400),
        ([0.02] * 50, 5000, 100),
        ([0.005] * 200, 3000, 240),
        ([0.1] * 10, 400, 120),
    ],
)
def test_chi_squared_keeps_its_size_on_rare_categories(shares: list[float], reference_rows: int, rows: int) -> None:
    random = np.random.default_rng(7)
    p_values = [
        chi_squared(random.multinomial(reference_rows, shares), window).p_value
        for window in random.multinomial(rows, shares, size=600)
    ]
    for level in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p_values) < level) <= level + 3 * np.sqrt(level / 600)


def test_chi_squared_agrees_with_random_tables_where_bins_are_rare() -> None:
    random = np.random.default_rng(2)
    for shift, drifted in (([0.02] * 50, False), ([0.004, 0.036] * 25, True)):
        pair = random.multinomial(4000, [0.02] * 50), random.multinomial(150, shift)
        drawn = scipy.stats.PermutationMethod(n_resamples=999, rng=random)
        expected = scipy.stats.chi2_contingency(pair, correction=False, method=drawn)
        assert chi_squared(*pair).value == pytest.approx(expected.statistic)
        assert (expected.pvalue < 0.01, chi_squared(*pair).p_value < 0.01) == (drifted, drifted)


@pytest.mark.filterwarnings("ignore:ks_2samp. Exact calculation unsuccessful:RuntimeWarning")
@settings(deadline=None)
@given(samples)
def test_kolmogorov_smirnov_equals_scipy(pair: tuple[list[float], list[float]]) -> None:
    expected = scipy.stats.ks_2samp(*pair, method="exact")
    result = kolmogorov_smirnov(*[sketch(np.array(side)) for side in pair])
    assert result.value == pytest.approx(expected.statistic, **CLOSE)
    assert result.p_value == pytest.approx(expected.pvalue, **CLOSE)


@settings(deadline=None)
@given(samples)
def test_wasserstein_equals_scipy(pair: tuple[list[float], list[float]]) -> None:
    expected = scipy.stats.wasserstein_distance(*pair)
    result = wasserstein(*[sketch(np.array(side)) for side in pair])
    assert result.value == pytest.approx(expected, **CLOSE)


def test_kolmogorov_smirnov_of_many_rows_is_asymptotic() -> None:
    random = np.random.default_rng(1)
    pair = random.normal(size=700), random.normal(0.1, size=900)
    expected = scipy.stats.ks_2samp(*pair, method="asymp")
    assert kolmogorov_smirnov(*map(sketch, pair)).p_value == pytest.approx(expected.pvalue)


def test_infinities_take_part_in_kolmogorov_smirnov_and_are_named_by_wasserstein() -> None:
    reference, current = np.array([1.0, 2.0, np.inf, -np.inf]), np.array([1.0, np.inf, np.inf, 5.0])
    expected = scipy.stats.ks_2samp(reference, current, method="exact")
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
    assert 0 < wasserstein(*sides).error < 2e-3
    assert wasserstein(*sides).value == pytest.approx(distance, abs=wasserstein(*sides).error)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("draw", ["standard_cauchy", "lognormal", "pareto", "two lumps"])
def test_heavy_tails_are_within_the_stated_error(draw: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    sides = [
        {
            "standard_cauchy": lambda: random.standard_cauchy(60_000),
            "lognormal": lambda: random.lognormal(0, 3, 60_000),
            "pareto": lambda: random.pareto(0.8, 60_000),
            "two lumps": lambda: np.concatenate([random.normal(size=59_990), random.normal(1e9, size=10)]),
        }[draw]()
        for _ in range(2)
    ]
    result = wasserstein(*map(sketch, sides))
    expected = scipy.stats.wasserstein_distance(*sides)
    assert result.error < 0.35 * expected
    assert result.value == pytest.approx(expected, abs=result.error, rel=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("states", [True, False])
@pytest.mark.parametrize("scale", [1.7e308, 1e-310])
def test_the_largest_and_smallest_floats_overflow_nowhere(scale: float, states: bool) -> None:
    random = np.random.default_rng(0)
    columns = random.choice([-1, 1], size=(2, 5000)) * random.uniform(0.9, 1, size=(2, 5000)) * scale
    here, there = (sketch(column) if states else sketch(column).replace(distance_error=None) for column in columns)
    result = wasserstein(here, there)
    expected = scipy.stats.wasserstein_distance(*(columns / scale / 2)) * scale * 2
    assert result.value == pytest.approx(expected, abs=result.error, rel=1e-6)
    assert 0 < result.error < 0.01 * scale
    assert 0 < kolmogorov_smirnov(here, there).value < 0.1


def test_a_grid_that_does_not_state_its_distance_has_the_largest_possible_error() -> None:
    reference, current = np.random.default_rng(0).normal(size=(2, 9000))
    old = [side.replace(below=(), distance_error=None) for side in map(sketch, (reference, current))]
    result = wasserstein(*old)
    assert result.value == pytest.approx(scipy.stats.wasserstein_distance(reference, current), abs=result.error)
    assert result.error < 0.01


@given(st.lists(st.floats(0, 1), max_size=40))
def test_benjamini_hochberg_equals_scipy(p_values: list[float]) -> None:
    expected = scipy.stats.false_discovery_control(p_values) if p_values else np.zeros(0)
    assert benjamini_hochberg(p_values) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("bad", [[0.1, 1.2], [-0.1], [float("nan")]])
def test_benjamini_hochberg_refuses_what_is_no_p_value(bad: list[float]) -> None:
    with pytest.raises(InputError):
        benjamini_hochberg(bad)
