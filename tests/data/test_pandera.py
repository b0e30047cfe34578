"""Schemas of the real pandera as suites and back, with the same verdicts."""

import numpy as np
import pandas as pd
import pytest

from cellops.data.expectations import check, from_pandera, infer, parse, to_pandera
from cellops.errors import ExpectationError
from cellops.records.finding import Severity

pa = pytest.importorskip("pandera.pandas")


def schema():
    check_ = pa.Check
    return pa.DataFrameSchema(
        {
            "n": pa.Column("int64", [check_.ge(0), check_.lt(10), check_.notin([7])]),
            "x": pa.Column(float, [check_.in_range(0, 1, include_max=False, raise_warning=True)], nullable=True),
            "t": pa.Column(str, [check_.str_matches("[a-z]+"), check_.str_length(1, 3)], nullable=True),
            "u": pa.Column(object, [check_.isin(["a", "b", "c", "d"], description="four letters")], unique=True),
            "d": pa.Column("datetime64[ns]", [check_.gt(pd.Timestamp("2013-01-01"))]),
        },
        unique=["n", "t"],
        strict=True,
        name="trips",
    )


def frame(**changes) -> pd.DataFrame:
    good = {
        "n": [1, 2, 3, 1],
        "x": [0.0, 0.5, np.nan, 0.9],
        "t": ["a", "ab", None, "abc"],
        "u": pd.Series(["a", "b", "c", "d"], dtype=object),
        "d": pd.to_datetime(["2013-01-02"] * 4).as_unit("ns"),
    }
    return pd.DataFrame(good | changes)


TABLES = {
    "good": frame(),
    "number below": frame(n=[-1, 2, 3, 4]),
    "forbidden number": frame(n=[1, 7, 3, 4]),
    "another type": frame(n=[1.0, 2.0, 3.0, 4.0]),
    "missing": frame(u=pd.Series(["a", None, "c", "d"], dtype=object)),
    "long text": frame(t=["a", "abcd", None, "x"]),
    "text elsewhere": frame(t=["a", "1ab", None, "x"]),
    "twice": frame(u=pd.Series(["a", "a", "c", "d"], dtype=object)),
    "twice together": frame(n=[1, 1, 1, 1], t=["a", "a", "b", "c"]),
    "early": frame(d=pd.to_datetime(["2012-01-02"] * 4).as_unit("ns")),
    "one more column": frame(more=1),
    "one column less": frame().drop(columns="d"),
}


def holds(schema_, table) -> bool:
    try:
        schema_.validate(table, lazy=True)
    except pa.errors.SchemaErrors:
        return False
    return True


@pytest.mark.parametrize("table", TABLES)
def test_verdicts_are_those_of_the_real_package_there_and_back(table):
    found = []
    suite = from_pandera(schema(), findings=found)
    assert [finding.where for finding in found] == ["u, expect_column_values_to_be_of_type"]
    expected = holds(schema(), TABLES[table])
    assert check(suite, TABLES[table]).passed == expected
    assert holds(to_pandera(suite), TABLES[table]) == expected


def test_names_reasons_and_severities_are_kept():
    suite = from_pandera(schema(), findings=[])
    assert suite.name == "trips"
    assert [e.severity for e in suite.expectations if e.columns == ("x",)][-1] is Severity.WARNING
    assert next(e.reason for e in suite.expectations if "value_set" in e.arguments and e.columns == ("u",))
    again = from_pandera(to_pandera(suite))
    assert {(e.rule, e.columns) for e in again.expectations} == {(e.rule, e.columns) for e in suite.expectations}


def test_what_has_no_counterpart_is_named():
    odd = pa.DataFrameSchema(
        {
            "f": pa.Column(float, pa.Check(lambda values: values > 0, name="positive"), coerce=True),
            "o": pa.Column(float, required=False),
            "p.*": pa.Column(float, regex=True),
        },
        checks=pa.Check(lambda table: len(table) > 0, name="some"),
        ordered=True,
    )
    with pytest.raises(ExpectationError, match="column f, check positive"):
        from_pandera(odd)
    found = []
    assert {e.columns for e in from_pandera(odd, findings=found).expectations} == {("f",)}
    assert len(found) == 6
    suite = parse(
        "s",
        'expect_column_mean_to_be_between("f", 0, 1)\nexpect_column_values_to_be_between("f", 0, mostly=0.9)\n'
        'expect_column_values_to_not_be_null("f", severity="warning")\nexpect_table_row_count_to_equal(3)',
        {},
    )
    found = []
    to_pandera(suite, findings=found)
    assert [finding.where.partition(",")[0] for finding in found] == [f"expectation {place}" for place in range(1, 5)]


def test_a_proposed_suite_becomes_a_schema():
    table = pd.DataFrame({"n": range(50), "t": ["a", "b"] * 25})
    found = []
    assert holds(to_pandera(infer("s", table), findings=found), table)


def test_what_is_no_schema_is_refused():
    with pytest.raises(ExpectationError, match=r"no DataFrameSchema"):
        from_pandera("schema")
