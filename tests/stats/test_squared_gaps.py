"""Rank statistics over values: against scipy's and published points, with ties, infinities and a million rows."""

from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.sketch import sketch
from cellops.errors import InputError
from cellops.stats.anderson_darling import anderson_darling, deviation
from cellops.stats.cramer_von_mises import cramer_von_mises
from cellops.stats.energy_distance import energy_distance
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov
from cellops.stats.normalised_wasserstein import normalised_wasserstein
from cellops.stats.squared_gaps import anderson_darling_tail, cramer_von_mises_tail
from cellops.stats.wasserstein import wasserstein

CLOSE = {"rel": 1e-10, "abs": 1e-10}
OVER_VALUES = [
    anderson_darling,
    cramer_von_mises,
    energy_distance,
    kolmogorov_smirnov,
    normalised_wasserstein,
    wasserstein,
]
every = pytest.mark.parametrize("statistic", OVER_VALUES, ids=lambda f: f.__name__)
relaxed = settings(deadline=None, max_examples=40)

tied = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=60)
spread = st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 6)), min_size=1, max_size=60)
samples = st.one_of(st.tuples(tied, tied), st.tuples(spread, spread), st.tuples(tied, spread))


@relaxed
@given(samples)
def test_cramer_von_mises_equals_scipy(pair: tuple[list[float], list[float]]) -> None:
    result = cramer_von_mises(*pair)
    if len({*pair[0], *pair[1]}) == 1 or min(map(len, pair)) == 1:
        return
    expected = scipy.stats.cramervonmises_2samp(*pair)
    assert result.value == pytest.approx(max(0.0, expected.statistic), **CLOSE)
    if result.method == "asymptotic" and not untied(pair):
        return  # scipy's is that of values that differ
    # scipy ends its series at terms below 1e-7
    assert result.p_value == pytest.approx(expected.pvalue, abs=1e-7 if result.method == "asymptotic" else 1e-10)


def untied(samples: Sequence[list[float]]) -> bool:
    """Whether no side holds a value twice; where one does, p-values are those given its ties."""
    return all(len(set(side)) == len(side) for side in samples)


@relaxed
@given(samples)
@pytest.mark.filterwarnings("ignore:p-value")
def test_anderson_darling_equals_scipy(pair: tuple[list[float], list[float]]) -> None:
    result = anderson_darling(*pair)
    if not result.computed:
        assert result.reason in {"constant", "not enough data"}
        return
    expected = scipy.stats.anderson_ksamp(pair, variant="midrank")
    assert (result.value - 1) / deviation([*map(len, pair)]) == pytest.approx(expected.statistic, **CLOSE)
    if untied(pair) and 0.002 < expected.pvalue < 0.24:
        assert result.p_value == pytest.approx(expected.pvalue, rel=0.06)


@pytest.mark.parametrize(("point", "share"), [(1.9329, 0.1), (2.4924, 0.05), (3.0775, 0.025), (3.8781, 0.01)])
def test_the_limit_of_anderson_darling_has_its_published_points(point: float, share: float) -> None:
    assert anderson_darling_tail(point) == pytest.approx(share, rel=2e-4)


@pytest.mark.parametrize(("point", "share"), [(0.34730, 0.1), (0.46136, 0.05), (0.74346, 0.01), (1.16786, 0.001)])
def test_the_limit_of_cramer_von_mises_has_its_published_points(point: float, share: float) -> None:
    assert cramer_von_mises_tail(point) == pytest.approx(share, rel=2e-4)


def test_far_tails_are_those_of_the_largest_weight() -> None:
    for x in (30.0, 100.0, 600.0):
        zolotarev = np.sqrt(3) * scipy.stats.chi2.sf(2 * x, 1)
        assert anderson_darling_tail(x) == pytest.approx(zolotarev, rel=0.5 / x)
    assert anderson_darling_tail(0.0) == cramer_von_mises_tail(0.0) == 1.0


@relaxed
@given(samples)
def test_energy_distance_equals_scipy(pair: tuple[list[float], list[float]]) -> None:
    expected = scipy.stats.energy_distance(*pair)
    assert energy_distance(*pair).value ** 2 == pytest.approx(expected**2, rel=1e-10, abs=1e-10)


def test_the_p_value_of_energy_distance_is_that_of_permutations() -> None:
    random = np.random.default_rng(1)
    for sides in (
        [random.normal(size=60), random.normal(0.5, 1, size=80)],
        [random.integers(0, 4, 60), random.integers(0, 5, 80)],
        [random.lognormal(size=60), random.lognormal(0.1, 1.3, size=80)],
    ):
        pooled, drawn = np.concatenate(sides), []
        for _ in range(500):
            random.shuffle(pooled)
            drawn.append(energy_distance(pooled[:60], pooled[60:]).value)
        seen = energy_distance(*sides)
        expected = np.mean(np.array(drawn) >= seen.value)
        assert seen.p_value == pytest.approx(expected, abs=0.01 + 3 * np.sqrt(expected / 500))


@relaxed
@given(samples)
def test_normalised_wasserstein_is_in_standard_deviations_of_the_reference(
    pair: tuple[list[float], list[float]],
) -> None:
    deviation = np.std(pair[0])
    result = normalised_wasserstein(*pair)
    if result.computed:
        expected = scipy.stats.wasserstein_distance(*pair) / deviation
        assert result.value == pytest.approx(expected, rel=1e-9, abs=1e-9)
    else:
        assert (len(set(pair[0])), result.reason) == (1, "constant")


@every
@relaxed
@given(samples)
def test_a_sketch_says_what_its_values_say(statistic, pair: tuple[list[float], list[float]]) -> None:
    assert statistic(*pair) == statistic(*[sketch(np.array(side)) for side in pair])


@every
@relaxed
@given(pair=samples, scale=st.sampled_from([0.25, 3.0, 1000.0]))
def test_the_unit_of_a_column_changes_no_effect_and_no_p_value(statistic, pair, scale: float) -> None:
    plain, scaled = (statistic(*[np.array(side) * unit for side in pair]) for unit in (1.0, scale))
    assert plain.reason == scaled.reason
    assert (plain.p_value is None) == (scaled.p_value is None)
    if plain.p_value is not None:
        assert scaled.p_value == pytest.approx(plain.p_value, rel=1e-6, abs=1e-12)
    if plain.effect is not None and statistic is not wasserstein:
        assert scaled.effect.value == pytest.approx(plain.effect.value, rel=1e-6, abs=1e-9)


@every
def test_missing_values_are_no_part_of_a_side(statistic) -> None:
    sides = [1.0, 2.0, 4.0, 4.0], [2.0, 3.0, 5.0]
    assert statistic([np.nan, *sides[0], np.nan], [*sides[1], np.nan]) == statistic(*sides)
    assert statistic([np.nan, np.nan], sides[1]).reason == "all missing"
    assert statistic([], sides[1]).reason == "all missing"


@every
@pytest.mark.parametrize("bad", ["text", [["a"]], [[1.0, 2.0]], 3.0, ["a", "b"]])
def test_what_is_no_row_of_numbers_is_refused(statistic, bad) -> None:
    with pytest.raises(InputError, match="Values must be"):
        statistic([1.0, 2.0], bad)


@every
def test_one_row_and_infinities_have_an_answer_or_a_reason(statistic) -> None:
    for sides in (([1.0], [2.0]), ([1.0], [1.0]), ([np.inf, 1.0, 2.0], [-np.inf, 3.0]), ([np.inf], [np.inf, -np.inf])):
        result = statistic(*sides)
        assert result.reason or np.isfinite(result.value)
        assert result.p_value is None or 0 <= result.p_value <= 1


def test_infinities_take_part_in_ranks_and_are_named_by_distances() -> None:
    sides = [1.0, 2.0, np.inf, -np.inf], [1.0, np.inf, np.inf, 5.0]
    finite = [1.0, 2.0, 1e9, -1e9], [1.0, 1e9, 1e9, 5.0]
    for statistic in (anderson_darling, cramer_von_mises, kolmogorov_smirnov):
        assert statistic(*sides) == statistic(*finite)
    for statistic in (energy_distance, wasserstein, normalised_wasserstein):
        assert statistic(*sides).reason == "infinite values"


def test_disjoint_supports_are_as_far_apart_as_can_be() -> None:
    low, high = np.arange(200.0), np.arange(200.0) + 1000
    for statistic in (anderson_darling, cramer_von_mises, energy_distance):
        result = statistic(low, high)
        assert result.p_value < 1e-12
        assert result.effect.low > 0.3
    assert anderson_darling(low, high).effect.value == 1.0


def test_a_grid_is_within_its_stated_error_or_refused() -> None:
    random = np.random.default_rng(3)
    for reference, current in (
        (random.normal(size=30_000), random.normal(0.05, 1, size=20_000)),
        (random.lognormal(0, 2, 30_000), random.lognormal(0, 2.1, 20_000)),
    ):
        sides = sketch(reference), sketch(current)
        for statistic in (energy_distance, normalised_wasserstein):
            on_grid, exact = statistic(*sides), statistic(reference, current)
            assert on_grid.error > 0
            assert on_grid.value == pytest.approx(exact.value, abs=on_grid.error)
        assert anderson_darling(*sides).reason == "known from a grid only"
        assert cramer_von_mises(*sides).reason == "known from a grid only"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1.7e308, 1e-310])
def test_the_largest_and_smallest_floats_break_nothing(scale: float) -> None:
    sides = np.random.default_rng(0).uniform(-1, 1, size=(2, 300)) * scale
    for statistic in OVER_VALUES:
        result = statistic(*sides)
        assert result.reason == "infinite values" or np.isfinite(result.value)


def test_a_million_rows() -> None:
    random = np.random.default_rng(4)
    sides = random.normal(size=1_000_000), random.normal(0.01, 1, size=1_000_000)
    for statistic in (anderson_darling, cramer_von_mises, energy_distance):
        assert statistic(*sides).p_value < 1e-4
    assert 0.005 < normalised_wasserstein(*np.round(sides, 2)).value < 0.015
