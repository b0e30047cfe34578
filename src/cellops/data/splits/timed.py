from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from cellops.data.splits.clock import Clock
from cellops.data.splits.shares import limits, uneven
from cellops.data.splits.splitter import LEFT_OUT, Divided, note
from cellops.errors import InputError
from cellops.records.finding import Severity
from cellops.records.split import SplitPlan


def time_split(columns: Sequence[Any], rows: int, plan: SplitPlan) -> Divided:
    """Earlier rows into earlier parts: a model is tested on what came after all that it has seen.

    A part begins with the first time that is not before its cut. Shares become cuts between the times of the rows;
    rows of one time stay together. With a gap, rows that lie in it before a cut stand in no part, so that what
    they look ahead to, or what follows from them, is not on the other side.

    Parameters
    ----------
    columns
        The column of the times, of shape (rows,): times, dates, or numbers.
    rows
        How many there are.
    plan
        With `cuts` or `fractions`, and `gap`.

    Returns
    -------
    Divided
        The plan that it gives has the cuts, which hold for later rows too.

    Raises
    ------
    InputError
        When the column holds no times, or cuts are none of its kind or not ascending.

    References
    ----------
    Tashman, Out-of-sample tests of forecasting accuracy, International Journal of Forecasting 16 (2000); López de
    Prado, Advances in financial machine learning (2018), chapter 7, for the gap.

    Examples
    --------
    >>> import pyarrow as pa
    >>> plan = SplitPlan(kind="time", version=1, columns=("year",), parts=("train", "test"), fractions=(0.5, 0.5))
    >>> done = time_split([pa.array([2013, 2011, 2012, 2014])], 4, plan)
    >>> done.places.tolist(), done.plan.cuts
    ([1, 0, 0, 1], (2013,))
    """
    (column,) = columns
    clock = Clock(plan.columns[0], column)
    ordered = np.sort(clock.ticks)
    cuts = clock.read(plan.cuts) if plan.cuts else [ordered[end] for end in limits(plan.fractions, rows)[:-1]]
    if any(later <= earlier for earlier, later in pairwise(cuts)):
        fact = f"Two parts would begin at the same time of {plan.columns[0]}, or not one after the other"
        remedy = "Give each part a later cut than the one before it, or ask for fewer parts"
        raise InputError(fact, received=clock.written(cuts), remedy=remedy, column=plan.columns[0])
    places = np.searchsorted(np.array(cuts), clock.ticks, side="right").astype(np.int8)
    found = [] if plan.cuts else uneven(places, plan, "many rows have the same time", "Give cuts instead of shares")
    if plan.gap:
        for cut in cuts:
            places[(clock.ticks < cut) & (clock.ticks >= clock.before(cut, plan.gap))] = LEFT_OUT
    if (np.diff(clock.ticks) < 0).any():
        seen = "rows do not stand in the order of time; they were divided by their times, not by their places"
        found.append(note("times-unsorted", plan, seen, "Nothing; sort the rows where a model needs it", Severity.INFO))
    return Divided(places, plan.replace(cuts=clock.written(cuts)), tuple(found))
