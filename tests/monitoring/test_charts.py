"""Ticks of charts, whatever the figures are."""

import math
from itertools import combinations_with_replacement

import pytest

from cellops.monitoring.charts import line_chart
from cellops.records.contract import Measure

LARGEST = 1.7976931348623157e308
VALUES = [0.0, 5e-324, 1e-310, 1e-20, 4e-16, 4.1e-16, 1 - 1e-16, 1.0, 1e16, 1e16 + 2, -1.0, -LARGEST, LARGEST]


@pytest.mark.parametrize("ends", list(combinations_with_replacement(VALUES, 2)))
def test_any_two_figures_have_distinct_ticks_around_them(ends: tuple[float, float]) -> None:
    chart = line_chart(["a", "b"], [Measure(name="rmse", value=end) for end in ends], None, [False, False])
    places = [tick.place for tick in chart.upward]
    assert all(math.isfinite(place) for place in places)
    assert places == sorted(set(places), reverse=True)
    assert 2 <= len(places) <= 9
    for point in chart.points:
        assert places[-1] - 1e-6 <= point.y <= places[0] + 1e-6


@pytest.mark.parametrize(
    ("ends", "texts"),
    [((0.43, 0.87), ["0.4", "0.6", "0.8", "1"]), ((1e-16, 4e-16), ["1e-16", "2e-16", "3e-16", "4e-16"])],
)
def test_ticks_are_round(ends: tuple[float, float], texts: list[str]) -> None:
    chart = line_chart(["a", "b"], [Measure(name="rmse", value=end) for end in ends], None, [False, False])
    assert [tick.text for tick in chart.upward] == texts
