"""What every drift statistic promises; they are discovered, so that the next one is tested unasked."""

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cellops.stats
from cellops.errors import InputError
from cellops.monitoring.statistics import OVER_COUNTS, OVER_SKETCHES, OVER_TEXTS, TESTS_OF_COUNTS
from cellops.records.drift import StatisticResult
from cellops.records.profile import QuantileSketch, TextProfile
from cellops.stats.domain_classifier import domain_classifier
from cellops.stats.samples import Values
from cellops.stats.tables import Table

ONE_SIDED = {"domain_classifier", "kullback_leibler", "normalised_wasserstein", "reconstruction_error", "text_length"}
LARGEST = float(np.finfo(np.float64).max)
REASONS = {"not enough data", "constant", "all missing", "infinite values", "known from a grid only"}


def discovered() -> list[Callable[..., StatisticResult]]:
    """Public functions named like their module that compare two sides and answer with a StatisticResult."""
    names = [module.name for module in pkgutil.iter_modules(cellops.stats.__path__)]
    found = [getattr(importlib.import_module(f"cellops.stats.{name}"), name, None) for name in names]
    answering = [
        f for f in found if inspect.isfunction(f) and inspect.signature(f).return_annotation is StatisticResult
    ]
    return [f for f in answering if len(inspect.signature(f).parameters) == 2]


def taken(statistic: Callable[..., StatisticResult]) -> Any:
    return next(iter(inspect.signature(statistic).parameters.values())).annotation


def takes_tables(statistic: Callable[..., StatisticResult]) -> bool:
    return taken(statistic) == Table


def takes_sketches(statistic: Callable[..., StatisticResult]) -> bool:
    return taken(statistic) == Values


def takes_texts(statistic: Callable[..., StatisticResult]) -> bool:
    return taken(statistic) is TextProfile


def side(statistic: Callable[..., StatisticResult], counts: list[int]) -> Any:
    """The same rows, as the statistic takes them: bin i holds the value i, or the word i; the last is not known."""
    if takes_sketches(statistic):
        return exact_sketch(counts)
    return texts(counts, sum(counts)) if takes_texts(statistic) else counts


def exact_sketch(counts: list[int]) -> QuantileSketch:
    there = [value for value, count in enumerate(counts) if count]
    cumulative = np.cumsum(np.array(counts, dtype=object)[there]).tolist() if there else []
    return QuantileSketch(values=tuple(map(float, there)), cumulative=tuple(cumulative))


def texts(counts: list[int], rows: int) -> TextProfile:
    lengths = QuantileSketch(values=(9.0,), cumulative=(max(rows, 1),))
    words, unseen = tuple(f"word{place}" for place in range(len(counts))), counts[-1] if len(counts) > 1 else 0
    return TextProfile(lengths=lengths, words=words, rows_with=tuple(counts), rows=rows, unseen=unseen)


each = pytest.mark.parametrize("statistic", discovered(), ids=lambda f: f.__name__)
every = pytest.mark.parametrize("statistic", [f for f in discovered() if not takes_tables(f)], ids=lambda f: f.__name__)
over_tables = pytest.mark.parametrize(
    "statistic", [f for f in discovered() if takes_tables(f)], ids=lambda f: f.__name__
)
pairs = st.integers(1, 12).flatmap(
    lambda bins: st.tuples(*[st.lists(st.integers(0, 10_000), min_size=bins, max_size=bins)] * 2)
)


def test_the_report_uses_them() -> None:
    counts = {**OVER_COUNTS, **TESTS_OF_COUNTS}
    used = {**counts, **OVER_SKETCHES, **OVER_TEXTS}
    assert set(used.values()) < set(discovered())
    assert all(takes_sketches(statistic) for statistic in OVER_SKETCHES.values())
    assert not any(takes_sketches(statistic) for statistic in counts.values())


@each
def test_it_is_documented(statistic: Callable[..., StatisticResult]) -> None:
    text = inspect.getdoc(statistic) or ""
    for section in (".. math::", "Parameters\n", "Returns\n", "Raises\n", "References\n", ">>> "):
        assert section in text, section
    assert list(inspect.signature(statistic).parameters) == ["reference", "current"]


@every
def test_an_effect_lies_in_its_interval(statistic: Callable[..., StatisticResult]) -> None:
    small, large = [[40, 30, 20, 10], [10, 20, 30, 40]], [[4000, 3000, 2000, 1000], [1000, 2000, 3000, 4000]]
    few, many = (statistic(*[side(statistic, counts) for counts in pair]).effect for pair in (small, large))
    assert few
    assert many
    assert few.method == many.method
    assert few.low <= few.value <= few.high
    assert few.low < many.low < many.value < many.high < few.high or few.high == 1
    assert many.value == pytest.approx(few.value, abs=0.05)


@every
def test_an_effect_of_sides_that_do_not_differ_may_be_none(statistic: Callable[..., StatisticResult]) -> None:
    random = np.random.default_rng(5)
    lows = [
        statistic(
            *[side(statistic, random.multinomial(400, [0.4, 0.3, 0.2, 0.1]).tolist()) for _ in range(2)]
        ).effect.low
        for _ in range(60)
    ]
    assert np.count_nonzero(lows) <= 6


@every
def test_the_same_rows_have_not_moved(statistic: Callable[..., StatisticResult]) -> None:
    rows = side(statistic, [30, 0, 500, 20])
    result = statistic(rows, rows)
    assert result.computed
    assert result.value == pytest.approx(0.0, abs=1e-12)
    assert result.p_value is None or result.p_value == pytest.approx(1.0)
    assert result.statistic == statistic.__name__
    assert (result.reference_rows, result.current_rows) == (550, 550)


@every
def test_more_shift_gives_a_larger_figure(statistic: Callable[..., StatisticResult]) -> None:
    reference = side(statistic, [400, 300, 200, 100])
    near = statistic(reference, side(statistic, [380, 300, 210, 110]))
    far = statistic(reference, side(statistic, [100, 200, 300, 400]))
    assert near.value < far.value
    assert near.p_value is None or near.p_value > far.p_value


@every
@settings(deadline=None, max_examples=50)
@given(pair=pairs)
def test_it_answers_with_a_finite_figure_or_a_reason(
    statistic: Callable[..., StatisticResult], pair: tuple[list[int], list[int]]
) -> None:
    result = statistic(side(statistic, pair[0]), side(statistic, pair[1]))
    if result.computed:
        assert result.reason is None
        assert np.isfinite(result.value)
        assert result.value >= 0
        assert result.p_value is None or 0 <= result.p_value <= 1
    else:
        assert result.reason
        assert result.value is None
        assert result.p_value is None
    assert StatisticResult.from_json(result.to_json()) == result


@every
@settings(deadline=None, max_examples=50)
@given(pair=pairs)
def test_it_is_symmetric_unless_it_says_otherwise(
    statistic: Callable[..., StatisticResult], pair: tuple[list[int], list[int]]
) -> None:
    if statistic.__name__ in ONE_SIDED:
        assert "not symmetric" in (inspect.getdoc(statistic) or "")
        return
    there = statistic(side(statistic, pair[0]), side(statistic, pair[1]))
    back = statistic(side(statistic, pair[1]), side(statistic, pair[0]))
    assert there.computed == back.computed
    if there.computed:
        assert there.value == pytest.approx(back.value, abs=1e-9, rel=1e-9)


@every
@pytest.mark.parametrize("empty", [0, 1])
def test_a_side_without_rows_has_a_reason(statistic: Callable[..., StatisticResult], empty: int) -> None:
    sides = [[5, 5], [5, 5]]
    sides[empty] = [0, 0]
    result = statistic(*[side(statistic, counts) for counts in sides])
    assert not result.computed
    assert result.reason in {"not enough data", "all missing"}


@every
def test_rows_of_one_value_are_no_accident(statistic: Callable[..., StatisticResult]) -> None:
    result = statistic(side(statistic, [50]), side(statistic, [70]))
    assert result.value == 0 if result.computed else result.reason == "constant"


@every
def test_a_wrong_input_is_refused(statistic: Callable[..., StatisticResult]) -> None:
    good = side(statistic, [5, 5])
    crossed = QuantileSketch(values=(2.0, 1.0), cumulative=(1, 2))
    wrong = [[5, 5, 5], [-1, 5], [float("nan"), 5], [[5, 5]]]
    if takes_texts(statistic):
        wrong = [texts([-1, 40], 10), texts([20, 11], 10)]
    for bad in [crossed] if takes_sketches(statistic) else wrong:
        with pytest.raises(InputError):
            statistic(good, bad)


extreme_counts = st.integers(1, 4).flatmap(
    lambda bins: st.tuples(
        *[st.lists(st.sampled_from([0, 1, 2, 19, 5000, 2**53, 2**62]), min_size=bins, max_size=bins)] * 2
    )
)
extreme_values = st.lists(
    st.sampled_from([0.0, -0.0, 1.0, 5e-324, -1e-308, 1e16, LARGEST, -LARGEST, np.inf, -np.inf, np.nan])
    | st.floats(-10, 10),
    max_size=12,
)


def answers(statistic: Callable[..., StatisticResult], before: Any, after: Any) -> None:
    """Never NaN, never a negative zero, never an error but that of a wrong input; warnings are errors anyway."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            result = statistic(before, after)
        except InputError:
            return
    assert result.computed != (result.reason in REASONS)
    measures = [] if result.effect is None else [result.effect.value, result.effect.low, result.effect.high]
    figures = [figure for figure in [result.value, result.p_value, result.error, *measures] if figure is not None]
    assert result.computed == (result.value is not None)
    assert np.isfinite(figures).all()
    assert not np.signbit(figures).any()
    assert result.p_value is None or result.p_value <= 1
    assert StatisticResult.from_json(result.to_json()) == result


@every
@settings(deadline=None, max_examples=40)
@given(pair=extreme_counts)
@example(pair=([0, 0, 0, 1], [2**62] * 4))
def test_it_answers_whatever_the_counts(
    statistic: Callable[..., StatisticResult], pair: tuple[list[int], list[int]]
) -> None:
    answers(statistic, *[side(statistic, counts) for counts in pair])


@every
def test_it_answers_where_all_rows_are_apart_or_one(statistic: Callable[..., StatisticResult]) -> None:
    for most in (1, 2**31, 2**53, 2**62):
        for pair in (([most, 0], [0, most]), ([1, 0], [0, most]), ([most, 1], [1, most]), ([most, most], [most, most])):
            answers(statistic, *[side(statistic, counts) for counts in pair])


@pytest.mark.parametrize("statistic", [f for f in discovered() if takes_sketches(f)], ids=lambda f: f.__name__)
@settings(deadline=None, max_examples=60)
@given(before=extreme_values, after=extreme_values)
def test_it_answers_whatever_the_values(
    statistic: Callable[..., StatisticResult], before: list[float], after: list[float]
) -> None:
    answers(statistic, before, after)
    answers(statistic, np.abs(before), np.abs(after))


def table(rows: int, seed: int, correlation: float = 0.8) -> Table:
    """Three columns, each with mean 0 and variance 1."""
    common, own = np.random.default_rng(seed).normal(size=(2, rows, 3))
    return np.sqrt(correlation) * common[:, :1] + np.sqrt(1 - correlation) * own


@over_tables
def test_tables_that_do_not_differ_raise_no_alarm(statistic: Callable[..., StatisticResult]) -> None:
    same = table(150, 1)
    assert statistic(same, same).p_value > 0.1
    result = statistic(table(150, 1), table(120, 2))
    assert result.p_value > 0.01
    assert result.effect.low <= result.effect.value <= result.effect.high
    assert (result.statistic, result.reference_rows, result.current_rows) == (statistic.__name__, 150, 120)
    assert StatisticResult.from_json(result.to_json()) == result


@over_tables
def test_a_correlation_that_is_lost_is_found_and_the_answer_is_always_the_same(
    statistic: Callable[..., StatisticResult],
) -> None:
    near, far = statistic(table(300, 1), table(300, 2, 0.6)), statistic(table(300, 1), table(300, 2, 0.0))
    assert near.value < far.value
    assert far.p_value < 0.01
    assert far == statistic(table(300, 1), table(300, 2, 0.0))


@over_tables
def test_a_table_that_says_nothing_has_a_reason(statistic: Callable[..., StatisticResult]) -> None:
    whole, empty = table(50, 1), np.zeros((0, 3))
    assert statistic(empty, whole).reason == statistic(whole, empty).reason == "not enough data"
    assert statistic(whole, whole * np.inf).reason == (
        "infinite values" if statistic is not domain_classifier else None
    )
    constant = statistic(np.ones((50, 3)), np.ones((60, 3)))
    assert constant.value == 0 if constant.computed else constant.reason == "constant"


@over_tables
@pytest.mark.parametrize("bad", [np.zeros((50, 2)), np.zeros(50), [["a", "b", "c"]]])
def test_a_table_of_other_columns_is_refused(statistic: Callable[..., StatisticResult], bad: Any) -> None:
    with pytest.raises(InputError):
        statistic(table(50, 1), bad)
