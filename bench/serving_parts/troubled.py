"""A model that is in trouble in the process of a shadow, and well in that of a server, which asks its parity rows."""

import multiprocessing
import os
import time
from typing import Any

from sklearn.linear_model import LogisticRegression

TRUSTED = "serving_parts.troubled.Troubled"
HANGS, CRASHES, SLOW = "hangs", "crashes in a loop", "is ten times slower"
TROUBLES = (HANGS, CRASHES, SLOW)
TIMES = 10


class Troubled(LogisticRegression):
    """A logistic regression."""

    def __init__(self, trouble: str = "", max_iter: int = 100) -> None:
        super().__init__(max_iter=max_iter)
        self.trouble = trouble

    def predict_proba(self, inputs: Any) -> Any:
        begun = time.perf_counter()
        answer = super().predict_proba(inputs)
        if multiprocessing.parent_process() is None:
            return answer
        if self.trouble == HANGS:
            time.sleep(3600)
        if self.trouble == CRASHES:
            os._exit(9)
        if self.trouble == SLOW:
            until = begun + TIMES * (time.perf_counter() - begun)
            while time.perf_counter() < until:  # a slow model takes the processor, too
                pass
        return answer
