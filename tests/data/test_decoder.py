import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.data.arrays import build_column
from cellops.data.decoder import Decoder, decode_columns, decode_rows, frame_columns, unseen
from cellops.data.frames import plain_column, scalars
from cellops.data.matrix import Matrix
from cellops.errors import InputError
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind

Kind = ColumnKind


def field(name, kind, nullable=False, categories=None):
    return Field(name=name, kind=kind, dtype="object", nullable=nullable, categories=categories)


def schema_of(*fields):
    return Schema(inputs=fields, task=Task.CLASSIFICATION, target="late", classes=(0, 1))


FLIGHTS = schema_of(
    field("hour", Kind.INTEGER),
    field("seats", Kind.INTEGER, nullable=True),
    field("distance", Kind.NUMBER),
    field("wind", Kind.NUMBER, nullable=True),
    field("holiday", Kind.BOOLEAN),
    field("delayed", Kind.BOOLEAN, nullable=True),
    field("origin", Kind.TEXT, categories=("EWR", "JFK", "LGA")),
    field("gate", Kind.TEXT, nullable=True),
    field("scheduled", Kind.DATETIME),
    field("updated", Kind.DATETIME, nullable=True),
)
ROW = {
    "hour": 7,
    "seats": None,
    "distance": 733,
    "wind": None,
    "holiday": False,
    "delayed": None,
    "origin": "JFK",
    "gate": None,
    "scheduled": "2013-04-01T07:00:00-04:00",
    "updated": None,
}
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.integers(-8 * 10**15, 7 * 10**15).map(
    lambda step: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=step)
)
SCALARS = {
    Kind.INTEGER: st.integers(-(2**53), 2**53),
    Kind.NUMBER: FINITE | st.integers(-(2**53), 2**53),
    Kind.BOOLEAN: st.booleans(),
    Kind.TEXT: st.text(),
    Kind.DATETIME: TIMES.map(datetime.isoformat),
}
ROWS = st.lists(
    st.fixed_dictionaries(
        {f.name: st.none() | SCALARS[f.kind] if f.nullable else SCALARS[f.kind] for f in FLIGHTS.inputs}
    ),
    min_size=1,
    max_size=5,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([f.name for f in FLIGHTS.inputs]) | st.text(max_size=5)


def transposed(rows):
    return {name: [row[name] for row in rows] for name in rows[0]}


def same(left, right):
    assert list(left) == list(right)
    for name in left:
        assert left[name].dtype == right[name].dtype
        np.testing.assert_array_equal(left[name], right[name])


def back(array):
    """An array as the JSON scalars that it came from."""
    if array.dtype.kind == "M":
        return [None if np.isnat(time) else pd.Timestamp(time, tz="UTC") for time in array]
    values = array.tolist()
    return [None if isinstance(value, float) and np.isnan(value) else value for value in values]


def refused(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    return caught.value


@given(ROWS)
def test_rows_columns_positions_and_frames_give_the_same_arrays(rows):
    columns = decode_columns(FLIGHTS, transposed(rows))
    same(decode_rows(FLIGHTS, rows), columns)
    same(decode_rows(FLIGHTS, [[row[f.name] for f in FLIGHTS.inputs] for row in rows]), columns)
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in transposed(rows).items()})
    same(frame_columns(FLIGHTS, frame), columns)


@given(ROWS)
def test_a_value_that_json_carries_decodes_to_itself(rows):
    decoded = decode_rows(FLIGHTS, json.loads(json.dumps(rows)))
    for name, values in transposed(rows).items():
        times = name in {"scheduled", "updated"}
        wanted = [pd.Timestamp(value) if times and value is not None else value for value in values]
        assert back(decoded[name]) == wanted


@given(JSON | st.dictionaries(NAMES, JSON) | st.lists(st.dictionaries(NAMES, JSON)))
def test_garbage_is_refused_as_bad_input(payload):
    for decode in (decode_rows, decode_columns):
        try:
            decode(FLIGHTS, payload)
        except InputError as error:
            assert error.remedy  # noqa: PT017


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("hour", "7", "a string where an integer is needed"),
        ("hour", True, "a boolean where an integer is needed"),
        ("hour", 7.5, "a number with a fraction"),
        ("hour", None, "null"),
        ("hour", 2**63, "too large"),
        ("seats", 2**53 + 1, "too large"),
        ("distance", "733", "a string where a number is needed"),
        ("distance", False, "a boolean"),
        ("distance", float("nan"), "not a finite number"),
        ("distance", float("inf"), "not a finite number"),
        ("distance", 10**400, "not a finite number"),
        ("holiday", 0, "a number where true or false is needed"),
        ("holiday", "true", "a string"),
        ("origin", 5, "a number where a string is needed"),
        ("origin", ["JFK"], "a list"),
        ("gate", {"a": 1}, "an object"),
        ("scheduled", "yesterday", "not an ISO 8601 time"),
        ("scheduled", "9999-01-01T00:00:00Z", "not an ISO 8601 time"),
        ("scheduled", 1364814000, "a number where an ISO 8601 string is needed"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_place(column, value, said):
    error = refused(decode_rows, FLIGHTS, [ROW, {**ROW, column: value}])
    assert said in error.fact
    assert f"Column {column}, row 1" in error.fact
    assert (error.data["column"], error.data["rows"]) == (column, [1])


def test_an_integral_float_is_an_integer():
    assert decode_rows(FLIGHTS, [{**ROW, "hour": 7.0}])["hour"].tolist() == [7]


def test_an_absent_value_is_a_missing_one_where_there_may_be_one():
    short = {name: value for name, value in ROW.items() if value is not None}
    same(decode_rows(FLIGHTS, [short]), decode_rows(FLIGHTS, [ROW]))
    same(decode_columns(FLIGHTS, transposed([short])), decode_rows(FLIGHTS, [ROW]))


def test_all_problems_are_collected():
    row = {**ROW, "hour": "7", "distanse": 1, "holiday": 1}
    del row["distance"]
    error = refused(decode_rows, FLIGHTS, [row])
    assert {problem.column for problem in error.data["problems"]} == {"hour", "distance", "distanse", "holiday"}
    assert error.remedy.count("distance") == error.remedy.count("Send distance in place of distanse") == 1


def test_capitals_and_the_target_among_the_inputs_are_named():
    row = {name.upper() if name == "distance" else name: value for name, value in ROW.items()}
    error = refused(decode_rows, FLIGHTS, [row | {FLIGHTS.target: 1}])
    assert "Send distance in place of DISTANCE" in error.remedy
    assert f"Leave {FLIGHTS.target} out: it is what the model predicts" in error.remedy


def test_columns_of_different_length_are_refused():
    error = refused(decode_columns, FLIGHTS, {**transposed([ROW]), "hour": [7, 8]})
    assert "hour 2" in error.fact


def test_a_row_of_another_width_is_refused():
    error = refused(decode_rows, FLIGHTS, [list(ROW.values()), [1, 2]])
    assert "Row 1: 2 values where the model has 10 inputs" in error.fact


def test_no_value_that_was_sent_stands_in_an_error():
    error = refused(decode_rows, FLIGHTS, [{**ROW, "hour": "a secret", "scheduled": "another secret"}])
    assert "secret" not in error.text()


def test_numbers_alone_become_views_of_one_matrix():
    schema = schema_of(*(field(f"x{i}", Kind.NUMBER) for i in range(3)))
    columns = decode_rows(schema, [[1, 2.5, 3], [4, 5, 6]])
    assert columns["x1"].base is columns["x0"].base
    same(columns, decode_rows(schema, [{"x2": 3, "x1": 2.5, "x0": 1}, {"x0": 4, "x1": 5, "x2": 6}]))


def test_unseen_categories_are_named_not_refused():
    assert unseen(FLIGHTS, decode_rows(FLIGHTS, [ROW, {**ROW, "origin": "BOS", "gate": "B7"}])) == {"origin": ["BOS"]}


def test_a_frame_takes_the_types_of_the_contract():
    frame = pd.DataFrame([{**ROW, "seats": 12}, ROW]).assign(
        seats=pd.array([12, None], dtype="Int64"),
        origin=pd.Categorical(["JFK", "LGA"]),
        scheduled=pd.to_datetime(["2013-04-01T07:00:00-04:00"] * 2).tz_convert("America/New_York"),
        target=1,
    )
    columns = frame_columns(FLIGHTS, frame)
    assert "target" not in columns
    assert back(columns["seats"]) == [12, None]
    assert columns["origin"].tolist() == ["JFK", "LGA"]
    assert columns["scheduled"][0] == np.datetime64("2013-04-01T11:00:00")


def test_a_frame_must_have_every_column_and_may_be_let_miss_values():
    frame = pd.DataFrame([{**ROW, "hour": None}])
    assert "Column gate is missing" in refused(frame_columns, FLIGHTS, frame.drop(columns="gate")).fact
    assert "null" in refused(frame_columns, FLIGHTS, frame).fact
    assert np.isnan(frame_columns(FLIGHTS, frame, allow_missing=True)["hour"]).all()


@given(
    st.lists(st.floats() | st.sampled_from([np.nan, np.inf, 2.0**60])),
    st.booleans(),
    st.sampled_from(["float64", "float32"]),
)
def test_floats_of_numpy_are_taken_as_their_scalars_are(values: list[float], nullable: bool, dtype: str) -> None:
    field = Field(name="x", kind=ColumnKind.NUMBER, dtype="float64", nullable=nullable)
    with np.errstate(over="ignore"):
        series = pd.Series(np.array(values).astype(dtype))
    quick, (slow, problems) = plain_column(field, series), build_column(field, scalars(series))
    assert (quick is None) == bool(problems)
    if quick is not None and slow is not None:
        np.testing.assert_array_equal(quick, slow)
        assert quick.dtype == slow.dtype


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)), st.booleans())
def test_integers_of_numpy_are_taken_as_their_scalars_are(values: list[int], nullable: bool) -> None:
    field = Field(name="x", kind=ColumnKind.INTEGER, dtype="int64", nullable=nullable)
    series = pd.Series(values, dtype="int64")
    quick, (slow, problems) = plain_column(field, series), build_column(field, scalars(series))
    assert (quick is None) >= bool(problems)
    if quick is not None and slow is not None:
        np.testing.assert_array_equal(quick, slow)
        assert quick.dtype == slow.dtype


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=3) | st.none()), st.booleans())
def test_text_of_arrow_is_taken_as_its_scalars_are(values: list[str | None], nullable: bool) -> None:
    field = Field(name="x", kind=ColumnKind.TEXT, dtype="str", nullable=nullable)
    series = pd.Series(values, dtype="str")
    quick, (slow, problems) = plain_column(field, series), build_column(field, scalars(series))
    assert (quick is None) == bool(problems)
    if quick is not None and slow is not None:
        assert quick.tolist() == slow.tolist()


def test_an_array_of_all_inputs_is_one_matrix_or_what_its_columns_are():
    fields = tuple(Field(name=name, kind=ColumnKind.NUMBER, dtype="float64", nullable=name == "b") for name in "ab")
    decoder = Decoder(Schema(inputs=fields, task=Task.REGRESSION, target="t"))
    whole = decoder.table(np.array([[1, 2], [3, 4]]))
    assert isinstance(whole, Matrix)
    assert {name: whole[name].tolist() for name in whole} == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
    missing = decoder.table(np.array([[1.0, np.nan], [3.0, 4.0]]))
    assert np.array_equal(missing["b"], [np.nan, 4.0], equal_nan=True)
    with pytest.raises(InputError, match="Column a, row 1"):
        decoder.table(np.array([[1.0, 2.0], [np.nan, 4.0]]))


def test_rows_of_finite_numbers_are_one_matrix_whose_columns_can_be_others():
    fields = tuple(Field(name=name, kind=ColumnKind.NUMBER, dtype="float64", nullable=False) for name in "ab")
    decoder = Decoder(Schema(inputs=fields, task=Task.REGRESSION, target="t"))
    rows = decoder.rows([[1, 2.5]])
    assert isinstance(rows, Matrix)
    assert (list(rows), len(rows), rows.array.tolist()) == (["a", "b"], 2, [[1.0, 2.5]])
    assert (rows | {"a": np.array([7.0])})["a"].tolist() == [7.0]
    assert rows["a"].tolist() == [1.0]
    # Finite numbers whose sum is not are looked at by the way of single columns.
    assert decoder.rows([[1e308, 1e308]])["b"].tolist() == [1e308]
