import numpy as np
import pandas as pd
import pytest

from cellops.monitoring import label_log, prediction_log
from support.logs import answered, schema_of, writer_on


def predict(folder, *entries, schema=None):
    writer = writer_on(folder, schema)
    for entry in entries:
        writer.append(entry, len(entry.labels))
    writer.close()
    assert writer.lost_rows == 0


def label(folder, labels, *, received, schema=None):
    """Labels by prediction id that come together, each observed as long ago as it has a place in them."""
    writer = label_log.open_writer(folder, schema or schema_of(), flush_seconds=0.01, segment_rows=1000)
    entry = label_log.Labelled(list(labels), np.array(list(labels.values())), range(len(labels)), received)
    writer.append(entry, len(labels))
    writer.close()
    assert writer.lost_rows == 0


def truths(joined):
    return dict(zip(joined.predictions["prediction_id"], joined.predictions["truth"], strict=True))


def test_labels_are_read_in_order_of_arrival(tmp_path):
    label(tmp_path, {"7:0": 1, "7:1": 0}, received=20)
    label(tmp_path, {"7:0": 0}, received=10)
    frame = label_log.read(tmp_path)
    assert list(frame) == ["prediction_id", "label", "observed", "received", "reviewer"]
    assert frame["prediction_id"].tolist() == ["7:0", "7:0", "7:1"]
    assert frame["label"].tolist() == [0, 1, 0]
    assert frame["observed"].tolist() == [pd.Timestamp(time, tz="UTC") for time in (0, 0, 1)]
    assert frame["received"].tolist() == [pd.Timestamp(time, tz="UTC") for time in (10, 20, 20)]


def test_a_prediction_has_the_label_that_arrived_last(tmp_path):
    predict(tmp_path, answered(1, rows=3))
    label(tmp_path, {"1:0": 0, "1:1": 1}, received=10)
    label(tmp_path, {"1:0": 1}, received=20)
    joined = prediction_log.joined(tmp_path)
    assert joined.predictions["prediction_id"].tolist() == ["1:0", "1:1", "1:2"]
    assert joined.predictions["truth"].tolist()[:2] == [1, 1]
    assert joined.predictions["truth"].isna().tolist() == [False, False, True]
    assert joined.predictions["observed"].isna().tolist() == [False, False, True]
    assert joined.unknown.empty


def test_a_label_without_its_prediction_is_kept_apart(tmp_path):
    predict(tmp_path, answered(1))
    label(tmp_path, {"1:0": 1, "never:0": 0}, received=10)
    unknown = prediction_log.joined(tmp_path).unknown
    assert unknown["prediction_id"].tolist() == ["never:0"]
    assert unknown["label"].tolist() == [0]


@pytest.mark.parametrize(
    ("classes", "value"),
    [((0, 1), 1), (("no", "yes"), "yes"), ((False, True), True), ((0.5, 1.5), 1.5), ((), 2.25)],
    ids=["integers", "texts", "booleans", "floats", "regression"],
)
@pytest.mark.parametrize("rows", [1, 2], ids=["all labelled", "some labelled"])
def test_truth_keeps_its_type(tmp_path, classes, value, rows):
    schema = schema_of(classes=classes)
    predict(tmp_path, answered(1, rows=rows, labels=[value] * rows), schema=schema)
    label(tmp_path, {"1:0": value}, received=10, schema=schema)
    truth = prediction_log.joined(tmp_path).predictions["truth"].tolist()[0]
    assert truth == value
    assert type(truth) is type(value)


def test_a_log_without_labels_has_no_truth_yet(tmp_path):
    predict(tmp_path, answered(1, rows=2))
    predictions = prediction_log.joined(tmp_path).predictions
    assert predictions["truth"].isna().all()
    assert predictions["observed"].isna().all()


def test_labels_may_come_before_any_prediction(tmp_path):
    label(tmp_path, {"1:0": 1}, received=10)
    joined = prediction_log.joined(tmp_path)
    assert joined.predictions.empty
    assert {"truth", "observed"} <= set(joined.predictions)
    assert joined.unknown["prediction_id"].tolist() == ["1:0"]


def test_labels_of_two_packages_are_joined_with_their_own(tmp_path):
    texts = schema_of(classes=("no", "yes"))
    predict(tmp_path, answered(1))
    predict(tmp_path, answered(2, package="second", labels=["no"]), schema=texts)
    label(tmp_path, {"1:0": 1}, received=10)
    label(tmp_path, {"2:0": "yes"}, received=20, schema=texts)
    assert truths(prediction_log.joined(tmp_path)) == {"1:0": 1, "2:0": "yes"}
    first = prediction_log.joined(tmp_path, "first")
    assert truths(first) == {"1:0": 1}
    assert first.predictions["truth"].dtype == np.int64
    assert first.unknown.empty


def test_a_prediction_id_that_was_used_twice_has_its_label_twice(tmp_path):
    predict(tmp_path, answered(1), answered(1))
    label(tmp_path, {"1:0": 1}, received=10)
    assert prediction_log.joined(tmp_path).predictions["truth"].tolist() == [1, 1]
