from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cellops.data.buckets import FEW, MOST, Sketch
from cellops.data.column import Numbers
from cellops.stats.samples import distribution

LARGEST = float(np.finfo(np.float64).max)
SMALLEST = float(np.nextafter(0, 1))


def whole_range(generator: np.random.Generator, rows: int) -> Numbers:
    bits = generator.integers(0, 0x7FF0000000000000, rows)
    return bits.view(np.float64) * generator.choice([-1.0, 1.0], rows)


SHAPES: dict[str, Callable[[np.random.Generator, int], Numbers]] = {
    "normal": lambda generator, rows: generator.normal(size=rows),
    "shifted": lambda generator, rows: 1000 + generator.normal(size=rows) / 1000,
    "lognormal": lambda generator, rows: generator.lognormal(0, 3, rows),
    "pareto": lambda generator, rows: 1 + generator.pareto(0.7, rows),
    "zeros": lambda generator, rows: np.where(generator.random(rows) < 0.4, 0.0, generator.normal(size=rows)),
    "lattice": lambda generator, rows: generator.integers(-(10**6), 10**6, rows).astype(np.float64),
    "whole range": whole_range,
}


def drawn(shape: str, rows: int, seed: int) -> Numbers:
    """Numbers of which there are too many different ones for an exact sketch, where there are many rows."""
    return SHAPES[shape](np.random.default_rng(seed), rows)


numbers = st.one_of(
    st.builds(drawn, st.sampled_from(sorted(SHAPES)), st.integers(1, 3 * MOST), st.integers(0, 2**32)),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=50).map(
        lambda held: np.array(held, dtype=float)
    ),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(numbers, min_size=1, max_size=5), st.randoms(use_true_random=False))
@example([np.array([0.0]), np.array([-0.0])], None)
@example([drawn("lattice", FEW + 1, 0), np.array([LARGEST])], None)
@example([drawn("normal", FEW + 1, 0), np.array([-LARGEST, LARGEST])], None)
@example([drawn("shifted", 1, 0), drawn("shifted", FEW + 1, 0)], None)
@example([np.array([0.0]), SMALLEST * np.arange(-FEW, FEW)], None)
@example([np.array([]), np.array([LARGEST, -LARGEST, SMALLEST, -SMALLEST])], None)
def test_parts_that_are_merged_in_any_order_give_the_sketch_of_the_whole(parts: list[Numbers], order: object) -> None:
    whole = Sketch.of(np.concatenate(parts))

    assert Sketch.merged(Sketch.of(part) for part in parts) == whole
    sketches = [Sketch.of(part) for part in parts]
    while len(sketches) > 1:  # two at a time, any two
        if order is not None:
            order.shuffle(sketches)  # type: ignore[attr-defined]
        sketches = [Sketch.merged(sketches[:2]), *sketches[2:]]
    assert sketches[0] == whole
    assert whole.rows == sum(map(len, parts))


@settings(deadline=None, max_examples=60)
@given(numbers.filter(len))
def test_no_rank_is_farther_off_than_is_stated(values: Numbers) -> None:
    ordered, told = np.sort(values), Sketch.of(values).quantile_sketch()

    points, rows = np.array(told.values), len(values)
    most = told.rank_error * rows + 1e-6  # the error is a share, and rounded
    at_or_below = np.searchsorted(ordered, points, side="right")
    assert np.abs(at_or_below - np.array(told.cumulative)).max() <= most
    assert told.cumulative[-1] == rows
    assert (np.diff(points) > 0).all()
    assert distribution(told).values.tolist() == list(told.values)
    below = np.array(told.below or (0, *told.cumulative[:-1]))
    assert np.abs(np.searchsorted(ordered, points) - below).max() <= most
    # Between two points no more rows lie than that.
    between = np.searchsorted(ordered, points[1:]) - at_or_below[:-1]
    assert between.max(initial=0) <= most


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=200))
def test_few_distinct_values_are_kept_as_they_are(values: Sequence[float]) -> None:
    told = Sketch.of(np.array(values)).quantile_sketch()

    distinct, counts = np.unique(np.array(values) + 0.0, return_counts=True)
    assert told.values == tuple(distinct.tolist())
    assert told.cumulative == tuple(counts.cumsum().tolist())
    assert told.rank_error == 0


@pytest.mark.parametrize(
    ("shape", "most"), [("normal", 0.004), ("shifted", 0.004), ("lognormal", 0.01), ("zeros", 0.004)]
)
def test_ranks_of_usual_shapes_are_known_to_less_than_a_hundredth(shape: str, most: float) -> None:
    assert 0 < Sketch.of(drawn(shape, 200_000, 7)).quantile_sketch().rank_error < most


def test_a_value_that_many_rows_share_costs_no_rank() -> None:
    values = drawn("zeros", 100_000, 3)
    told = Sketch.of(values).quantile_sketch()

    place = told.values.index(0.0)
    assert told.cumulative[place] - told.below[place] == np.count_nonzero(values == 0)


def test_each_scale_fills_no_more_buckets_than_it_may() -> None:
    for shape in SHAPES:
        sketch = Sketch.of(drawn(shape, 50_000, 1))
        for levelled in (sketch.relative, sketch.even):
            assert levelled is not None
            assert len(levelled.buckets.keys) <= MOST
        widest = min(one.widest for one in (sketch.relative, sketch.even) if one is not None)
        assert widest < 0.02 * sketch.rows


def test_values_of_many_digits_are_not_kept_beyond_few() -> None:
    generator = np.random.default_rng(5)
    sketch = Sketch.of(np.append(generator.normal(size=FEW), np.repeat([19.99, 0.1 + 0.2], 100)))

    assert sketch.even is not None
    known = sketch.even.buckets.values
    assert known[~np.isnan(known)].tolist() == [19.99]
