"""Counts of both sides over bins that neither of them chose, as a test needs them."""

import numpy as np
from numpy.typing import NDArray

from cellops.data.bins import CATEGORY_CAP, LEAST_ROWS, LEAST_ROWS_OF_MANY, QUANTILE_BINS
from cellops.records.profile import Bins, ColumnKind, ColumnProfile
from cellops.stats.counts import Counts, counts_of

DOUBT = 3.0
"""Standard deviations by which a category must be above the number of rows from which one has a bin."""


def fair_counts(reference: ColumnProfile, current: ColumnProfile) -> tuple[Counts, Counts]:
    r"""Rows of both sides in the bins of a column, those of texts only where either side would have chosen them.

    Categories have a bin because the reference has many rows of them. Those with hardly enough are there by luck, and
    come back with fewer in the next table, whether or not anything has drifted; and what was unseen in the reference
    has no row there by definition. A test that takes such bins for given rejects far more often than its level says.
    Here a category keeps its bin where the rows of both sides together leave no doubt that the reference has enough,

    .. math:: n_i s - 3 \sqrt{n_i s (1 - s)} \ge L

    with n_i rows, s the share of all rows that is the reference's, and L the least that has a bin. The others are
    counted with the rare ones and the unseen. The unseen stand by themselves where there are more of them than could be
    expected if every rare category of the reference were a single row: then they are held against as many. The bins of
    numbers and booleans are as they were frozen: deciles leave as much to chance as a test over them expects.

    Parameters
    ----------
    reference
        With frozen bins.
    current
        Counted in them.

    Returns
    -------
    tuple of numpy.ndarray
        Rows of the reference and of the current side, shape (bins,) each; of texts the last three are the
        rest, the unseen and the missing.

    References
    ----------
    Good, The population frequencies of species, Biometrika 40 (1953): new rows hold a category never seen as often as
    rows of the reference hold one that no other row has.

    Examples
    --------
    >>> import pandas as pd
    >>> from cellops.data.profile import observe, profile_column
    >>> reference = profile_column("carrier", pd.Series(["UA"] * 90 + ["AA"] * 11 + ["HA"] * 3))
    >>> current = observe(reference, pd.Series(["UA"] * 80 + ["AA"] * 9 + ["F9"] * 2))
    >>> [counts.tolist() for counts in fair_counts(reference, current)]
    [[90.0, 13.0, 1.0, 0.0], [80.0, 9.0, 2.0, 0.0]]
    """
    before, after = reference.bins, current.bins
    assert before is not None and after is not None  # noqa: PT018, S101 - it is asked of columns with bins
    if reference.kind is not ColumnKind.TEXT or not before.counts:
        return counts_of(before), counts_of(after)
    seen, now = counts_of(before), counts_of(after)
    named = len(before.counts)
    both, share = (seen + now)[:named], seen.sum() / max(seen.sum() + now.sum(), 1)
    surely = both * share - DOUBT * np.sqrt(both * share * (1 - share)) >= _least(reference, before)
    singles = _most_singles(reference, before)
    apart = now[-2] * seen.sum() > singles * now.sum()
    return _pooled(seen, surely, singles if apart else 0.0), _pooled(now, surely, now[-2] if apart else 0.0)


def _least(reference: ColumnProfile, bins: Bins) -> int:
    """Rows from which a category had a bin."""
    if len(bins.counts) == CATEGORY_CAP:
        return min(bins.counts)
    many = reference.known is None or len(reference.known) > QUANTILE_BINS
    return LEAST_ROWS_OF_MANY if many else LEAST_ROWS


def _most_singles(reference: ColumnProfile, bins: Bins) -> float:
    """Rare categories that the reference had, each of them a row at least."""
    return float(len(reference.known or ()) - len(bins.counts)) if reference.known else 0.0


def _pooled(counts: Counts, surely: NDArray[np.bool_], unseen: float) -> Counts:
    named, (other, never, missing) = counts[: len(surely)], counts[len(surely) :]
    rest = named[~surely].sum() + other + never - unseen
    return np.array([*named[surely], rest, unseen, missing])
