import math

from cellops.errors import InputError
from cellops.records.contract import Measure
from cellops.stats.interval import quantile


def proportion(name: str, successes: int, trials: int, *, level: float = 0.95) -> Measure | None:
    r"""A share of rows with Wilson's score interval; accuracy, precision and recall are such shares.

    .. math:: \frac{p + z^2/2n \pm z \sqrt{p(1-p)/n + z^2/4n^2}}{1 + z^2/n}

    Unlike the normal interval it stays within 0 and 1 and has a width also where all or no rows succeed.

    Parameters
    ----------
    name
        What the share is called.
    successes, trials
        Rows that count, and all rows.
    level
        Confidence level of the interval.

    Returns
    -------
    Measure or None
        From 0 to 1, method "Wilson"; None when there are no trials.

    Raises
    ------
    InputError
        When there are more successes than trials, or the level is not between 0 and 1.

    References
    ----------
    Wilson, Probable inference, the law of succession, and statistical inference, J. Am. Stat. Assoc. 22 (1927).

    Examples
    --------
    >>> accuracy = proportion("accuracy", 8, 10)
    >>> accuracy.value, round(accuracy.low, 3), round(accuracy.high, 3)
    (0.8, 0.49, 0.943)
    """
    if not 0 <= successes <= trials:
        fact = "Successes are counted among the trials"
        raise InputError(fact, received=(successes, trials), remedy="Give 0 <= successes <= trials")
    if trials == 0:
        return None
    z = quantile(level)
    share = successes / trials
    middle = share + z * z / (2 * trials)
    reach = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return Measure(
        name=name,
        value=share,
        low=max(0.0, min(share, (middle - reach) / scale)),
        high=min(1.0, max(share, (middle + reach) / scale)),
        level=level,
        method="Wilson",
    )
