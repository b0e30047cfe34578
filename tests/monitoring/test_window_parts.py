"""Windows that wait, pressed, show what they show otherwise; memory does not grow with their parts."""

import tracemalloc
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cellops.data.profile import profile
from cellops.monitoring import window_parts
from cellops.monitoring.drift import compare
from cellops.monitoring.findings import by_code
from cellops.monitoring.labelled_rows import MOST_TOGETHER, LabelledRows, most_of_each
from cellops.monitoring.window_part import WindowPart
from cellops.monitoring.window_parts import TOGETHER, WindowParts
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract, Parity, Schema, Task

COLUMNS, ROWS = 8, 3_000


def table(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame({f"column {place}": random.normal(place, 1, ROWS) for place in range(COLUMNS)})


@pytest.fixture(scope="module")
def contract() -> Contract:
    schema = Schema(inputs=(), task=Task.CLASSIFICATION, target="late", classes=(0, 1))
    return Contract(schema=schema, profile=profile(table(0)), parity=Parity(inputs={}, labels=[]))


def part(contract: Contract, month: int, number: int) -> WindowPart:
    random = np.random.default_rng(number)
    truth = random.integers(0, 2, ROWS)
    rows = np.arange(number * ROWS, (number + 1) * ROWS)
    year = 2000 + month // 12
    start = f"{year}-{month % 12 + 1:02}-01"
    window = Window(start[:7], start, None, table(number), truth, None, truth, rows)
    return WindowPart.of(contract, window)


def parts(contract: Contract, months: int, of_each: int) -> Iterator[WindowPart]:
    """One of each month after the other, again and again."""
    for place in range(of_each):
        for month in range(months):
            yield part(contract, month, place * months + month)


def test_pressed_parts_show_what_all_rows_show(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_parts, "MOST_WAITING", 100_000)  # so that parts are also merged on the way
    held, whole = WindowParts(), {}
    for one in parts(contract, months=3, of_each=TOGETHER):
        held.add(one)
        whole.setdefault(one.label, []).append(one)
    assert [window.label for window in held] == sorted(whole)
    expected = [WindowPart.merged(whole[label]) for label in sorted(whole)]
    reports = [
        compare(contract, windows, package="p", digest="0" * 64, source="s").replace(made="")
        for windows in (held, expected)
    ]
    assert reports[0] == reports[1]
    assert [window.labelled.total for window in held] == [ROWS * TOGETHER] * 3


def test_windows_that_come_in_any_order_stand_in_that_of_time(contract: Contract) -> None:
    held = WindowParts()
    for month in (5, 0, 11, 3):
        held.add(part(contract, month, month))
    assert [window.label for window in held] == ["2000-01", "2000-04", "2000-06", "2000-12"]
    assert [window.label for window in held[1:3]] == ["2000-04", "2000-06"]
    assert held[-1].label == "2000-12"
    with pytest.raises(IndexError):
        held[4]


def test_earlier_windows_keep_fewer_labelled_rows_as_windows_come(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_parts, "most_of_each", lambda windows: 9_000 // windows)
    held, merged = WindowParts(), {}
    for number, one in enumerate(parts(contract, months=12, of_each=3)):
        held.add(one)
        merged.setdefault(one.label, []).append(one.labelled)
        if number % 7 == 0:
            assert sum(window.labelled.kept for window in held) <= 9_000
    report = compare(contract, held, package="p", digest="0" * 64, source="s")
    assert {window.labelled_rows for window in report.windows} == {3 * ROWS}
    assert {window.performance.rows for window in report.windows} == {750}
    (finding,) = by_code(report)["labels-sampled"]
    assert finding.where == "window 2000-01, window 2000-02, window 2000-03 and 9 more"
    assert finding.seen == "its performance is that of 750 of its labelled rows, taken by chance"
    for window in held:
        sample = LabelledRows.merged(merged[window.label], 750)
        assert (window.labelled.total, window.labelled.kept) == (3 * ROWS, 750)
        assert window.labelled.keys.tolist() == sample.keys.tolist()
        assert window.labelled.truth.tolist() == sample.truth.tolist()


def test_all_windows_together_keep_no_more_than_so_many() -> None:
    for windows in (1, 2, 12, 36, 365, 2000):
        assert windows * most_of_each(windows) <= MOST_TOGETHER


def test_memory_grows_with_windows_by_a_part_of_what_they_are(contract: Contract) -> None:
    alone, months = replace(part(contract, 0, 0), labelled=None), 20
    tracemalloc.start()
    try:
        copy = deepcopy(alone)
        one = tracemalloc.get_traced_memory()[0]
        held = WindowParts()
        for number in range(2 * months):
            held.add(replace(deepcopy(alone), label=str(number % months)))
        grown = tracemalloc.get_traced_memory()[0] - one
    finally:
        tracemalloc.stop()
    assert copy.rows == ROWS
    assert len(held) == months
    assert grown < (TOGETHER + 0.6 * months) * one
