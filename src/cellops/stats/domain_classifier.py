import numpy as np
from numpy.typing import NDArray

from cellops.records.drift import StatisticResult
from cellops.stats.result import NOT_ENOUGH_DATA, computed, refused
from cellops.stats.roc_auc import roc_auc
from cellops.stats.tables import Table, drawn, same_columns

PARTS = 5
LEAST_ROWS = 20
"""Rows of each side, of which a part has four."""
MOST_ROWS = 10_000
"""Rows of each side that are learned from: enough to see what matters, in seconds."""
TREES = 40
LEAF = 5
"""Rows of a leaf: larger ones are less noisy, smaller ones see finer shifts."""


def domain_classifier(reference: Table, current: Table) -> StatisticResult:
    r"""Classifier two-sample test: how well a model learns to tell the rows of one table from those of the other.

    .. math:: 2 A - 1, \quad A = P(\text{score of a current row} > \text{score of a reference row})

    Rows are divided into five parts, and each part but the first is ranked by a random forest that was trained on those
    before it. Where the sides do not differ, no model can rank rows that it has not seen: the p-value, one-sided, is
    that of the Mann-Whitney statistics of the four parts added up. In plain cross-validation rows teach those that they
    are judged by, and the sum varies up to twice as much as it is taken to; here no part is judged by what it has
    taught. A missing value is a value of its own, so missingness that drifts is found. Of each side no more than 10,000
    rows are used, drawn with a fixed seed.

    Parameters
    ----------
    reference, current
        Numbers, NaN for a missing one, shape (rows, columns).

    Returns
    -------
    StatisticResult
        `value` without unit, from 0 to 1, and `p_value`; not symmetric, but nearly. The effect is the area A under the
        ROC curve of the ranks with the interval of `roc_auc`. Not computed: "not enough data" when a side has fewer
        than twenty rows.

    Raises
    ------
    InputError
        When one is no table of numbers, or they differ in columns.

    References
    ----------
    Lopez-Paz and Oquab, Revisiting classifier two-sample tests, ICLR (2017); Mann and Whitney, On a test of whether one
    of two random variables is stochastically larger than the other, Ann. Math. Statist. 18 (1947); van Elteren, On the
    combination of independent two sample tests of Wilcoxon, Bull. Int. Stat. Inst. 37 (1960), for their sum; Bengio and
    Grandvalet, No unbiased estimator of the variance of k-fold cross-validation, J. Mach. Learn. Res. 5 (2004); Dawid,
    Statistical theory: the prequential approach, J. R. Statist. Soc. A 147 (1984), for the order.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> one, other = random.normal(size=(2, 100, 2))
    >>> domain_classifier(one, other + [3, 0]).p_value < 1e-12
    True
    """
    first, second = (drawn(side, MOST_ROWS) for side in same_columns(reference, current))
    rows = len(reference), len(current)
    if min(rows) < LEAST_ROWS:
        return refused("domain_classifier", NOT_ENOUGH_DATA, *rows)
    both, is_current = np.concatenate([first, second]), np.repeat([False, True], [len(first), len(second)])
    ranks, p_value = _ranked(_places(both), is_current)
    ranked = ~np.isnan(ranks)
    effect = roc_auc(is_current[ranked], ranks[ranked])
    if effect is None:
        return refused("domain_classifier", NOT_ENOUGH_DATA, *rows)
    value = max(0.0, 2 * effect.value - 1)
    return computed("domain_classifier", value, *rows, p_value=p_value, method="Mann-Whitney", effect=effect)


def _places(both: Table) -> Table:
    """Each number as its place among those of its column, which a forest cannot tell from it, and never rounds."""
    places = np.full(both.shape, np.nan)
    for column, values in enumerate(both.T):
        there = ~np.isnan(values)
        places[there, column] = np.unique(values[there], return_inverse=True)[1]
    return places


def _ranked(both: Table, is_current: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """The rank of each row in its part, from 0 to 1, NaN in the first; and how likely ranks as good are by chance."""
    from scipy.special import ndtr
    from scipy.stats import rankdata
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold

    ranks, above, variance = np.full(len(both), np.nan), 0.0, 0.0
    parts = [part for _, part in StratifiedKFold(PARTS, shuffle=True, random_state=0).split(both, is_current)]
    for place, held in enumerate(parts[1:], 1):
        known = np.concatenate(parts[:place])
        model = RandomForestClassifier(TREES, min_samples_leaf=LEAF, random_state=0)
        score = model.fit(both[known], is_current[known]).predict_proba(both[held])[:, 1]
        rank = rankdata(score)
        ranks[held] = rank / (len(held) + 1)
        ours = is_current[held]
        # Given the scores, which of them are those of current rows is a draw without repetition.
        above += float(np.sum(rank[ours]) - ours.sum() * (len(held) + 1) / 2)
        variance += float(ours.sum() * (~ours).sum() / len(held) * rank.var(ddof=1))
    return ranks, float(ndtr(-above / np.sqrt(variance))) if variance > 0 else 1.0
