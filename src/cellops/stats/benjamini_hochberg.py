import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.errors import InputError


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    r"""P-values adjusted so that calling those below a level keeps the false discovery rate at that level.

    .. math:: \tilde p_{(i)} = \min_{j \ge i} \min(1, m \, p_{(j)} / j)

    Holds for independent tests and for positively dependent ones, such as overlapping columns of one table.

    Parameters
    ----------
    p_values
        Shape (tests,), each from 0 to 1.

    Returns
    -------
    numpy.ndarray
        Adjusted p-values, shape (tests,), in the order given.

    Raises
    ------
    InputError
        When a value is not from 0 to 1.

    References
    ----------
    Benjamini and Hochberg, Controlling the false discovery rate, J. R. Statist. Soc. B 57 (1995), section 3.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3)
    array([0.03, 0.04, 0.04])
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        fact = "P-values must be one row of numbers from 0 to 1"
        raise InputError(fact, received=p.tolist(), remedy="Leave out the tests that gave none")
    if not len(p):
        return p
    largest_first = np.argsort(-p, kind="stable")
    ranks = np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[largest_first] = np.minimum.accumulate(np.minimum(1.0, p[largest_first] * len(p) / ranks))
    return adjusted
