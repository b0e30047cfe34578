"""What the rules that spend a budget of false alarms over windows have in common."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.errors import InputError


def checked(p_values: ArrayLike, level: float) -> NDArray[np.float64]:
    """One row of p-values.

    Raises
    ------
    InputError
        When a p-value is not from 0 to 1, or the level is not between them.

    Examples
    --------
    >>> checked([0.2, 0.01], 0.05)
    array([0.2 , 0.01])
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        fact = "P-values must be one row of numbers from 0 to 1"
        raise InputError(fact, received=p.tolist(), remedy="Leave out the tests that gave none")
    if not 0 < level < 1:
        fact = "The rate of false alarms lies between 0 and 1"
        raise InputError(fact, received=level, remedy="Give for example 0.05")
    return p
