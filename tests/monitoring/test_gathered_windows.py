"""Rows of windows wait for more of them, none is lost, and none is changed by being put beside others."""

import pandas as pd
import pytest

from cellops.monitoring.gathered_windows import GatheredWindows
from cellops.monitoring.windows import Window


def rows(label: str, first: int, count: int, **columns: object) -> Window:
    frame = pd.DataFrame({"number": range(first, first + count), **columns}, index=range(first, first + count))
    return Window(label=label, start=None, end=None, frame=frame)


def numbers(windows: list[Window]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for window in windows:
        assert window.frame.index.tolist() == window.frame["number"].tolist()
        found.setdefault(window.label, []).extend(window.frame["number"].tolist())
    return found


def test_rows_wait_until_there_are_enough_of_their_window() -> None:
    gathered = GatheredWindows(enough=10, most_values=1_000)
    assert list(gathered.add(rows("may", 0, 4))) == []
    assert list(gathered.add(rows("june", 4, 4))) == []
    assert list(gathered.add(rows("may", 8, 5))) == []
    assert numbers(list(gathered.add(rows("may", 13, 1)))) == {"may": [0, 1, 2, 3, 8, 9, 10, 11, 12, 13]}
    assert numbers(list(gathered.add(rows("may", 20, 12)))) == {"may": list(range(20, 32))}
    assert numbers(list(gathered.rest())) == {"june": [4, 5, 6, 7]}
    assert list(gathered.rest()) == []


def test_no_more_values_wait_than_memory_may_hold() -> None:
    gathered = GatheredWindows(enough=1_000, most_values=50)
    out = [window for place in range(30) for window in gathered.add(rows(str(place % 3), 2 * place, 2))]
    assert len(out) == 3  # all at once, the first time that there are too many
    assert sum(map(len, numbers([*out, *gathered.rest()]).values())) == 60


@pytest.mark.parametrize("other", [{"size": [1, 2]}, {"size": [True, False], "more": 1}])
def test_rows_of_other_types_or_columns_stay_by_themselves(other: dict[str, object]) -> None:
    gathered = GatheredWindows(enough=1_000)
    assert list(gathered.add(rows("may", 0, 2, size=[True, False]))) == []
    (first,) = gathered.add(rows("may", 2, 2, **other))
    assert first.frame["size"].tolist() == [True, False]
    (second,) = gathered.rest()
    assert second.frame["number"].tolist() == [2, 3]
    assert second.frame["size"].tolist() == other["size"]
