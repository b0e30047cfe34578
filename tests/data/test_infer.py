"""A proposed suite holds for its table, reads back as it was written, and is not fitted to chance."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.expectations import check, infer, parse, written
from cellops.data.expectations.shapes import shape_of
from cellops.records.contract import Suite
from cellops.records.finding import Severity
from support.rules import CALLS

ROWS = 200


def trips() -> pd.DataFrame:
    random = np.random.default_rng(0)
    start = pd.Timestamp("2013-02-03") + pd.to_timedelta(random.integers(0, 10_000, ROWS), unit="min")
    return pd.DataFrame(
        {
            "id": np.arange(1000, 1000 + ROWS),
            "origin": random.choice(["EWR", "JFK", "LGA"], ROWS),
            "code": [f"AB-{number:04d}" for number in range(ROWS)],
            "note": [f"{'a' * (number % 7)} {number % 10}" for number in range(ROWS)],
            "distance": random.uniform(17, 4983, ROWS),
            "share": random.uniform(0.01, 0.98, ROWS),
            "late": random.integers(0, 2, ROWS),
            "delay": np.where(random.random(ROWS) < 0.1, np.nan, random.normal(0, 10, ROWS)),
            "start": start,
            "end": start + pd.to_timedelta(random.integers(1, 300, ROWS), unit="min"),
            "mixed": ["x", 1] * (ROWS // 2),
            "none": [None] * ROWS,
            "beyond": [np.inf, 1.0] * (ROWS // 2),
        }
    )


def proposed(table) -> dict[tuple[str, ...], dict[str, dict]]:
    found: dict[tuple[str, ...], dict[str, dict]] = {}
    for one in infer("trips", table).expectations:
        found.setdefault(one.columns, {})[one.rule.removeprefix("expect_column_values_to_")] = one.arguments
    return found


def test_each_column_gets_what_a_person_would_write():
    found = proposed(trips())
    assert set(found["id",]) == {"not_be_null", "be_in_type_list", "be_unique"}
    assert found["origin",]["be_in_set"] == {"value_set": ["EWR", "JFK", "LGA"]}
    assert found["code",]["match_regex"] == {"regex": "^[A-Z]{2}-[0-9]{4}$"}
    assert set(found["note",]) == {"not_be_null", "be_of_type"}
    assert found["distance",]["be_between"] == {"min_value": 0, "max_value": 5500}
    assert found["share",]["be_between"] == {"min_value": 0, "max_value": 1}
    assert found["late",]["be_in_set"] == {"value_set": [0, 1]}
    assert "not_be_null" not in found["delay",]
    assert found["start",]["be_between"] == {"min_value": "2013-01-01"}
    assert ("end", "start") in found
    assert ("start", "end") not in found
    assert set(found["beyond",]) == {"not_be_null", "be_in_type_list"}
    assert ("mixed",) not in found
    assert ("none",) not in found


def test_the_table_itself_satisfies_it_and_every_line_has_a_reason():
    suite = infer("trips", trips())
    result = check(suite, trips())
    assert result.failures() == ()
    assert all(one.reason for one in suite.expectations)
    assert parse("trips", written(suite), {}) == suite


def test_other_kinds_of_tables_suggest_the_same():
    frame = trips()[["id", "origin", "distance", "delay", "start"]]
    assert infer("s", pl.from_pandas(frame)) == infer("s", frame)


def test_the_next_rows_of_the_same_source_still_satisfy_it():
    random = np.random.default_rng(1)
    first, then = (pd.DataFrame({"n": random.normal(size=2000), "c": random.choice(list("abcd"), 2000)}) for _ in "ab")
    assert check(infer("s", first), then).passed


@pytest.mark.parametrize("rule", sorted(CALLS))
def test_any_expectation_reads_back_as_it_was_written(rule):
    (one,) = parse("s", rule + CALLS[rule], {}).expectations
    one = one.replace(severity=Severity.WARNING, mostly=0.25, reason="it's \"so\"\nthere\\n'")
    suite = Suite(name="s", expectations=(one,))
    assert parse("s", written(suite), {}) == suite


numbers = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(2**40), 2**40)
texts = st.text(max_size=4) | st.none()
columns = st.lists(numbers, min_size=1, max_size=30) | st.lists(texts, min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(columns)
def test_no_column_is_refused_by_what_it_suggests(values):
    table = {"c": np.array([*values, None], dtype=object)[:-1]}
    suite = infer("s", table)
    assert check(suite, table).failures() == ()
    assert parse("s", written(suite), {}) == suite


@pytest.mark.parametrize(
    ("values", "regex"),
    [
        (["a@b.org", "c.d@e.com"], r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"),
        (["2013-01-01", "2014-05-06"], r"^\d{4}-\d{2}-\d{2}$"),
        (["001", "999"], "^[0-9]{3}$"),
        (["a.b", "c.d"], r"^[a-z]\.[a-z]$"),
        (["word", "form"], None),
        (["AB", "ABC"], None),
        ([""], None),
        ([], None),
    ],
)
def test_forms_are_those_that_a_person_sees(values, regex):
    shape = shape_of(values) if values else None
    assert (shape and shape.regex) == regex


def test_ranges_of_integers_end_in_integers():
    found = infer("trips", {"month": np.full(30, 4), "part": np.array([0.36, 3.9] * 15)}).expectations
    bounds = [(one.arguments["min_value"], one.arguments["max_value"]) for one in found if "between" in one.rule]
    assert bounds == [(3, 5), (0, 4.3)]
