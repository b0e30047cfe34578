"""A join that knows too much is caught, by its times and by its values."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.features.leakage import check_leakage
from cellops.data.features.point_in_time import point_in_time
from cellops.errors import InputError

LABELS = pd.DataFrame({"id": [1, 1, 2], "at": [3, 9, 9]})
EVENTS = pd.DataFrame({"id": [1, 1, 1], "at": [1, 4, 10], "balance": [10.0, 40.0, 100.0]})


def test_the_join_that_everyone_writes_first_is_caught() -> None:
    newest = EVENTS.drop_duplicates("id", keep="last").drop(columns="at")
    wrong = LABELS.merge(newest, on="id", how="left")
    (finding,) = check_leakage(wrong, time="at", events=EVENTS, key="id")
    assert finding.code == "feature-not-known-then"
    assert finding.seen == "balance is not what was known at at in 2 of 3 rows, rows 0, 1"


def test_the_nearest_event_is_no_point_in_time_join() -> None:
    ordered = [LABELS.sort_values("at"), EVENTS.sort_values("at").assign(seen=EVENTS["at"])]
    wrong = pd.merge_asof(*ordered, on="at", by="id", direction="nearest")
    found = check_leakage(wrong, time="at", event_times="seen", events=EVENTS, key="id")
    assert [one.code for one in found] == ["feature-from-the-future", "feature-not-known-then"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=10))
def test_the_right_join_is_clean(rows: list[tuple[int, int, int]]) -> None:
    events = pd.DataFrame(rows, columns=["id", "at", "known"]).assign(v=range(len(rows)))
    joined = point_in_time(LABELS, {"e": events}, key="id", time="at", known_at="known", with_times=True, findings=[])
    given = {"event_times": ["e_at", "e_known"], "events": {"e": events}, "known_at": "known"}
    assert check_leakage(joined, time="at", key="id", **given) == []


def test_nothing_to_compare_with_is_said() -> None:
    with pytest.raises(InputError, match="Nothing says when"):
        check_leakage(LABELS, time="at")
    with pytest.raises(InputError, match="no column seen"):
        check_leakage(LABELS, time="at", event_times="seen")
    with pytest.raises(InputError, match="none of the features"):
        check_leakage(LABELS, time="at", events=EVENTS, key="id")
