"""What holds for every rule, also for the next one."""

import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from cellops.data.expectations import RowChecker, check, parse, row_rules
from cellops.data.expectations.registry import RULES, build
from cellops.records.contract import Suite
from support.rules import CALLS

DAYS = ["2013-01-01", "2013-01-03", None, "2013-01-02", "2013-02-01"]
FRAME = pd.DataFrame(
    {
        "hour": [1.0, 21.0, np.nan, 5.0, 9.0],
        "carrier": ["UA", "xx", None, "UA", "UA"],
        "late": [1, 1, 5, 5, 1],
        "day": pd.to_datetime(DAYS).as_unit("us"),
        "text": ["2013-01-01", "x", None, "[]", "2013-02-30"],
    }
)
COLUMNS = {name: FRAME[name].to_numpy() for name in ("hour", "late", "day")} | {
    name: np.array([None if pd.isna(v) else v for v in FRAME[name]], dtype=object) for name in ("carrier", "text")
}
COLUMNS = {name: COLUMNS[name] for name in FRAME}

every_rule = pytest.mark.parametrize("name", sorted(RULES))


def suite_of(name: str) -> Suite:
    return parse("s", name + CALLS[name], {})


@every_rule
def test_the_rule_is_a_frozen_dataclass_under_its_own_name(name):
    rule = RULES[name]
    assert rule.name == name
    assert rule.__dataclass_params__.frozen


@every_rule
def test_an_expectation_survives_json_and_builds_the_rule_that_was_written(name):
    suite = suite_of(name)
    again = Suite.from_json(suite.to_json())
    assert again == suite
    rule = build(again.expectations[0])
    given = again.expectations[0].arguments
    assert {k: v for k, v in dataclasses.asdict(rule).items() if k in given} == given
    assert rule.columns == again.expectations[0].columns


@every_rule
def test_the_rule_says_in_one_line_what_it_demands(name):
    first = (RULES[name].__doc__ or "").splitlines()[0]
    assert first
    assert not first.startswith(f"{RULES[name].__name__}(")


def tables():
    yield COLUMNS
    yield FRAME.astype({"carrier": "category", "text": "string", "hour": "Float64", "late": "Int32"})
    yield pl.DataFrame({name: COLUMNS[name].tolist() for name in ("hour", "carrier", "late")}).with_columns(
        pl.Series("day", FRAME["day"].to_numpy()), pl.Series("text", COLUMNS["text"].tolist())
    )
    yield pa.Table.from_pandas(FRAME, preserve_index=False)


@every_rule
def test_every_kind_of_table_gets_the_same_verdict(name):
    expected = check(suite_of(name), FRAME)
    (result,) = expected.results
    assert result.problem is None
    for table in tables():
        assert check(suite_of(name), table) == expected


@every_rule
@pytest.mark.parametrize(
    "table",
    [
        dict.fromkeys(FRAME, np.empty(0)) | {"carrier": np.empty(0, dtype=object)},
        dict.fromkeys(FRAME, np.full(3, np.nan)) | {"carrier": np.full(3, None, dtype=object)},
        dict.fromkeys(FRAME, np.array([1, "x", [2]], dtype=object)) | {"hour": np.array([True, False, True])},
        dict.fromkeys(FRAME, np.array(["2013-01-01"] * 2, dtype="M8[ns]")),
        dict.fromkeys(FRAME, np.array([np.inf, -np.inf])),
        {},
        pd.DataFrame([[1, 2, 3]], columns=["hour", "hour", "carrier"]),
    ],
    ids=["no rows", "all missing", "mixed", "times", "infinities", "no columns", "twice the same name"],
)
def test_no_table_breaks_a_check_and_every_result_is_json(name, table):
    (result,) = check(suite_of(name), table).results
    assert type(result).from_json(result.to_json()) == result
    assert result.passed or result.failed or result.problem or result.checked == 0 or result.observed is not None


@pytest.mark.parametrize("name", sorted(name for name, rule in RULES.items() if rule.row_wise))
def test_a_rule_for_single_rows_finds_alone_what_it_finds_in_the_table(name):
    suite = suite_of(name)
    assert row_rules(suite, list(FRAME)).expectations
    strict = suite.replace(expectations=tuple(e.replace(mostly=1.0) for e in suite.expectations))
    (whole,) = check(strict, FRAME).results
    alone = [row for row in range(len(FRAME)) if not check(strict, FRAME.iloc[[row]]).passed]
    assert tuple(alone) == whole.failed_rows
    checker = RowChecker(suite, list(FRAME))
    rows = [[values[row] for values in map(np.ndarray.tolist, COLUMNS.values())] for row in range(len(FRAME))]
    assert [row for row, values in enumerate(rows) if checker.broken(values)] == alone
    assert [row for row, values in enumerate(rows) if checker.broken(dict(zip(FRAME, values, strict=True)))] == alone
