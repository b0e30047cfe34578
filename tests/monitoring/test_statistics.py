"""Which statistics stand in a report, by kind of column and by name."""

import numpy as np
import pandas as pd
import pytest

from cellops.data.profile import observe, observe_ordered, profile_column
from cellops.errors import UsageError
from cellops.monitoring.observed import ObservedColumn
from cellops.monitoring.statistics import (
    DEFAULT,
    KNOWN,
    OVER_COUNTS,
    OVER_SKETCHES,
    OVER_TEXTS,
    OVER_TRUTHS,
    TESTS_OF_COUNTS,
    chosen,
    results,
)
from cellops.stats.cramer_von_mises import cramer_von_mises

random = np.random.default_rng
NUMBERS, OTHERS = random(0).normal(size=400), random(1).normal(0.5, size=300)
COLUMNS = {
    "number": (NUMBERS, np.where(np.arange(300) % 9, OTHERS, np.nan)),
    "text": (pd.Series(["a", "b", "b"] * 100), pd.Series(["a", "b"] * 90)),
    "truth": (NUMBERS > 0, OTHERS > 0),
}


def names(kind: str, wanted: str | None) -> list[str]:
    before, after = COLUMNS[kind]
    reference = profile_column("x", before)
    return [
        result.statistic for result in results(ObservedColumn(reference, observe(reference, after)), chosen(wanted))
    ]


def test_every_statistic_can_be_asked_for() -> None:
    assert names("number", "all") == [*OVER_COUNTS, *TESTS_OF_COUNTS, *OVER_SKETCHES, "missing"]
    assert names("text", "all") == [*OVER_COUNTS, *TESTS_OF_COUNTS]
    assert names("truth", "all") == [*OVER_COUNTS, *TESTS_OF_COUNTS, *OVER_TRUTHS]
    assert {*OVER_COUNTS, *TESTS_OF_COUNTS, *OVER_SKETCHES, *OVER_TRUTHS, *OVER_TEXTS, "missing"} == set(KNOWN)


def test_by_default_there_are_the_cheap_ones() -> None:
    assert set(names("number", None)) == set(DEFAULT) - set(OVER_TEXTS)


def test_what_verdicts_need_is_always_there() -> None:
    assert names("number", "energy_distance") == ["psi", "total_variation", "chi_squared", "energy_distance"]
    assert names("number", " Energy-Distance, psi ,") == names("number", "energy_distance")
    assert names("text", "energy_distance") == ["psi", "total_variation", "chi_squared"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("kolmogorov", "kolmogorov_smirnov"), ("psy", "psi"), ("xyzzy", "There are psi, total_variation")],
)
def test_a_wrong_name_is_refused_with_the_nearest(wrong: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"no statistic {wrong}") as refused:
        chosen(f"psi,{wrong}")
    assert said in refused.value.remedy


@pytest.mark.parametrize("kind", COLUMNS)
def test_each_has_a_figure_or_says_why_it_has_none(kind: str) -> None:
    before, after = COLUMNS[kind]
    reference = profile_column("x", before)
    for values in (after, before[:1], pd.Series([None] * 200, dtype=object)):
        for result in results(ObservedColumn(reference, observe(reference, values)), chosen("all")):
            assert result.computed == (result.value is not None) == (result.reason is None)


def test_all_values_of_a_window_are_used_where_they_are_kept() -> None:
    reference, values = profile_column("x", np.arange(50.0)), random(2).integers(0, 60, 5000).astype(float)
    current, ordered = observe_ordered(reference, values)
    name = "cramer_von_mises"
    found = {
        result.statistic: result
        for result in results(ObservedColumn(reference, current, ordered=ordered), chosen(name))
    }
    assert found[name].value == pytest.approx(cramer_von_mises(np.arange(50.0), values).value, rel=1e-12)
    assert found[name].error == 0
