"""How many requests a stage of a canary takes, said before there is any evidence: small shares take very many."""

import math
from functools import lru_cache

import numpy as np

from cellops.records.rollout import RolloutRules
from cellops.serving.rollout.comparisons import ERRORS, LATENCY, Tested, levels, margin
from cellops.stats.difference import Difference
from cellops.stats.latency_bins import WIDTH
from cellops.stats.quantile_ratio import QuantileRatio
from cellops.stats.share_difference import ShareDifference

QUIET, USUAL = 0.0, 0.005
"""Shares of errors of a champion without any, and of one with some."""
SPREAD = 0.5
"""Of the logarithm of the seconds to an answer, which are taken to be lognormal."""
REACH = 4.0
"""Spreads from the middle beyond which no request is taken to be."""
UNIT = 100
"""Requests of both from which is counted."""


@lru_cache(maxsize=64)
def foreseen(rules: RolloutRules, share: float) -> tuple[int, int] | None:
    """The requests of both that a stage takes where the challenger is as good as the champion, in two digits.

    Parameters
    ----------
    rules
        Of the rollout.
    share
        Percent that the challenger takes.

    Returns
    -------
    tuple or None
        Where neither has errors, and where both have 0.5%; None where that is not in sight.
    """
    part = share / 100
    if not 0 < part < 1:
        return None
    least = max(rules.least_requests / part, UNIT * _missing(rules, LATENCY, _latency(rules, part)))
    both = [max(least, UNIT * _missing(rules, ERRORS, _errors(errors, part))) for errors in (QUIET, USUAL)]
    return (_rounded(both[0]), _rounded(both[1])) if all(map(math.isfinite, both)) else None


def _missing(rules: RolloutRules, name: str, difference: Difference) -> float:
    return Tested(name, difference, margin(rules, name), *levels(rules)).missing


def _errors(errors: float, part: float) -> ShareDifference:
    first, second = UNIT * (1 - part), UNIT * part
    return ShareDifference(errors * first, first, errors * second, second)


def _latency(rules: RolloutRules, part: float) -> QuantileRatio:
    bins = math.ceil(REACH * SPREAD / math.log(WIDTH))
    places = np.arange(-bins, bins + 1) * math.log(WIDTH) / SPREAD
    density = np.exp(-(places**2) / 2)
    density /= density.sum()
    return QuantileRatio(UNIT * (1 - part) * density, UNIT * part * density, rules.latency_quantile, 0)


def _rounded(requests: float) -> int:
    """Up to two digits: it is no more than a guess."""
    unit: int = 10 ** max(math.floor(math.log10(max(requests, 1))) - 1, 0)
    return math.ceil(requests / unit) * unit
