"""How long a model takes for one row, in the process that has fitted it."""

import time
import warnings
from typing import TYPE_CHECKING

import numpy as np

from cellops.packaging.predictor import SklearnPredictor

if TYPE_CHECKING:
    import pandas as pd

ROWS = 200
LONG, LONGEST = 5.0, 30.0
"""Seconds after which no further row is asked, once there are enough; and seconds after which none is in any case."""
FEWEST = 20
"""Rows below which a percentile says nothing."""
WARM_UP = 5


def latency(predictor: SklearnPredictor, inputs: "pd.DataFrame", percent: int) -> float | None:
    """A percentile of the time that the model takes for a single row, in milliseconds.

    At most 200 rows, spread over the table, are given to the model as tables of one row each, as a server would, after
    five that are not counted. Only the model's own `predict_proba` or `predict` is timed: neither a server nor the
    reading of a request. It takes about five seconds at most; a slow model has half a minute for the twenty rows
    without which there is no figure, and None is given.

    Parameters
    ----------
    predictor
        The fitted model.
    inputs
        Rows as the model was fitted on.
    percent
        Which percentile, from 0 to 100; linear between the two nearest times.
    """
    places = np.linspace(0, len(inputs) - 1, min(ROWS, len(inputs))).astype(int)
    rows = [inputs.iloc[[place]] for place in places]
    times: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = time.perf_counter()
        for row in rows[:WARM_UP]:
            predictor.answer(row)
        for row in rows:
            started = time.perf_counter()
            predictor.answer(row)
            ended = time.perf_counter()
            times.append(ended - started)
            if ended - began > (LONG if len(times) >= FEWEST else LONGEST):
                break
    return float(np.percentile(times, percent)) * 1000 if len(times) >= FEWEST else None
