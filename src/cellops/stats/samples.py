"""A sketch read as a distribution function, as the statistics that compare two of them need it."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellops.errors import InputError
from cellops.records.profile import QuantileSketch

Points: TypeAlias = NDArray[np.float64]


def rows_of(sketch: QuantileSketch) -> int:
    """Rows that the sketch speaks of."""
    return sketch.cumulative[-1] if sketch.cumulative else 0


def points_of(reference: QuantileSketch, current: QuantileSketch) -> Points:
    """Every value at which one of the two steps, ascending; shape (values,)."""
    return np.union1d(_values(reference), _values(current))


def cumulative_share(sketch: QuantileSketch, at: Points) -> Points:
    """Share of rows at or below each point, shape of `at`.

    Exact for an exact sketch. Between two points of a grid it rises on a line, but by no more than the stated error
    in rank, for what is beyond that stands on the upper point itself.
    """
    values = _values(sketch)
    steps = np.concatenate([[0], np.asarray(sketch.cumulative, dtype=np.float64)]) / sketch.cumulative[-1]
    below: Points = steps[np.searchsorted(values, at, side="right")]
    if not sketch.rank_error:
        return below
    return np.minimum(np.interp(at, values, steps[1:], left=0.0), below + sketch.rank_error)


def _values(sketch: QuantileSketch) -> Points:
    values = np.asarray(sketch.values, dtype=np.float64)
    cumulative = np.asarray(sketch.cumulative, dtype=np.float64)
    rising = np.all(values[1:] > values[:-1]) and np.all(np.diff(cumulative, prepend=0) > 0)
    if values.shape != cumulative.shape or not rising:
        fact = "A sketch needs ascending distinct values and as many rising cumulative counts"
        raise InputError(fact, remedy="Make it with cellops.data.profile.sketch")
    return values
