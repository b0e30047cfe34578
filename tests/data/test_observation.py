"""What chunks of a column showed, in any order, is what the whole of it shows."""

from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.bins import count_numbers
from cellops.data.counting import BLOCK, count_texts, count_unordered
from cellops.data.observation import Observation
from cellops.data.profile import count, observe, profile_column
from cellops.errors import InputError
from cellops.records.profile import Bins, ColumnKind, ColumnProfile

FLOATS = st.floats(width=32) | st.sampled_from([0.0, 1.0, 2.5, np.inf, -np.inf, np.nan])
WORDS = st.sampled_from(["a", "b", "c", "d", "strange", "", "\ud800", None])


def number_column() -> ColumnProfile:
    return profile_column("size", np.random.default_rng(0).normal(size=5_000))


def free_text() -> ColumnProfile:
    words, random = np.array(["delayed", "by", "fog", "ice", "wind", "at", "a", "gate"], dtype=object), Random(0)
    return profile_column("note", pd.Series([" ".join(random.choices(words, k=5)) for _ in range(400)], dtype=object))


def text_column() -> ColumnProfile:
    return profile_column("kind", pd.Series(["a"] * 50 + ["b"] * 30 + ["c"] * 12 + ["d"] * 3, dtype=object))


def agree(one: ColumnProfile | None, other: ColumnProfile | None) -> None:
    """All but moments to the last bit, and these as far as sums of floats agree in any order."""
    assert one is not None
    assert other is not None
    assert one.replace(moments=None) == other.replace(moments=None)
    assert (one.moments is None) == (other.moments is None)
    if one.moments is not None and other.moments is not None:
        assert (one.moments.count, one.moments.minimum, one.moments.maximum) == (
            other.moments.count,
            other.moments.minimum,
            other.moments.maximum,
        )
        largest = max(abs(one.moments.minimum), abs(one.moments.maximum))
        assert one.moments.mean == pytest.approx(other.moments.mean, rel=1e-9, abs=1e-9 * largest)
        assert one.moments.squared_deviations == pytest.approx(
            other.moments.squared_deviations, rel=1e-9, abs=1e-9 * largest**2
        )


@given(st.lists(st.lists(FLOATS, max_size=40), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_chunks_of_numbers_in_any_order_give_what_the_whole_gives(parts: list[list[float]], random: Random) -> None:
    reference = number_column()
    whole = Observation.of(reference, np.array([value for part in parts for value in part], dtype=np.float64))
    seen = [Observation.of(reference, np.array(part, dtype=np.float64)) for part in parts]
    random.shuffle(seen)
    cut = random.randrange(len(seen) + 1)
    halves = [Observation.merged(half) for half in (seen[:cut], seen[cut:]) if half]
    agree(Observation.merged(halves).profile(reference), whole.profile(reference))


@settings(deadline=None)
@given(st.lists(st.lists(WORDS, max_size=40), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_chunks_of_texts_in_any_order_give_what_the_whole_gives(parts: list[list[str | None]], random: Random) -> None:
    for reference in (text_column(), free_text()):
        whole = observe(reference, pd.Series([value for part in parts for value in part], dtype=object))
        seen = [Observation.of(reference, pd.Series(part, dtype=object)) for part in parts]
        random.shuffle(seen)
        assert Observation.merged(seen).profile(reference) == whole
        assert (whole.text is None) == (reference.name == "kind")


@pytest.mark.parametrize("rows", [0, 1, 3_000, 2 * BLOCK + 7])
def test_counts_and_moments_are_those_of_the_table_as_a_whole(rows: int) -> None:
    random, reference = np.random.default_rng(rows), number_column()
    values = random.normal(0.3, 1.4, rows)
    values[random.random(rows) < 0.1] = np.nan
    parts = [Observation.of(reference, part) for part in np.array_split(values, 5)]
    merged, whole = Observation.merged(parts).profile(reference), observe(reference, values)
    assert merged is not None
    agree(merged.replace(sketch=whole.sketch), whole)
    if merged.sketch is not None and whole.sketch is not None:
        assert merged.sketch.rank_error <= 0.01
        assert merged.sketch.cumulative[-1] == whole.sketch.cumulative[-1]


@given(st.lists(FLOATS, max_size=80), st.integers(1, 30))
def test_counting_without_order_is_counting_in_order(values: list[float], bins: int) -> None:
    edges = tuple(np.linspace(-3, 3, bins + 1).tolist())
    given_values = np.array(values, dtype=np.float64)
    ordered = np.sort(given_values)
    present = int(np.searchsorted(ordered, np.nan))
    assert count_unordered(edges, given_values) == count_numbers(edges, ordered[:present], len(ordered) - present)


def test_numbers_that_lie_apart_in_memory_are_counted() -> None:
    table = np.random.default_rng(0).normal(size=(1_000, 3))
    edges = (-4.0, -1.0, 0.0, 1.0, 4.0)
    assert count_unordered(edges, table[:, 1]) == count_unordered(edges, table[:, 1].copy())


@pytest.mark.parametrize("dtype", ["str", "object", "category", "string[pyarrow]", "string[python]"])
def test_text_of_every_make_is_counted_the_same(dtype: str) -> None:
    reference = text_column()
    values = pd.Series(["a", "c", None, "d", "strange", "a"], dtype=dtype)
    expected = Bins(categories=("a", "b", "c"), counts=(2, 0, 1), other=1, unseen=1, missing=1)
    assert count(reference, values) == expected


def test_without_known_categories_nothing_is_unseen() -> None:
    bins = Bins(categories=("a",), counts=(5,))
    counted = count_texts(bins, None, pd.Series(["a", "x", None], dtype=object))
    assert counted == Bins(categories=("a",), counts=(1,), other=1, unseen=0, missing=1)


def test_what_is_no_text_is_left_to_the_slow_way() -> None:
    bins = Bins(categories=("1",), counts=(5,))
    assert count_texts(bins, None, pd.Series([1, "a"], dtype=object)) is None
    assert count_texts(bins, None, pd.Series(["\ud800"], dtype=object)) is None
    assert count_texts(bins, None, pd.Series([1, 2])) is None


def test_a_part_that_cannot_be_read_spoils_its_column_in_any_order() -> None:
    reference = number_column()
    good = Observation.of(reference, np.array([1.0, 2.0]))
    bad, worse = Observation.unreadable(3, "a text", "Convert it"), Observation.unreadable(1, "no such column", "Give")
    one, other = Observation.merged([good, bad, worse]), Observation.merged([worse, Observation.merged([bad, good])])
    assert one.problem == other.problem == ("a text", "Convert it")
    assert one.rows == other.rows == 6
    assert one.profile(reference) is None


def test_values_of_another_kind_are_refused() -> None:
    with pytest.raises(InputError, match="was of kind number and is now of kind text"):
        Observation.of(number_column(), pd.Series(["a", "b"], dtype=object))


def test_times_and_booleans_are_observed() -> None:
    times = pd.Series(pd.date_range("2013-01-01", periods=300, freq="h"))
    flags = pd.Series([True, False, None, True], dtype=object)
    for values in (times, flags):
        reference = profile_column("x", values)
        parts = [Observation.of(reference, values.iloc[:2]), Observation.of(reference, values.iloc[2:])]
        agree(Observation.merged(parts).profile(reference), observe(reference, values))
    assert reference.kind is ColumnKind.BOOLEAN
