"""Alarms: a budget over windows in the order of time, that no later window changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.errors import AlarmError, InputError
from cellops.flows.alarms import refuse
from cellops.monitoring.alarms import alarmed
from cellops.records.drift import ColumnDrift, DriftReport, DriftVerdict, StatisticResult, WindowDrift
from cellops.records.profile import ColumnKind

effects = st.floats(0, 2)
p_values = st.floats(0, 1)
shown = st.lists(st.tuples(effects, p_values), max_size=6)


def column(name: str, effect: float, p_value: float | None) -> ColumnDrift:
    results = (
        StatisticResult(statistic="psi", value=effect),
        StatisticResult(statistic="chi_squared", value=1.0, p_value=p_value),
    )
    return ColumnDrift(column=name, kind=ColumnKind.NUMBER, verdict=DriftVerdict.STABLE, current=None, results=results)


def window(number: int, *moved: tuple[float, float | None], start: str | None = None) -> WindowDrift:
    columns = tuple(column(f"c{place}", *one) for place, one in enumerate(moved))
    return WindowDrift(label=str(number), start=start, end=None, rows=1000, columns=columns)


def report(*windows: WindowDrift) -> DriftReport:
    return DriftReport(
        package="p", digest="0", made="", source="", reference_rows=1, reference_performance=None, windows=windows
    )


@given(st.lists(shown, min_size=1, max_size=12), st.lists(shown, max_size=6), st.floats(0.001, 0.5))
def test_an_alarm_never_changes_when_later_windows_come(
    first: list[list[tuple[float, float]]], later: list[list[tuple[float, float]]], rate: float
) -> None:
    windows = [window(number, *moved) for number, moved in enumerate([*first, *later])]
    alone = alarmed(windows[: len(first)], rate)
    assert alarmed(windows, rate)[: len(first)] == alone


@given(st.lists(shown, min_size=1, max_size=8))
def test_an_alarm_needs_a_column_that_moved_and_a_p_value_within_its_level(
    moved: list[list[tuple[float, float]]],
) -> None:
    for one in alarmed([window(number, *columns) for number, columns in enumerate(moved)]):
        if one.alarm is None:
            assert not one.columns
        else:
            assert one.alarm.raised == (one.alarm.p_value <= one.alarm.level)
            far = [c for c in one.columns if c.result("psi").value >= 0.1]
            assert far or not one.alarm.raised
            assert 0 <= one.alarm.level < 0.05


def test_before_the_first_alarm_the_levels_sum_to_no_more_than_half_of_the_rate() -> None:
    quiet = alarmed([window(number, (0.0, 1.0)) for number in range(2000)], 0.1)
    assert sum(one.alarm.level for one in quiet) <= 0.05


def test_the_p_value_is_that_of_simes_over_columns_output_and_relations() -> None:
    others = {"output": column("o", 0.5, 0.02), "relations": column("r", 0.01, 1e-9)}
    (one,) = alarmed([window(0, (0.5, 0.01), (0.3, 0.03)).replace(**others)])
    assert one.alarm.p_value == pytest.approx(4 * 0.03 / 3)  # the relations did not move, and count as 1


def test_a_large_change_without_a_test_is_no_alarm() -> None:
    (one,) = alarmed([window(0, (5.0, None))])
    assert one.alarm.p_value == 1.0


def test_a_window_without_anything_to_judge_costs_nothing() -> None:
    quiet, empty = window(0, (0.0, 1.0)), window(1)
    with_it = alarmed([quiet, empty, quiet])
    assert with_it[1].alarm is None
    assert [with_it[0].alarm, with_it[2].alarm] == [one.alarm for one in alarmed([quiet, quiet])]


def test_windows_are_tested_in_the_order_of_time() -> None:
    late = window(1, (0.0, 1.0), start="2013-02-01")
    early = window(0, (0.9, 0.0), start="2013-01-01")
    first, second = alarmed([late, early])
    assert second.alarm.raised
    assert second.alarm.level == alarmed([early])[0].alarm.level
    assert first.alarm.level == alarmed([early, late])[1].alarm.level


@pytest.mark.parametrize("rate", [0.0, 1.0, 1.5])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        alarmed([window(0, (0.0, 1.0))], rate)


def test_whoever_asks_for_it_is_stopped_by_an_alarm_that_names_its_windows() -> None:
    quiet, moved = window(0, (0.0, 1.0)), window(1, (0.9, 0.0))
    refuse(report(*alarmed([quiet])))
    with pytest.raises(AlarmError, match="an alarm in 1, and 1 more") as refused:
        refuse(report(*alarmed([quiet, moved, moved.replace(label="2")])))
    assert refused.value.data["windows"] == ["1", "2"]
