"""Many rows beside few points: every figure equals that of the same rows read point by point, and scipy's."""

import numpy as np
import pytest
import scipy.stats
from scipy.stats import kstwo

from cellops.data.sketch import sketch
from cellops.errors import InputError
from cellops.stats.anderson_darling import anderson_darling, deviation
from cellops.stats.cramer_von_mises import cramer_von_mises
from cellops.stats.distribution import Distribution
from cellops.stats.energy_distance import energy_distance
from cellops.stats.gaps import few_and_many, gaps, largest_gap
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov
from cellops.stats.normalised_wasserstein import normalised_wasserstein
from cellops.stats.samples import distribution
from cellops.stats.smirnov import kolmogorov_tail
from cellops.stats.wasserstein import wasserstein

CLOSE = {"rel": 1e-10, "abs": 1e-10}
ROWS = 20_000


def cases() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(0)
    normal, other, cauchy = random.normal(size=ROWS), random.normal(0.02, 1, ROWS), random.standard_cauchy(ROWS)
    return {
        "exact": (normal.round(2), other),
        "exact and tied": (normal.round(2), other.round(5)),
        "coarse beside lightly tied": (normal.round(1), other.round(4)),
        "with a lump": (np.append(np.zeros(9000), normal.round(1)), np.append(np.zeros(5000), other)),
        "far from zero": (1e6 + normal.round(2), 1e6 + other),
        "disjoint": (normal.round(2), other + 100),
        "within a gap": (np.repeat([-50.0, 50.0], 30), other),
        "one value": (np.zeros(50), other),
        "values of the other side": (other[:300], other),
        "grid": (normal, other),
        "grid of a heavy tail": (cauchy, random.standard_cauchy(ROWS)),
        "grid with a lump": (np.append(np.zeros(9000), normal.round(4)), np.append(np.zeros(5000), other.round(4))),
        "grid far below": (normal - 100, other),
    }


def by_points(rows: Distribution) -> Distribution:
    return Distribution(rows.points, rows=rows.rows)


each = pytest.mark.parametrize("case", cases())


@each
def test_the_quick_way_says_what_the_plain_one_says(case: str) -> None:
    reference, current = (distribution(side) for side in (sketch(cases()[case][0]), cases()[case][1]))
    plain = by_points(current)
    assert few_and_many(reference, current) is not None
    assert few_and_many(reference, plain) is None
    for statistic in (
        anderson_darling,
        cramer_von_mises,
        energy_distance,
        kolmogorov_smirnov,
        normalised_wasserstein,
        wasserstein,
    ):
        quick, slow = statistic(reference, current), statistic(reference, plain)
        assert (quick.reason, quick.method) == (slow.reason, slow.method)
        assert quick.error == pytest.approx(slow.error, rel=1e-10)
        if not quick.computed:
            continue
        assert quick.value == pytest.approx(slow.value, rel=1e-10, abs=1e-12)
        assert quick.effect.value == pytest.approx(slow.effect.value, rel=1e-10, abs=1e-12)
        assert (quick.effect.low, quick.effect.high) == pytest.approx((slow.effect.low, slow.effect.high), rel=1e-4)
        if quick.p_value is not None:
            rough = {energy_distance: 1e-3, anderson_darling: 1e-5, cramer_von_mises: 1e-5}.get(statistic, 1e-9)
            assert quick.p_value == pytest.approx(slow.p_value, rel=rough)


@each
def test_the_largest_gap_alone_is_that_of_all_of_them(case: str) -> None:
    reference, current = (distribution(side) for side in (sketch(cases()[case][0]), cases()[case][1]))
    alone = largest_gap(reference, current)
    assert alone == pytest.approx(largest_gap(current, reference), rel=1e-12)
    assert alone == pytest.approx(gaps(reference, current).largest, rel=1e-12, abs=1e-14)


@pytest.mark.filterwarnings("ignore:p-value")
@pytest.mark.parametrize(
    "case", ["exact", "exact and tied", "with a lump", "disjoint", "one value", "values of the other side"]
)
def test_the_quick_way_equals_scipy(case: str) -> None:
    pair = cases()[case]
    sides = [distribution(sketch(pair[0])), distribution(pair[1])]
    expected = scipy.stats.anderson_ksamp(pair, variant="midrank").statistic
    standing = (anderson_darling(*sides).value - 1) / deviation([*map(len, pair)])
    assert standing == pytest.approx(expected, **CLOSE)
    assert wasserstein(*sides).value == pytest.approx(scipy.stats.wasserstein_distance(*pair), **CLOSE)
    assert energy_distance(*sides).value == pytest.approx(scipy.stats.energy_distance(*pair), rel=1e-9)
    ours, theirs = kolmogorov_smirnov(*sides), scipy.stats.ks_2samp(*pair, method="asymp")
    assert ours.value == pytest.approx(theirs.statistic, **CLOSE)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-10, abs=1e-300)
    seen = cramer_von_mises(*sides).value
    assert seen == pytest.approx(scipy.stats.cramervonmises_2samp(*pair).statistic, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("rows", [1000, 5000, 30_000])
def test_the_tail_of_the_largest_gap_equals_scipy(rows: int) -> None:
    for squared in (0.3, 1.0, 2.1999, 2.2001, 4.0, 30.0, 200.0):
        gap = np.sqrt(squared / rows)
        assert kolmogorov_tail(gap, rows) == pytest.approx(kstwo.sf(gap, rows), rel=1e-10)


def test_a_distribution_stands_for_its_values() -> None:
    values = np.array([3.0, np.nan, 1.0, 2.0, 2.0])
    shared = distribution(values)
    assert distribution(shared) is shared
    ascending = distribution(np.array([1.0, 2.0, 2.0, 3.0]), ascending=True)
    for side in (shared, ascending):
        assert wasserstein([0.0, 4.0], side) == wasserstein([0.0, 4.0], values)
    with pytest.raises(InputError, match="do not ascend"):
        distribution(values, ascending=True)


def test_a_million_rows_beside_a_grid() -> None:
    random = np.random.default_rng(1)
    reference, current = random.normal(size=50_000), random.normal(0.01, 1, 1_000_000)
    sides = sketch(reference), distribution(current)
    for statistic in (kolmogorov_smirnov, wasserstein):
        result = statistic(*sides)
        assert result.value == pytest.approx(statistic(reference, current).value, abs=result.error)
