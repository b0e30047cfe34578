"""Statistics of texts: against scipy, published intervals, and drawn texts."""

import numpy as np
import pytest
import scipy.stats

from cellops.errors import InputError
from cellops.records.profile import QuantileSketch, TextProfile
from cellops.stats.newcombe import newcombe
from cellops.stats.out_of_vocabulary import out_of_vocabulary
from cellops.stats.text_length import text_length
from cellops.stats.vocabulary import vocabulary

LENGTHS = QuantileSketch(values=(20.0,), cumulative=(100,))


def texts(rows_with: list[int], rows: int, unseen: int = 0) -> TextProfile:
    words = tuple(f"word{place}" for place in range(len(rows_with)))
    return TextProfile(lengths=LENGTHS, words=words, rows_with=tuple(rows_with), rows=rows, unseen=unseen)


def test_lengths_are_a_distance_of_scipy_over_their_mean() -> None:
    random = np.random.default_rng(0)
    pair = random.poisson(80, 300).astype(float), random.poisson(100, 400).astype(float)
    result = text_length(*pair)
    assert result.value == pytest.approx(scipy.stats.wasserstein_distance(*pair) / pair[0].mean(), rel=1e-10)
    assert result.p_value == pytest.approx(scipy.stats.ks_2samp(*pair, method="asymp").pvalue, rel=1e-10)
    assert result.effect.low < 0.25 < result.effect.high


def test_lengths_below_zero_are_refused_and_empty_texts_have_none() -> None:
    with pytest.raises(InputError, match="below zero"):
        text_length([3.0, 4.0], [-1.0])
    assert text_length([0.0, 0.0], [3.0]).reason == "constant"


def test_each_word_is_tested_as_scipy_does() -> None:
    before, after = texts([300, 40], 1000), texts([310, 90], 1000)
    expected = scipy.stats.chi2_contingency([[40, 960], [90, 910]], correction=False).pvalue
    result = vocabulary(before, after)
    assert result.value == pytest.approx(0.05)
    assert result.p_value == pytest.approx(2 * expected, rel=1e-10)


def test_a_rare_word_is_tested_exactly() -> None:
    expected = scipy.stats.binomtest(6, 6, 0.5).pvalue
    assert vocabulary(texts([0], 1000), texts([6], 1000)).p_value == pytest.approx(expected, rel=1e-10)


def test_words_that_come_together_raise_no_alarm() -> None:
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(300):
        kinds = random.binomial([400, 300], 0.3)
        both = [texts([int(kind)] * 20, rows) for kind, rows in zip(kinds, (400, 300), strict=True)]
        alarms += vocabulary(*both).p_value < 0.05
    assert alarms <= 25


def test_what_is_not_counted_over_the_same_words_is_refused() -> None:
    with pytest.raises(InputError, match="same words"):
        vocabulary(texts([1], 10), texts([1, 2], 10))
    with pytest.raises(InputError, match="some of the texts"):
        vocabulary(texts([1], 10), texts([11], 10))
    assert vocabulary(texts([], 10), texts([], 10)).reason == "not enough data"


def test_unknown_words_are_as_many_as_the_reference_lets_expect() -> None:
    random = np.random.default_rng(2)
    shares = 1 / np.arange(1, 40_001) ** 1.1
    alarms = []
    for _ in range(120):
        before, after = (random.choice(40_000, (600, 3), p=shares / shares.sum()) for _ in range(2))
        words, counts = np.unique(np.concatenate([np.unique(row) for row in before]), return_counts=True)
        alone = np.isin(before, words[counts == 1]).any(axis=1).sum()
        unseen = (~np.isin(after, words)).any(axis=1).sum()
        alarms.append(out_of_vocabulary(texts([], 600, int(alone)), texts([], 600, int(unseen))).p_value < 0.05)
    assert np.mean(alarms) <= 0.1
    assert out_of_vocabulary(texts([], 600, 120), texts([], 600, 200)).p_value < 1e-4


def test_more_unknown_texts_than_texts_are_refused() -> None:
    with pytest.raises(InputError, match="some of the texts"):
        out_of_vocabulary(texts([], 10), texts([], 10, 11))


def test_the_intervals_of_shares_are_those_published() -> None:
    # Newcombe, table II, method 10: examples a, g and h.
    published = {(56, 70, 48, 80): (0.0524, 0.3339), (10, 10, 0, 10): (0.6075, 1.0), (10, 10, 0, 20): (0.6791, 1.0)}
    for (a, m, b, n), interval in published.items():
        low, high = newcombe(np.array([float(b)]), n, np.array([float(a)]), m, level=0.95)
        assert (low[0], high[0]) == pytest.approx(interval, abs=5e-5)
