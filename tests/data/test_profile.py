"""The profile of a table: kinds, frozen bins, sketches, and the same bins counted on other rows."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.bins import CATEGORY_CAP, KNOWN_CAP, bin_names
from cellops.data.profile import MANY_CELLS, count, observe, profile, profile_column
from cellops.data.sketch import sketch, sketch_ordered
from cellops.errors import InputError
from cellops.records.profile import ColumnKind, Profile
from cellops.stats.distribution import Distribution, Steps
from cellops.stats.samples import distance_error, distribution
from cellops.stats.wasserstein import wasserstein

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=2),
    st.lists(st.none()),
)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.Series([1, 2]), ColumnKind.INTEGER),
        (pd.Series([1, None], dtype="Int64"), ColumnKind.INTEGER),
        (pd.Series([1.5, None]), ColumnKind.NUMBER),
        (pd.Series([1.5, None], dtype="Float32"), ColumnKind.NUMBER),
        (pd.Series([decimal.Decimal("1.5"), None], dtype=object), ColumnKind.NUMBER),
        (pd.Series([True, False]), ColumnKind.BOOLEAN),
        (pd.Series([True, None], dtype="boolean"), ColumnKind.BOOLEAN),
        (pd.Series([True, None], dtype=object), ColumnKind.BOOLEAN),
        (pd.Series(["a", None], dtype=object), ColumnKind.TEXT),
        (pd.Series(["a", None], dtype="string"), ColumnKind.TEXT),
        (pd.Series(["a", "b"]), ColumnKind.TEXT),
        (pd.Series(["a", None], dtype="category"), ColumnKind.TEXT),
        (pd.Series(pd.to_datetime(["2013-01-01", None])), ColumnKind.DATETIME),
        (pd.Series(pd.to_datetime(["2013-01-01", None], utc=True)), ColumnKind.DATETIME),
        (pd.Series([dt.date(2013, 1, 1), None]), ColumnKind.DATETIME),
        (np.array([1.0, 2.0], dtype=np.float32), ColumnKind.NUMBER),
        (np.array(["a", None], dtype=object), ColumnKind.TEXT),
    ],
)
def test_every_kind_is_recognised(values: pd.Series, kind: ColumnKind) -> None:
    seen = profile_column("x", values)
    assert seen.kind is kind
    assert seen.rows == 2
    assert sum(seen.bins.counts) + seen.bins.other + seen.bins.missing == 2
    assert observe(seen, values).bins == seen.bins


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_every_way_to_be_missing_counts(missing: object) -> None:
    values = pd.Series(["a", "a", missing], dtype=object)
    assert profile_column("x", values).bins.missing == 1


def test_times_are_seconds_in_utc() -> None:
    local = pd.Series(pd.to_datetime(["2013-01-01 01:00"]).tz_localize("Europe/Paris"))
    naive = pd.Series(pd.to_datetime(["2013-01-01 00:00"]))
    for values in (local, naive):
        assert profile_column("x", values).moments.minimum == 1356998400.0


def test_quantile_bins_hold_equal_shares_and_lie_between_values() -> None:
    values = np.random.default_rng(0).normal(size=5000)
    bins = profile_column("x", values).bins
    assert len(bins.counts) == 10
    assert bins.counts == (500,) * 10
    assert not set(bins.edges[1:-1]) & set(values)
    assert sum(count(profile_column("x", values), values.astype(np.float32)).counts) == 5000


def test_a_rounding_error_moves_no_row() -> None:
    values = np.round(np.random.default_rng(0).normal(size=5000), 1)
    reference = profile_column("x", values)
    assert count(reference, values.astype(np.float32)) == reference.bins
    assert count(reference, np.nextafter(values, -np.inf)) == reference.bins


def test_ties_stay_together() -> None:
    values = np.concatenate([np.zeros(6000), np.random.default_rng(0).uniform(1, 2, size=4000)])
    bins = profile_column("x", values).bins
    assert bins.counts[0] == 6000
    assert len(bins.counts) == 5


def test_few_values_have_a_bin_each() -> None:
    months = profile_column("month", np.repeat(np.arange(1, 13), 5))
    assert months.bins.counts == (0, *(5,) * 12, 0)
    names = bin_names(months.bins, months.kind)
    assert (names[:3], names[12:14]) == (["≤ 0", "1", "2"], ["12", "≥ 13"])


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "float32"])
def test_a_value_beyond_a_few_known_ones_has_a_bin_of_its_own(dtype: str) -> None:
    months = profile_column("month", pd.Series(np.repeat(np.arange(1, 13), 5), dtype=dtype))
    assert count(months, pd.Series([0, 1, 12, 13, 99], dtype=dtype)).counts == (1, 1, *(0,) * 10, 1, 2)
    assert count(months, np.nextafter([1.0, 12.0], [-np.inf, np.inf])).counts == (0, 1, *(0,) * 10, 1, 0)


@pytest.mark.parametrize("value", [2**52 + 1, 2**53, -(2**53), 2**53 + 2, -(2**60), 2**62])
def test_another_large_integer_is_seen(value: int) -> None:
    step = max(1, 2 ** (abs(value).bit_length() - 53))
    constant = profile_column("x", np.full(50, value))
    assert constant.bins.counts == (0, 50, 0)
    assert count(constant, np.array([value - step, value, value + step])).counts == (1, 1, 1)
    three = profile_column("x", np.repeat([value - step, value, value + step], 5))
    assert three.bins.counts == (0, 5, 5, 5, 0)
    assert count(three, np.array([value - 2 * step, value + 2 * step])).counts == (1, 0, 0, 0, 1)


@pytest.mark.parametrize("constant", [0.0, 5.0, -1e-9, 0.1, 1e6])
def test_another_value_in_a_constant_column_is_seen(constant: float) -> None:
    reference = profile_column("x", np.full(50, constant))
    assert reference.bins.counts == (0, 50, 0)
    assert count(reference, np.array([constant, 1e7, -7.0])).counts == (1, 1, 1)
    assert count(reference, np.array([constant * (1 + 1e-9)])).counts == (0, 1, 0)


def test_infinities_count_in_the_outer_bins_and_not_in_the_moments() -> None:
    values = np.concatenate([np.arange(100.0), [np.inf, -np.inf, np.inf, np.nan]])
    seen = profile_column("x", values)
    assert seen.bins.counts == (11, 10, 10, 10, 10, 10, 10, 10, 10, 12)
    assert (seen.moments.count, seen.moments.mean, seen.moments.maximum) == (100, 49.5, 99.0)
    assert (seen.missing, seen.sketch.cumulative[-1]) == (1, 103)
    assert Profile.from_json(Profile(rows=104, columns=(seen,)).to_json()).columns == (seen,)


@pytest.mark.parametrize("values", [[np.inf, -np.inf], [np.nan, np.nan], [1e200, -1e200]])
def test_what_cannot_be_computed_is_absent_and_never_nan(values: list[float]) -> None:
    seen = profile_column("x", np.array(values))
    assert (seen.bins is None) == bool(np.isinf(values).all())
    assert bool(seen.problem) == (seen.bins is None)
    assert seen.moments is None
    assert type(seen).from_json(seen.to_json()) == seen


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=100))
def test_every_number_has_exactly_one_bin(values: list[float]) -> None:
    seen = profile_column("x", np.array(values))
    if seen.bins is None or seen.bins.edges is None:
        return
    assert sum(seen.bins.counts) + seen.bins.missing == len(values)
    assert list(seen.bins.edges) == sorted(seen.bins.edges)
    assert type(seen).from_json(seen.to_json()) == seen
    inner = seen.bins.edges[1:-1]
    naive = np.bincount([sum(value >= edge for edge in inner) for value in values if not np.isnan(value)], minlength=1)
    assert [n for n in seen.bins.counts if n] == [n for n in naive if n]


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=200))
def test_a_sketch_of_few_values_is_exact(values: list[int]) -> None:
    seen = sketch(np.array(values))
    assert seen.rank_error == 0
    assert np.repeat(seen.values, np.diff(seen.cumulative, prepend=0)).tolist() == sorted(values)


def test_a_grid_states_its_error_and_counts_exactly() -> None:
    values = np.concatenate([np.random.default_rng(0).normal(size=20_000), np.full(5000, 0.25)])
    seen = sketch(values)
    assert len(seen.values) <= 1025 + 2 * 128
    assert seen.cumulative == tuple(np.searchsorted(np.sort(values), seen.values, side="right"))
    assert seen.below == tuple(np.searchsorted(np.sort(values), seen.values, side="left"))
    assert 0 < seen.rank_error <= 25 / 25_000
    assert seen == sketch(values[::-1].copy())


def test_categories_rare_ones_and_unseen_ones_are_told_apart() -> None:
    names = [f"c{number}" for number in range(CATEGORY_CAP + 5)]
    reference = profile_column("x", pd.Series(np.repeat(names, range(200, 200 - len(names), -1))))
    assert reference.bins.categories == tuple(names[:CATEGORY_CAP])
    assert reference.bins.other == sum(200 - number for number in range(CATEGORY_CAP, len(names)))
    seen = count(reference, pd.Series(["c0", names[-1], "new", None]))
    assert (seen.counts[0], seen.other, seen.unseen, seen.missing) == (1, 1, 1, 1)


def test_nearly_unique_text_has_no_unseen_values_and_no_row_in_the_profile() -> None:
    identifiers = pd.Series([f"id {number}" for number in range(1000)])
    reference = profile_column("x", identifiers)
    assert reference.known is None
    assert reference.bins.categories == ()
    assert (count(reference, pd.Series(["id x"])).other, count(reference, pd.Series(["id x"])).unseen) == (1, 0)


def test_too_many_categories_are_not_remembered() -> None:
    values = pd.Series(np.repeat([f"c{number}" for number in range(KNOWN_CAP + 1)], 3))
    assert profile_column("x", values).known is None


@pytest.mark.parametrize("dtype", [object, "str", "category", "string"])
def test_text_counts_the_same_in_every_dtype(dtype: object) -> None:
    reference = profile_column("x", pd.Series(["b", "a", "b", "a", None] * 10, dtype=object))
    assert reference.bins.categories == ("a", "b")
    seen = count(reference, pd.Series(["a", "z", None, "b"], dtype=dtype))
    assert (seen.counts, seen.unseen, seen.missing) == ((1, 1), 1, 1)


def test_booleans_count_in_every_dtype() -> None:
    reference = profile_column("x", pd.Series([True, False, True]))
    assert reference.bins.categories == ("True", "False")
    for values in (np.array([1.0, 0.0, np.nan]), pd.Series([True, False, None], dtype="boolean")):
        seen = count(reference, values)
        assert (seen.counts, seen.missing) == ((1, 1), 1)
    with pytest.raises(InputError) as caught:
        count(reference, np.array([0.0, 2.0]))
    assert caught.value.data["rows"] == [1]


def test_a_column_that_cannot_be_profiled_does_not_break_the_rest() -> None:
    table = pd.DataFrame(
        {
            "mixed": [1, "a", None],
            "nested": [[1], [2], [3]],
            "bytes": [b"a", b"b", b"c"],
            "duration": pd.to_timedelta([1, 2, 3]),
            "complex": [1j, 2j, 3j],
            "empty": [None, None, None],
            "twice": [1, 2, 3],
            "good": [1, 2, 3],
        }
    )
    table["again"] = 1
    seen = profile(table.rename(columns={"again": "twice"}))
    assert [c.name for c in seen.columns if c.bins] == ["empty", "good"]
    assert seen.column("twice").problem == "2 columns have this name"
    assert all(c.problem for c in seen.columns if c.name not in {"good", "empty"})
    assert seen.column("empty").missing == 3
    assert Profile.from_json(seen.to_json()) == seen


@given(st.lists(anything, min_size=1, max_size=12))
def test_no_value_whatever_breaks_a_profile(values: list[object]) -> None:
    seen = profile(pd.DataFrame({"x": pd.Series(values, dtype=object), "good": range(len(values))}))
    assert seen.column("good").bins is not None
    assert Profile.from_json(seen.to_json()) == seen


@pytest.mark.parametrize(
    ("trained_on", "received"),
    [
        (np.array([1.0, 2.0]), np.array(["1.0", "2.0"], dtype=object)),
        (pd.Series(pd.to_datetime(["2013-01-01", "2013-01-02"])), np.array([1.0])),
        (np.array([1.0, 2.0]), pd.Series(pd.to_datetime(["2013-01-01"]))),
        (np.array([1.0, 2.0]), pd.Series([[1], [2]])),
        (np.array([np.inf, np.inf]), np.array([1.0])),
    ],
)
def test_values_of_another_kind_are_refused(trained_on: pd.Series, received: pd.Series) -> None:
    with pytest.raises(InputError):
        count(profile_column("x", trained_on), received)


@pytest.mark.parametrize("nothing", [np.full(3, np.nan), pd.Series([None] * 3), pd.Series([pd.NA] * 3, dtype="Int64")])
def test_any_value_of_a_column_that_had_none_is_unseen(nothing: pd.Series) -> None:
    reference = profile_column("x", nothing)
    assert (reference.bins.counts, reference.bins.missing) == ((), 3)
    for values in (pd.Series([1.5, None, 2.5]), pd.Series(["a", None, "b"])):
        seen = count(reference, values)
        assert (seen.unseen, seen.missing) == (2, 1)
    assert count(reference, nothing) == reference.bins


def test_a_column_that_has_become_all_missing_is_counted() -> None:
    reference = profile_column("x", np.array([1.0, 2.0]))
    assert count(reference, pd.Series([None, None], dtype=object)).missing == 2
    assert observe(reference, pd.Series([None, None], dtype=object)).sketch is None


@pytest.mark.parametrize("table", [pd.DataFrame(), pd.DataFrame({"x": []})])
def test_a_table_without_rows_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(InputError):
        profile(table)


def test_text_that_is_no_unicode_is_counted_in_its_bin() -> None:
    column = pd.Series(["a\ud800", "b"] * 200, dtype=object)
    reference = profile_column("city", column)
    assert count(reference, column) == reference.bins


def test_a_decimal_that_signals_does_not_break_the_rest() -> None:
    table = pd.DataFrame(
        {"price": pd.Series([decimal.Decimal("sNaN"), decimal.Decimal(1)], dtype=object), "size": [1.0, 2.0]}
    )
    made = profile(table)
    assert made.column("price").problem
    assert made.column("size").bins is not None


columns = st.builds(
    lambda shape, rows, digits, seed: np.round(
        getattr(np.random.default_rng(seed), shape)(size=rows) * np.random.default_rng(seed).uniform(1, 1e9), digits
    ),
    st.sampled_from(["normal", "standard_cauchy", "exponential", "random", "lognormal"]),
    st.integers(3000, 40_000),
    st.sampled_from([-7, -6, 0, 3, 12]),
    st.integers(0, 1000),
)


@given(columns)
@settings(max_examples=30, deadline=None)
def test_a_grid_is_nowhere_further_from_the_rows_than_it_states(values: np.ndarray) -> None:
    ordered = np.sort(values)
    found = sketch_ordered(ordered)
    distinct, starts = np.unique(ordered, return_index=True)
    ends = np.append(starts[1:], len(ordered))
    steps = Steps(distinct, starts / len(ordered), ends / len(ordered))
    rows, grid = Distribution(steps, rows=len(ordered)), distribution(found)
    distance = wasserstein(rows, grid).value
    gap = max(
        np.max(np.abs(rows.at(distinct) - grid.at(distinct))),
        np.max(np.abs(rows.before(distinct) - grid.before(distinct))),
    )
    assert gap <= found.rank_error + 1e-12
    assert distance <= distance_error(found) * (1 + 1e-9)
    assert distance_error(found) <= 4 * distance


def test_a_grid_of_a_column_with_a_gap_and_heavy_ends_states_little_more_than_its_error() -> None:
    random = np.random.default_rng(3)
    ordered = np.sort(np.concatenate([random.standard_cauchy(30_000), random.normal(1e6, 1, size=20_000)]))
    steps = np.arange(len(ordered) + 1) / len(ordered)
    found = sketch_ordered(ordered)
    rows = Distribution(Steps(ordered, steps[:-1], steps[1:]), rows=len(ordered))
    distance = wasserstein(rows, distribution(found)).value
    assert distance <= found.distance_error <= 2 * distance


def test_columns_that_are_read_side_by_side_give_what_each_gives_alone() -> None:
    generator = np.random.default_rng(7)
    columns: dict[str, object] = {f"n{place}": generator.normal(size=80_000) for place in range(10)}
    columns |= {"text": generator.choice(["a", "b", None], 80_000), "nested": [[1]] * 80_000}
    columns |= {"whole": generator.integers(0, 9, 80_000), "day": pd.date_range("2024", periods=80_000, freq="min")}
    table = pd.DataFrame(columns)
    assert table.size >= MANY_CELLS
    together = profile(table)
    assert [column.name for column in together.columns] == list(columns)
    assert together.column("nested").problem
    for name in columns:
        assert together.column(name) == profile(table[[name]]).column(name)


def test_no_sentence_of_a_single_row_stands_in_a_profile() -> None:
    notes = [f"delayed by {cause} at gate {gate}" for cause in ("fog", "ice") for gate in range(90)] * 3
    table = pd.DataFrame({"note": [*notes, "the patient in seat 7 asks for quiet"]})
    found = profile(table).column("note")
    assert found is not None
    assert found.text is not None
    assert b"patient" not in found.to_json()
