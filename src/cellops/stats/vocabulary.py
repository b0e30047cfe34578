import numpy as np
from scipy.special import betainc, chdtrc

from cellops.errors import InputError
from cellops.records.contract import Measure
from cellops.records.drift import StatisticResult
from cellops.records.profile import TextProfile
from cellops.stats.counts import Counts
from cellops.stats.newcombe import newcombe
from cellops.stats.noncentrality import LEVEL, harmonic
from cellops.stats.rare_bins import LEAST_EXPECTED
from cellops.stats.result import NOT_ENOUGH_DATA, computed, refused


def vocabulary(reference: TextProfile, current: TextProfile) -> StatisticResult:
    r"""How far the words of texts have moved: the largest change of the share of texts in which a word stands.

    .. math:: \max_w |q_w - p_w|, \quad p_w = n_w / n, \quad q_w = m_w / m

    with :math:`n_w` of n texts of the reference, and :math:`m_w` of m current ones, holding the word w. The p-value is
    that of the word least likely to have moved by chance, times the number of words (Bonferroni): words come together
    in texts, and it holds however they do. Of one word it is that of the chi-squared test where each of the four counts
    expects five texts; where fewer are expected it is twice the binomial tail of the texts with the word that are
    current ones, which is too large, never too small.

    Parameters
    ----------
    reference, current
        Texts with each of the same words, and all texts.

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 to 1, and `p_value`; symmetric. It is the effect, with interval "Newcombe" that
        holds for all words at once. Not computed ("not enough data") when a side has no texts, or there are no words.

    Raises
    ------
    InputError
        When the words differ, or more texts hold a word than there are.

    References
    ----------
    Salton and McGill, Introduction to Modern Information Retrieval (1983), section 3.3, for shares of documents;
    Holm, A simple sequentially rejective multiple test procedure, Scand. J. Stat. 6 (1979), for Bonferroni's;
    Newcombe, Interval estimation for the difference between independent proportions, Stat. Med. 17 (1998), method 10.

    Examples
    --------
    >>> from cellops.records.profile import QuantileSketch
    >>> lengths = QuantileSketch(values=(20.0,), cumulative=(100,))
    >>> before = TextProfile(lengths=lengths, words=("late", "refund"), rows_with=(40, 5), rows=100)
    >>> after = TextProfile(lengths=lengths, words=("late", "refund"), rows_with=(38, 31), rows=100)
    >>> result = vocabulary(before, after)
    >>> round(result.value, 2), round(result.effect.low, 2), result.p_value < 1e-4
    (0.26, 0.14, True)
    """
    p, q = _counts(reference, current)
    rows = reference.rows, current.rows
    if not (len(p) and all(rows)):
        return refused("vocabulary", NOT_ENOUGH_DATA, *rows)
    value = float(np.max(np.abs(q / rows[1] - p / rows[0])))
    low, high = newcombe(p, rows[0], q, rows[1], level=1 - (1 - LEVEL) / len(p))
    effect = Measure(
        name="largest_shift",
        value=value,
        low=min(float(low.max()), value),
        high=max(float(high.max()), value),
        level=LEVEL,
        method="Newcombe",
    )
    p_value = len(p) * float(_p_values(p, q, rows).min())
    return computed("vocabulary", value, *rows, p_value=p_value, method="Bonferroni", effect=effect)


def _counts(reference: TextProfile, current: TextProfile) -> tuple[Counts, Counts]:
    if reference.words != current.words:
        fact = "The two sides do not have the same words"
        raise InputError(fact, remedy="Count both over the words of the reference")
    sides = []
    for side in (reference, current):
        counts = np.asarray(side.rows_with, dtype=np.float64)
        if len(counts) != len(side.words) or side.rows < 0 or np.any((counts < 0) | (counts > side.rows)):
            fact = "Each word stands in some of the texts"
            raise InputError(
                fact, received=side.rows, remedy="Give a count from 0 to the number of texts for each word"
            )
        sides.append(counts)
    return sides[0], sides[1]


def _p_values(p: Counts, q: Counts, rows: tuple[int, int]) -> Counts:
    """Two-sided p-value of each word."""
    both, share = p + q, rows[1] / (rows[0] + rows[1])
    common = both / (rows[0] + rows[1])
    variance = common * (1 - common) / harmonic(rows)
    squared = np.divide((q / rows[1] - p / rows[0]) ** 2, variance, out=np.zeros_like(p), where=variance > 0)
    tails = np.minimum(betainc(q, p + 1, share), betainc(p, q + 1, 1 - share))
    least_expected = min(rows) * np.minimum(common, 1 - common)
    rare = (least_expected < LEAST_EXPECTED) & ~np.isnan(tails)  # beyond what floats can count it is not known
    each: Counts = np.where(rare, np.minimum(2 * tails, 1.0), chdtrc(1, squared))
    return each
