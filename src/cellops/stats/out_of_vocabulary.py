import numpy as np

from cellops.errors import InputError
from cellops.records.contract import Measure
from cellops.records.drift import StatisticResult
from cellops.records.profile import TextProfile
from cellops.stats.chi_squared import pearson
from cellops.stats.counts import Counts, aligned
from cellops.stats.newcombe import newcombe
from cellops.stats.noncentrality import LEVEL
from cellops.stats.rare_bins import p_value_of
from cellops.stats.result import NOT_ENOUGH_DATA, computed, refused

WORTH = 0.5
"""What a text of the reference is worth in telling how many new ones hold unknown words."""


def out_of_vocabulary(reference: TextProfile, current: TextProfile) -> StatisticResult:
    r"""Share of texts with a word that the reference never had, beside the share that was to be expected.

    .. math:: |u_{cur} / m - u_{ref} / n|

    Language has new words every day. How many texts hold one, though nothing has changed, the reference itself tells,
    as Good and Turing found: as many as hold a word of which it would know nothing without them. Of its n texts these
    are :math:`u_{ref}`, of the m current ones :math:`u_{cur}` hold a word that is not known. The share of the reference
    is not as sure as that of n new texts, for a word that stands in two of them could have been in either: its variance
    is :math:`(u_1 + 2 u_2) / n^2`, and at most twice that of new ones as long as ever more words are known from one
    text alone. Its texts therefore count by half in the p-value and the interval.

    Parameters
    ----------
    reference, current
        Texts with unknown words (`unseen`), and all texts.

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 to 1, and `p_value` of the chi-squared test of both shares, with rare ones treated
        as there; not symmetric in these. It is the effect, with interval "Newcombe". Not computed ("not enough data")
        when a side has no texts.

    Raises
    ------
    InputError
        When more texts hold unknown words than there are.

    References
    ----------
    Good, The population frequencies of species and the estimation of population parameters, Biometrika 40 (1953),
    equation 9; Esty, A normal limit law for a nonparametric estimator of the coverage of a random sample, Ann. Statist.
    11 (1983), for its variance.

    Examples
    --------
    >>> from cellops.records.profile import QuantileSketch
    >>> lengths = QuantileSketch(values=(20.0,), cumulative=(1000,))
    >>> expected = TextProfile(lengths=lengths, rows=1000, unseen=30)
    >>> result = out_of_vocabulary(expected, TextProfile(lengths=lengths, rows=1000, unseen=90))
    >>> round(result.value, 3), round(result.effect.low, 3), round(result.p_value, 5)
    (0.06, 0.035, 2e-05)
    """
    rows = reference.rows, current.rows
    p, q = (_unseen_and_others(side) for side in (reference, current))
    if not all(rows):
        return refused("out_of_vocabulary", NOT_ENOUGH_DATA, *rows)
    value = abs(float(q[0] / rows[1] - p[0] / rows[0]))
    before, after = aligned(p * WORTH, q)
    p_value, method = p_value_of(pearson, before, after) if len(before) > 1 else (1.0, "asymptotic")
    low, high = newcombe(p[:1] * WORTH, rows[0] * WORTH, q[:1], rows[1], level=LEVEL)
    effect = Measure(
        name="difference_of_shares",
        value=value,
        low=min(float(low[0]), value),
        high=max(float(high[0]), value),
        level=LEVEL,
        method="Newcombe",
    )
    return computed("out_of_vocabulary", value, *rows, p_value=p_value, method=method, effect=effect)


def _unseen_and_others(side: TextProfile) -> Counts:
    if not 0 <= side.unseen <= side.rows:
        fact = "Texts with unknown words are some of the texts"
        raise InputError(fact, received=(side.unseen, side.rows), remedy="Give 0 <= unseen <= rows")
    return np.array([side.unseen, side.rows - side.unseen], dtype=np.float64)
