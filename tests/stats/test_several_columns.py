"""The statistics over several columns at once: against their formulas, and with missing and constant columns."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from cellops.stats.domain_classifier import domain_classifier
from cellops.stats.maximum_mean_discrepancy import maximum_mean_discrepancy
from cellops.stats.reconstruction_error import reconstruction_error


def test_mmd_is_its_formula() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 3)), random.normal(0.5, 2, size=(30, 3))
    both = np.concatenate([x, y])
    both = (both - both.mean(axis=0)) / both.std(axis=0)
    kernel = np.exp(-cdist(both, both, "sqeuclidean") / 2 / np.median(pdist(both)) ** 2)
    expected = kernel[:40, :40].mean() + kernel[40:, 40:].mean() - 2 * kernel[:40, 40:].mean()
    assert maximum_mean_discrepancy(x, y).value == pytest.approx(expected, rel=1e-10)
    assert maximum_mean_discrepancy(y, x).value == pytest.approx(expected, rel=1e-10)


def test_mmd_in_linear_time_agrees_with_all_pairs_and_takes_many_rows() -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=(20_000, 3)), random.normal(0.6, 1, size=(20_000, 3))
    many, few = maximum_mean_discrepancy(x, y), maximum_mean_discrepancy(x[:300], y[:300])
    assert (many.method, few.method) == ("linear time", "permutation")
    assert many.effect.low < few.value < many.effect.high + 0.02
    assert many.p_value < 1e-10
    assert maximum_mean_discrepancy(x, random.normal(size=(20_000, 3))).p_value > 0.01


def test_rows_with_something_missing_are_left_out_but_missingness_itself_is_learned() -> None:
    random = np.random.default_rng(2)
    x, y = random.normal(size=(2, 200, 3))
    holes = np.where(random.random((200, 3)) < 0.3, np.nan, y)
    whole = holes[~np.isnan(holes).any(axis=1)]
    for statistic in (maximum_mean_discrepancy, reconstruction_error):
        assert statistic(x, holes) == statistic(x, whole)
        assert statistic(x, np.full((200, 3), np.nan)).reason == "not enough data"
    assert domain_classifier(x, holes).p_value < 0.01


def test_the_area_of_a_classifier_is_that_of_the_best_rule() -> None:
    random = np.random.default_rng(3)
    one, other = random.normal(size=(400, 1)), random.normal(3, 1, size=(400, 1))
    assert domain_classifier(one, other).effect.value == pytest.approx(0.983, abs=0.02)  # the normal law at 3 / sqrt 2


def test_reconstruction_says_whether_the_relation_is_lost() -> None:
    random = np.random.default_rng(4)
    line = random.normal(size=(500, 1)) @ np.ones((1, 4))
    noisy = line + random.normal(size=(500, 4)) * 0.1
    lost = np.stack([random.permutation(column) for column in noisy.T], axis=1)
    assert reconstruction_error(noisy[:250], noisy[250:]).p_value > 0.01
    assert reconstruction_error(noisy, lost).effect.low > 5
    assert reconstruction_error(line, line[:100]).reason == "constant"
    assert reconstruction_error(noisy[:, :1], noisy[:, :1]).reason == "not enough data"


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_constant_column_and_large_numbers_are_no_trouble() -> None:
    random = np.random.default_rng(5)
    x, y = (np.column_stack([random.normal(size=(60, 2)), np.ones(60)]) for _ in range(2))
    for statistic in (maximum_mean_discrepancy, reconstruction_error, domain_classifier):
        assert statistic(x, y).p_value > 0.01
        assert statistic(x * 1e200, y * 1e200).reason in {None, "infinite values"}
