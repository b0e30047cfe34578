"""Relations: a change of correlation alone is seen, nothing where nothing changed, and no column disturbs it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from cellops.data import relations as module
from cellops.data.profile import observe, profile
from cellops.data.relations import left_over, reconstruction_errors
from cellops.errors import InputError
from cellops.records.profile import Profile, Relations
from cellops.stats.chi_squared import chi_squared
from cellops.stats.counts import counts_of
from cellops.stats.psi import psi


def together(rows: int, seed: int, correlation: float, columns: int = 10) -> pd.DataFrame:
    """Normal columns of which the first two are correlated."""
    values = np.random.default_rng(seed).normal(size=(rows, columns))
    values[:, 1] = correlation * values[:, 0] + np.sqrt(1 - correlation**2) * values[:, 1]
    return pd.DataFrame(values, columns=[f"x{place}" for place in range(columns)])


def like_flights(rows: int, seed: int) -> pd.DataFrame:
    """Heavy tails, skewed, discrete and rare values, missing ones, copies."""
    random = np.random.default_rng(seed)
    hour, minute = random.integers(5, 24, rows), random.integers(0, 12, rows) * 5
    distance = random.choice([94, 184, 733, 1089, 1400, 2475, 4983], rows)
    delay = np.round(random.standard_cauchy(rows) * 10)
    return pd.DataFrame(
        {
            "hour": hour,
            "minute": minute,
            "scheduled": hour * 100 + minute,
            "distance": distance,
            "air_time": np.where(random.random(rows) < 0.03, np.nan, distance / 7 + random.exponential(10, rows)),
            "dep_delay": delay,
            "arr_delay": delay + random.normal(0, 5, rows).round(),
            "rare": random.random(rows) < 0.002,
            "income": np.exp(3 * random.normal(size=rows)),
            "month": 1,
            "carrier": "UA",
        }
    )


def frozen(table: pd.DataFrame) -> Relations:
    found = profile(table).relations
    assert found is not None
    return found


def moved(relations: Relations, table: pd.DataFrame) -> tuple[float, float]:
    """PSI of the errors, and the p-value of chi-squared."""
    assert relations.errors.bins is not None
    seen = observe(relations.errors, reconstruction_errors(relations, table))
    assert seen.bins is not None
    sides = counts_of(relations.errors.bins), counts_of(seen.bins)
    value, p_value = psi(*sides).value, chi_squared(*sides).p_value
    assert value is not None
    assert p_value is not None
    return value, p_value


@pytest.mark.parametrize("tail", [1.0, 2.0])
def test_a_correlation_that_is_lost_shows_in_the_errors(tail: float) -> None:
    before, same, lost = (
        (tail * together(2000, seed, correlation)).map(np.exp) for seed, correlation in ((0, 0.8), (1, 0.8), (2, 0.0))
    )
    relations = frozen(before)
    assert relations.names == ("x0", "x1")
    assert moved(relations, lost)[0] > 0.5
    assert moved(relations, same)[0] < 0.03


def test_the_columns_whose_relation_is_lost_are_told() -> None:
    before = like_flights(3000, 0)
    now = like_flights(3000, 1)
    now["air_time"] = np.random.default_rng(2).permutation(now["air_time"])
    relations = frozen(before)
    usual = left_over(relations, like_flights(3000, 3)).squares / 3000
    assert 0.7 < usual.min() < usual.max() < 1.4
    risen = dict(zip(relations.names, left_over(relations, now).squares / 3000, strict=True))
    assert sorted(risen, key=lambda name: -risen[name])[:2] in (["air_time", "distance"], ["distance", "air_time"])


@pytest.mark.parametrize("rows", [200, 2000])
def test_alarms_without_a_change_are_as_many_as_stated(rows: int) -> None:
    found = [moved(frozen(like_flights(rows, seed)), like_flights(rows, 1000 + seed))[1] for seed in range(60)]
    for level in (0.05, 0.01):
        rejected = sum(p_value < level for p_value in found)
        assert binomtest(rejected, len(found), level, alternative="greater").pvalue > 1e-4


def test_a_reference_as_large_as_it_gets_is_honest_with_columns_that_are_nearly_copies() -> None:
    assert moved(frozen(like_flights(60_000, 5)), like_flights(60_000, 6))[1] > 1e-3


def test_columns_that_follow_from_no_other_are_left_out() -> None:
    assert set(frozen(like_flights(2000, 0)).names) == {
        "hour",
        "minute",
        "scheduled",
        "distance",
        "air_time",
        "dep_delay",
        "arr_delay",
    }
    assert profile(together(2000, 0, 0.0)).relations is None


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"x": range(500)}),
        pd.DataFrame({"x": range(50), "y": range(50)}),
        pd.DataFrame({"x": [1.0] * 500, "y": range(500)}),
        pd.DataFrame({"x": [np.nan] * 500, "y": range(500)}),
        pd.DataFrame({"x": ["a", "b"] * 250, "y": range(500)}),
        pd.DataFrame({"x": pd.date_range("2013", periods=500), "y": range(500)}),
        pd.DataFrame(np.arange(1000).reshape(500, 2), columns=["x", "x"]),
        pd.DataFrame({"x": [np.inf] * 500, "y": range(500)}),
    ],
    ids=["one column", "few rows", "constant", "missing", "text", "times", "one name", "infinite"],
)
def test_there_is_nothing_to_relate(table: pd.DataFrame) -> None:
    assert profile(table).relations is None


def test_infinite_missing_and_extreme_values_have_finite_errors() -> None:
    table = together(1000, 0, 0.9, columns=3).assign(copy=lambda held: held["x0"])
    relations = frozen(table.assign(x1=table["x1"].mask(table["x1"] > 1)))
    strange = pd.DataFrame({name: [np.inf, -np.inf, np.nan, 1e308, -1e-320] for name in relations.names})
    assert np.isfinite(reconstruction_errors(relations, strange)).all()


@given(st.integers(0, 2**32), st.integers(2, 8))
@settings(max_examples=15, deadline=None)
def test_rows_have_the_same_errors_in_any_company(seed: int, columns: int) -> None:
    relations = frozen(together(300, seed, 0.7, columns))
    table = together(50, seed + 1, 0.7, columns)
    whole = left_over(relations, table)
    parts = [left_over(relations, table.iloc[begin : begin + 20]) for begin in (0, 20, 40)]
    assert np.allclose(np.concatenate([part.errors for part in parts]), whole.errors)
    assert np.allclose(sum(part.squares for part in parts), whole.squares)


def test_a_change_of_units_changes_nothing() -> None:
    table = together(1000, 0, 0.8, columns=3)
    other = pd.DataFrame({"x0": np.exp(table["x0"]), "x1": table["x1"] * 1e6 - 3, "x2": table["x2"]})
    ours, theirs = frozen(table), frozen(other)
    assert np.allclose(ours.weights, theirs.weights, atol=0.01)
    assert np.allclose(ours.deviations, theirs.deviations, atol=0.01)


def test_threads_give_what_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    table = together(40_000, 0, 0.8, columns=4)
    alone = frozen(table)
    monkeypatch.setattr(module, "MANY_CELLS", 1)
    assert frozen(table) == alone
    assert (reconstruction_errors(alone, table) > 0).all()


def test_columns_may_stand_in_another_order_and_beside_others() -> None:
    table = like_flights(500, 0)
    relations = frozen(table)
    shuffled = table[table.columns[::-1]].assign(new=1)
    assert (reconstruction_errors(relations, shuffled) == reconstruction_errors(relations, table)).all()
    assert len(reconstruction_errors(relations, table.iloc[:0])) == 0


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda table: table.drop(columns="hour"), "hour is not there"),
        (lambda table: pd.concat([table, table[["hour"]]], axis=1), "2 columns are called hour"),
        (lambda table: table.assign(hour="five"), "held numbers and now holds text"),
        (lambda table: table.assign(hour=pd.Timestamp("2013")), "held numbers and now holds datetime"),
        (lambda table: table.assign(hour=[1, "two"] * 250), "mixed"),
    ],
)
def test_a_column_that_cannot_be_read_is_said(change: object, fact: str) -> None:
    table = like_flights(500, 0)
    assert callable(change)
    with pytest.raises(InputError, match=fact):
        reconstruction_errors(frozen(table), change(table))


def test_a_column_of_which_all_is_missing_is_read() -> None:
    table = like_flights(500, 0)
    empty = table.assign(hour=pd.Series([None] * 500, dtype=object))
    assert np.isfinite(reconstruction_errors(frozen(table), empty)).all()


def test_a_wide_table_stays_small_in_the_package() -> None:
    factors = np.random.default_rng(0).normal(size=(2000, 12))
    values = factors @ np.random.default_rng(1).normal(size=(12, 100)) + np.random.default_rng(2).normal(
        size=(2000, 100)
    )
    made = profile(pd.DataFrame(values, columns=[f"x{place}" for place in range(100)]))
    assert made.relations is not None
    assert len(made.relations.names) == 100
    assert len(made.relations.to_pretty_json()) < 500_000
    assert Profile.from_json(made.to_pretty_json()) == made


def test_a_column_that_has_no_value_in_the_rows_that_are_taken_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 500)
    random = np.random.default_rng(0)
    one = random.normal(size=1_000)
    taken = np.linspace(0, 999, 500).round().astype(int)
    sparse = np.full(1_000, np.nan)
    sparse[np.setdiff1d(np.arange(1_000), taken)[:20]] = np.arange(20)
    held = profile(pd.DataFrame({"one": one, "two": one + random.normal(size=1_000) / 4, "sparse": sparse})).relations
    assert held is not None
    assert held.names == ("one", "two")
