"""A model of one number that misbehaves on the rows that say so."""

import os
import re
import time
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

FAIL, HANG, DIE, LEAK, SLOW, HOLD = 1001.0, 1002.0, 1003.0, 1004.0, 1005.0, 1006.0
ENDLESS = re.compile(r"(a+)+$"), "a" * 60 + "b"
"""A search of which nobody sees the end, and which lets no other thread run."""
SLOWNESS = 0.05
"""Seconds."""
LEAKED = 450_000_000
"""Bytes at a time."""
TRUSTED = "support.moody.Moody"
KEPT: list[Any] = []


class Moody(RegressorMixin, BaseEstimator):
    """Answers `answer` where x is 0 or a mood; only a challenger heeds the moods."""

    def __init__(self, answer: float = 0.0, moods: bool = False) -> None:
        self.answer = answer
        self.moods = moods

    def fit(self, inputs: Any, _target: Any) -> "Moody":
        self.n_features_in_ = inputs.shape[1]
        self.feature_names_in_ = np.array(list(inputs.columns), dtype=object)
        return self

    def predict(self, inputs: Any) -> Any:
        values = np.asarray(inputs, dtype=float)[:, 0]
        mood = values[0] if self.moods else 0.0
        if mood == FAIL:
            message = "in no mood"
            raise RuntimeError(message)
        if mood == HANG:
            time.sleep(3600)
        if mood == HOLD:
            expression, text = ENDLESS
            expression.match(text)
        if mood == DIE:
            os._exit(9)
        if mood == LEAK:
            KEPT.append(np.ones(LEAKED // 8))
        if mood == SLOW:
            time.sleep(SLOWNESS)
        return np.where(values < FAIL, self.answer + values / 10, self.answer)
