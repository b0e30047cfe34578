"""Several samples at once: against scipy, the two-sample form and the paper's tables."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cellops.data.sketch import sketch
from cellops.errors import InputError
from cellops.stats.anderson_darling import anderson_darling, deviation
from cellops.stats.anderson_darling_k import anderson_darling_k
from cellops.stats.squared_gaps import anderson_darling_tail

CLOSE = {"rel": 1e-10, "abs": 1e-10}
tied = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=40)
spread = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


@pytest.mark.filterwarnings("ignore:p-value")
@settings(deadline=None, max_examples=60)
@example([[0.0], [0.0], [0.0], [1.0]])
@given(st.lists(tied | spread, min_size=2, max_size=6))
def test_it_equals_scipy(samples: list[list[float]]) -> None:
    result = anderson_darling_k(samples)
    if not result.computed:
        assert result.reason in {"constant", "not enough data"}
        return
    if all(len(sample) == 1 for sample in samples):  # there is only one figure, and scipy divides by zero
        assert result.p_value == 1
        return
    expected = scipy.stats.anderson_ksamp(samples, variant="midrank")
    standing = (result.value - len(samples) + 1) / deviation([*map(len, samples)])
    assert standing == pytest.approx(expected.statistic, **CLOSE)
    untied = all(len(set(sample)) == len(sample) for sample in samples)  # else it is that given the ties
    if untied and 0.002 < expected.pvalue < 0.24:
        assert result.p_value == pytest.approx(expected.pvalue, rel=0.06)


@settings(deadline=None, max_examples=30)
@given(st.lists(tied | spread, min_size=2, max_size=2))
def test_two_samples_are_the_two_sample_test(samples: list[list[float]]) -> None:
    several, two = anderson_darling_k(samples), anderson_darling(*samples)
    assert several.reason == two.reason
    if two.computed:
        assert several.value == pytest.approx(two.value, **CLOSE)
        assert several.p_value == pytest.approx(two.p_value, rel=1e-8)
        assert several.effect == two.effect


@pytest.mark.parametrize(
    ("samples", "points"),
    [
        (3, (1.309, 1.945, 2.576, 3.414)),
        (4, (1.324, 1.915, 2.493, 3.246)),
        (5, (1.329, 1.894, 2.438, 3.139)),
        (7, (1.332, 1.859, 2.365, 3.005)),
        (11, (1.329, 1.823, 2.284, 2.862)),
    ],
)
def test_the_limit_has_the_points_of_the_paper(samples: int, points: tuple[float, ...]) -> None:
    # Table 1 of Scholz and Stephens, themselves approximated by Pearson curves.
    mean = samples - 1
    unit = np.sqrt(mean * 2 * (np.pi**2 - 9) / 3)
    for point, share in zip(points, (0.1, 0.05, 0.025, 0.01), strict=True):
        assert anderson_darling_tail(mean + unit * point, samples=samples) == pytest.approx(share, rel=0.03)


def test_the_limit_far_out_is_that_of_its_largest_weight() -> None:
    # Two degrees for each weight: P(Q > x) begins with 3 exp(-x).
    assert anderson_darling_tail(40.0, samples=3) == pytest.approx(3 * np.exp(-40.0), rel=1e-10)


@pytest.mark.parametrize("digits", [15, 0])
def test_the_p_value_is_uniform_where_windows_do_not_differ(digits: int) -> None:
    random = np.random.default_rng(2)
    p_values = [anderson_darling_k(list(random.normal(size=(4, 40)).round(digits))).p_value for _ in range(300)]
    assert scipy.stats.kstest(p_values, "uniform").pvalue > 0.01


def test_a_sample_without_values_has_a_reason_and_one_sample_is_refused() -> None:
    assert anderson_darling_k([[1.0, 2.0], [np.nan], [3.0]]).reason == "all missing"
    assert anderson_darling_k([[1.0], [1.0, 1.0], [1.0, 1.0]]).reason == "constant"
    grid = sketch(np.random.default_rng(0).normal(size=5000))
    assert anderson_darling_k([grid, [1.0, 2.0], [3.0]]).reason == "known from a grid only"
    with pytest.raises(InputError, match="nothing to compare"):
        anderson_darling_k([[1.0, 2.0]])
