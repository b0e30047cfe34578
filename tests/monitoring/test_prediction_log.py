from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cellops.data.decoder import decode_columns, frame_columns
from cellops.data.matrix import Matrix, Places
from cellops.monitoring import prediction_log
from cellops.monitoring.answered import Packed
from cellops.records.profile import ColumnKind as Kind
from support.logs import answered, field, schema_of, until, writer_on

# Inputs that are called as the log's own columns are.
FIELDS = (
    field("label", Kind.TEXT),
    field("time", Kind.DATETIME),
    field("package", Kind.NUMBER),
    field("probability.0", Kind.INTEGER),
    field("input.label", Kind.BOOLEAN),
    field("maybe text", Kind.TEXT, nullable=True),
    field("maybe time", Kind.DATETIME, nullable=True),
    field("maybe number", Kind.NUMBER, nullable=True),
    field("maybe integer", Kind.INTEGER, nullable=True),
    field("maybe boolean", Kind.BOOLEAN, nullable=True),
)
MOMENTS = st.integers(-8 * 10**15, 8 * 10**15).map(
    lambda step: (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=step)).isoformat()
)
EXACT = st.integers(-(2**53), 2**53)
VALUES = {
    Kind.TEXT: st.text(st.characters(exclude_categories=["Cs"])),
    Kind.DATETIME: MOMENTS,
    Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    Kind.INTEGER: EXACT,
    Kind.BOOLEAN: st.booleans(),
}


def log(folder, entries, schema):
    writer = writer_on(folder, schema)
    for entry in entries:
        assert writer.append(entry, len(entry.labels))
    writer.close()
    assert writer.lost_rows == 0
    return prediction_log.read(folder)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_inputs_come_back_as_the_decoder_gave_them(tmp_path_factory, data):
    schema = schema_of(*FIELDS)
    rows = data.draw(st.integers(1, 5))
    table = {
        one.name: data.draw(
            st.lists(VALUES[one.kind] | st.none() if one.nullable else VALUES[one.kind], min_size=rows, max_size=rows)
        )
        for one in FIELDS
    }
    columns = decode_columns(schema, table)
    frame = log(tmp_path_factory.mktemp("log"), [answered(1, rows, columns=columns)], schema)
    again = frame_columns(schema, prediction_log.inputs(frame))
    assert list(again) == [one.name for one in FIELDS]
    for name, values in columns.items():
        assert again[name].dtype == values.dtype
        np.testing.assert_array_equal(again[name], values)


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        ((0, 1), [0, 1]),
        (("early", "late"), ["late", "early"]),
        ((False, True), [True, False]),
        ((0.5, 1.5), [1.5, 0.5]),
        ((), [3.25, -1.0]),
    ],
    ids=["integers", "texts", "booleans", "floats", "regression"],
)
def test_labels_keep_their_type(tmp_path, classes, labels):
    frame = log(tmp_path, [answered(1, 2, labels=labels)], schema_of(classes=classes))
    assert frame["label"].tolist() == labels
    assert [type(value) for value in frame["label"].tolist()] == [type(value) for value in labels]


def test_each_row_says_what_was_asked_and_answered_and_when(tmp_path):
    schema = schema_of(classes=("early", "late"), probabilities=True)
    chances = np.array([[0.9, 0.1], [0.25, 0.75]])
    frame = log(tmp_path, [answered(5, 2, labels=["early", "late"], probabilities=chances)], schema)
    assert frame["prediction_id"].tolist() == ["5:0", "5:1"]
    assert frame["request_id"].tolist() == ["5", "5"]
    assert frame["protocol"].tolist() == ["v2", "v2"]
    assert frame["package"].tolist() == ["first", "first"]
    assert set(frame["time"]) == set(frame["received"]) == {pd.Timestamp(5, tz="UTC")}
    assert frame["input.distance"].tolist() == [5.0, 5.0]
    found = prediction_log.probabilities(frame)
    assert list(found) == ["early", "late"]
    np.testing.assert_array_equal(found.to_numpy(), chances)


def test_an_empty_log_has_the_columns_that_all_have(tmp_path):
    frame = prediction_log.read(tmp_path / "nowhere")
    assert list(frame) == ["prediction_id", "request_id", "time", "received", "protocol", "package", "handled", "label"]
    assert frame.empty
    assert prediction_log.inputs(frame).empty


def test_what_was_done_to_a_row_and_who_answered_it_is_logged(tmp_path):
    notes, packages = (np.array(texts, dtype=object) for texts in ((None, "imputed a"), ("first", "second")))
    entries = [answered(1), replace(answered(2, rows=2), handled=notes, packages=packages)]
    frame = log(tmp_path, entries, schema_of())
    assert frame["handled"].isna().tolist() == [True, True, False]
    assert frame["handled"].tolist()[2] == "imputed a"
    assert frame["package"].tolist() == ["first", "first", "second"]


def test_rows_stand_in_order_of_arrival(tmp_path):
    frame = log(tmp_path, [answered(3), answered(1), answered(2, rows=2)], schema_of())
    assert frame["prediction_id"].tolist() == ["1:0", "2:0", "2:1", "3:0"]


def test_a_folder_holds_the_logs_of_several_packages(tmp_path):
    texts = schema_of(field("distance", Kind.TEXT), field("gate", Kind.INTEGER), classes=("no", "yes"))
    columns = {"distance": np.array(["far"], dtype=object), "gate": np.array([2**60 + 1])}
    log(tmp_path, [answered(1), answered(3)], schema_of())
    both = log(tmp_path, [answered(2, package="second", columns=columns, labels=["yes"])], texts)
    assert both["label"].tolist() == [0, "yes", 0]
    assert both["input.distance"].tolist() == [1.0, "far", 3.0]

    second = prediction_log.read(tmp_path, "second")
    assert second["label"].tolist() == ["yes"]
    assert prediction_log.inputs(second).to_dict("list") == {"distance": ["far"], "gate": [2**60 + 1]}
    first = prediction_log.read(tmp_path, package="first")
    assert list(prediction_log.inputs(first)) == ["distance"]
    assert first["label"].dtype == np.int64
    assert prediction_log.read(tmp_path, "third").empty


def test_integers_of_one_package_stay_integers_beside_floats_of_another(tmp_path):
    log(tmp_path, [answered(1, labels=[1])], schema_of(classes=(0, 1)))
    both = log(tmp_path, [answered(2, package="second", labels=[1.5])], schema_of(classes=(0.5, 1.5)))
    assert [type(value) for value in both["label"]] == [int, float]


def test_a_log_is_read_before_its_segment_is_closed(tmp_path):
    writer = writer_on(tmp_path)
    writer.append(answered(1), 1)
    until(lambda: not prediction_log.read(tmp_path).empty)
    writer.close()


PLACES = Places(["distance", "hour"])
NUMBERS = (field("distance", Kind.NUMBER), field("hour", Kind.NUMBER))


def numbers(number, rows=1, *, places=PLACES, **more):
    array = np.random.default_rng(number).normal(size=(rows, len(places)))
    chances = np.tile([0.25, 0.75], (rows, 1)) + number / 100
    return answered(number, rows, **{"columns": Matrix(places, array), "probabilities": chances, **more})


MIXED = {
    "alike": [numbers(number) for number in range(5)],
    "one": [numbers(1)],
    "by columns": [numbers(number, probabilities=np.array([[0.1, 0.3], [0.9, 0.7]]).T[1:]) for number in range(2)],
    "of two packages": [numbers(1), numbers(2, package="second"), numbers(3)],
    "beside a longer one": [numbers(1), numbers(2, rows=3), numbers(3)],
    "with other places": [numbers(1), numbers(2, places=Places(PLACES))],
    "with labels of two types": [numbers(1), numbers(2, labels=[1.0])],
    "beside one that was handled": [numbers(1), replace(numbers(2), handled=np.array(["imputed"], dtype=object))],
    "beside columns": [numbers(1), numbers(2, columns={"distance": np.array([1.0]), "hour": np.array([2.0])})],
}


@pytest.mark.parametrize("entries", MIXED.values(), ids=MIXED)
def test_requests_that_were_packed_are_logged_as_they_were(entries):
    to_batch = prediction_log.batches(schema_of(*NUMBERS, probabilities=True))
    packed = [entry.packed() for entry in entries]
    assert any(type(entry) is Packed for entry in packed)
    assert to_batch(packed).equals(to_batch(entries))


def test_numbers_without_probabilities_are_packed_too():
    to_batch = prediction_log.batches(schema_of(*NUMBERS, classes=()))
    entries = [numbers(number, probabilities=None, labels=[number / 3]) for number in range(3)]
    assert to_batch([entry.packed() for entry in entries]).equals(to_batch(entries))


def test_texts_and_short_numbers_are_not_packed():
    for labels in (np.array(["late"], dtype=object), np.array(["late"]), np.array([1], dtype=np.int32)):
        entry = numbers(1, labels=labels)
        assert entry.packed() is entry
