"""The share of missing values on its own, against published figures."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from cellops.data.profile import observe, profile_column
from cellops.monitoring.missingness import difference, missingness
from cellops.records.drift import StatisticResult
from cellops.stats.proportion import proportion


def moved(before: tuple[int, int], after: tuple[int, int]) -> StatisticResult:
    """The result for so many missing values among so many rows."""
    columns = [np.where(np.arange(rows) < missing, np.nan, np.arange(rows) % 3) for missing, rows in (before, after)]
    reference = profile_column("x", columns[0])
    return missingness(reference, observe(reference, columns[1]))


def test_the_test_is_that_of_two_proportions() -> None:
    result = moved((20, 1000), (70, 1000))
    expected = chi2_contingency([[980, 20], [930, 70]], correction=False)
    assert result.value == pytest.approx(0.05)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert result.statistic == "missing"
    assert result.effect.low < 0.05 < result.effect.high


@pytest.mark.parametrize(
    ("first", "second", "low", "high"), [((56, 70), (48, 80), 0.0524, 0.3339), ((10, 10), (0, 20), 0.6791, 1.0)]
)
def test_the_interval_is_the_published_one(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe 1998, table II, method 10, contrasts (a) and (g)."""
    effect = difference(proportion("x", *second), proportion("x", *first))
    assert (effect.low, effect.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_fewer_missing_values_are_a_negative_effect() -> None:
    result = moved((300, 1000), (100, 1000))
    assert result.value == pytest.approx(0.2)
    assert result.effect.value == pytest.approx(-0.2)


def test_nothing_but_missing_values_on_both_sides_is_constant() -> None:
    result = moved((500, 500), (300, 300))
    assert (result.computed, result.reason) == (False, "constant")
