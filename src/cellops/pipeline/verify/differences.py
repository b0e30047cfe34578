"""How far numbers lie apart."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

NO_MEASURE = math.inf
"""The difference of what differs in kind: in type, shape, or in where it is missing."""


def difference(before: float, after: float) -> float:
    """The relative difference of two numbers, `|a - b| / max(|a|, |b|)`; 0 for two that are missing.

    Examples
    --------
    >>> difference(1.0, 1.0), difference(float("nan"), float("nan")), difference(4.0, 5.0)
    (0.0, 0.0, 0.2)
    """
    if before == after or (math.isnan(before) and math.isnan(after)):
        return 0.0
    if not (math.isfinite(before) and math.isfinite(after)):
        return NO_MEASURE
    return abs(before - after) / max(abs(before), abs(after))


def array_difference(before: "Array", after: "Array") -> float:
    """The largest absolute difference of two arrays, divided by the largest magnitude among their values.

    It is the error bound of numerical analysis in the maximum norm (Higham, Accuracy and Stability of Numerical
    Algorithms, 2002, section 6.2): values close to zero beside large ones are not asked for digits that no sum has.
    Integers count as different as soon as one differs.

    Returns
    -------
    float
        0 for equal arrays; infinity where type, shape or the places of missing and infinite values differ.
    """
    import numpy as np

    if before.dtype != after.dtype or before.shape != after.shape:
        return NO_MEASURE
    if before.dtype.kind in "iu":
        return 0.0 if np.array_equal(before, after) else NO_MEASURE
    if not before.size:
        return 0.0
    odd = ~np.isfinite(before) | ~np.isfinite(after)
    if odd.any() and not np.array_equal(before[odd], after[odd], equal_nan=True):
        return NO_MEASURE
    one, other = before[~odd].astype(float), after[~odd].astype(float)
    largest = max(np.abs(one).max(initial=0.0), np.abs(other).max(initial=0.0))
    with np.errstate(over="ignore"):
        apart = np.abs(one - other).max(initial=0.0)
    return float(apart / largest) if largest else 0.0


def differences(before: "Mapping[str, Array]", after: "Mapping[str, Array]") -> dict[str, float]:
    """The difference of each array by name; none where they have other names, or the same in another order."""
    if list(before) != list(after):
        return {}
    return {name: array_difference(array, after[name]) for name, array in before.items()}


def farthest(before: "Mapping[str, Array]", after: "Mapping[str, Array]") -> tuple[str, float, float] | None:
    """Where two sets of arrays lie farthest apart: the name with the place in it, and the two numbers there.

    None where no array differs in its numbers, or where they differ in type or shape.
    """
    import numpy as np

    apart = {name: found for name, found in differences(before, after).items() if found}
    if not apart:
        return None
    name = max(apart, key=apart.__getitem__)
    one, other = before[name], after[name]
    if one.shape != other.shape or one.dtype != other.dtype or not one.size:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        gaps = np.abs(one.astype(float) - other.astype(float))
    place = np.unravel_index(int(np.argmax(np.where(np.isnan(gaps), -1.0, gaps))), one.shape)
    where = "".join(f"[{index}]" for index in place)
    return f"{name}{where}", float(one[place]), float(other[place])
