"""What is shown of a summary, against pandas; and the picture, which nobody's names can break out of."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.buckets import Sketch
from cellops.data.summary.figures import figures
from cellops.data.summary.findings import findings
from cellops.data.summary.picture import MOST, picture
from cellops.data.summary.quantiles import histogram, quantiles
from cellops.data.summary.summarize import summarize
from cellops.records.summary import Profiled

SHARES = np.linspace(0, 1, 21)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
def test_quantiles_of_few_values_are_those_of_numpy(values: list[float]) -> None:
    assert quantiles(Sketch.of(np.array(values)), SHARES) == pytest.approx(np.quantile(values, SHARES), abs=1e-6)


@pytest.mark.parametrize("shape", ["normal", "lognormal", "integers"])
def test_quantiles_of_many_values_are_off_by_the_stated_rank_at_most(shape: str) -> None:
    generator = np.random.default_rng(3)
    values = {
        "normal": generator.normal(1e4, 1, 100_000),
        "lognormal": generator.lognormal(0, 2, 100_000),
        "integers": generator.integers(0, 10**6, 100_000).astype(float),
    }[shape]
    sketch = Sketch.of(values)
    ranks = np.searchsorted(np.sort(values), quantiles(sketch, SHARES)) / len(values)

    assert np.abs(ranks - SHARES).max() <= sketch.quantile_sketch().rank_error + 1e-5


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=700))
def test_a_histogram_has_all_rows(values: list[float]) -> None:
    counts, (low, high) = histogram(Sketch.of(np.array(values)))

    assert sum(counts) == len(values)
    assert low <= high


def test_figures_are_those_of_pandas() -> None:
    generator = np.random.default_rng(0)
    x = pd.Series(generator.gamma(2, size=5_000))
    number = figures(summarize(pd.DataFrame({"x": x})))[0].numbers

    assert number is not None
    assert number.mean == pytest.approx(x.mean())
    assert number.deviation == pytest.approx(x.std())
    assert number.skewness == pytest.approx(x.skew(), rel=1e-2)
    assert number.quantiles == pytest.approx(x.quantile([0, 0.25, 0.5, 0.75, 1]), rel=1e-2)
    assert (number.quantiles[0], number.quantiles[-1]) == (x.min(), x.max())


def drawn(table: pd.DataFrame) -> str:
    summary = summarize(table)
    return picture(Profiled(name="df", rows=summary.rows, columns=figures(summary), findings=findings(summary)))


def test_names_and_values_of_others_are_shown_and_not_obeyed() -> None:
    evil = "<script>alert(1)</script>\x1b[31m\"' & </style>"
    html = drawn(pd.DataFrame({evil: [evil, "x"] * 20, "n": [1.0, np.inf] * 20, "m": [1, evil] * 20}))

    assert "<script" not in html
    assert "\x1b" not in html
    inside = re.sub(r"<style>.*?</style>", "", html, count=1, flags=re.DOTALL)
    shown = "".join(ET.fromstring(inside).itertext())
    assert "<script>alert(1)</script>" in shown
    assert html.count("</style>") == 1


def test_a_picture_of_every_kind_is_sound_and_one_of_many_columns_is_cut() -> None:
    columns = {f"c{number}": [number, 1, 2] for number in range(MOST + 5)}
    html = drawn(pd.DataFrame(columns))
    assert "and 5 more columns" in html
    times = pd.date_range("2013-01-01", periods=4, tz="UTC")
    table = pd.DataFrame(
        {"t": times, "b": [True, False, None, True], "l": [[1], None, [2], [3]], "e": None, "s": list("abcd"), "k": 7}
    )
    for one in (table, table.iloc[:0], table[[]]):
        ET.fromstring(re.sub(r"<style>.*?</style>", "", drawn(one), flags=re.DOTALL))
