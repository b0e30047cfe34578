"""Labels find their answers in the logs, whenever each comes and whoever writes it."""

import time

import msgspec
import numpy as np
import pytest

from cellops.monitoring import label_join, label_log
from cellops.monitoring.label_join import LabelJoin, Pair
from cellops.monitoring.log_store import LogStore
from cellops.monitoring.segment_files import CLOSED, STREAM, closed
from cellops.monitoring.uploading import Uploader
from support.flaky import flaky
from support.logs import answered, schema_of, until, writer_on

SINCE = time.time()
NOW = int(SINCE * 1e9) + 10**6


def of(entry, *, package="one", received=NOW):
    return msgspec.structs.replace(entry, package=package, received=received)


@pytest.fixture
def log(tmp_path):
    """Writers of predictions and labels that stay open, as those of a server."""
    predictions = writer_on(tmp_path)
    labels = label_log.open_writer(tmp_path, schema_of(), flush_seconds=0.01, segment_rows=1000)

    def predict(*entries):
        for entry in entries:
            predictions.append(entry, len(entry.labels))
        settled(predictions)

    def label(**truths):
        ids = [name.replace("_", ":")[1:] for name in truths]
        entry = label_log.Labelled(ids, np.array(list(truths.values())), [0] * len(ids), NOW)
        labels.append(entry, len(ids))
        settled(labels)

    yield predict, label
    for writer in (predictions, labels):
        writer.close()


def settled(writer):
    until(lambda: not writer.waiting_rows)


def joining(folder, *packages, answers=()):
    return LabelJoin(folder, [folder, *answers], packages or ("one", "two"), SINCE)


def test_each_answer_is_joined_once_with_its_first_label(log, tmp_path):
    predict, label = log
    predict(of(answered(1, rows=2)), of(answered(2), package="two"), of(answered(3), package="three"))
    label(a1_0=1, a2_0=0, a3_0=1, a9_9=1)
    label(a1_0=0)
    join = joining(tmp_path)
    first, second = join.new()
    assert (first.package, first.truth, second.package, second.truth) == ("one", 1, "two", 0)
    assert list(join.new()) == []
    label(a1_0=1, a1_1=1)
    assert [(pair.package, pair.truth) for pair in join.new()] == [("one", 1)]


def test_a_label_waits_for_an_answer_that_another_process_is_writing(log, tmp_path):
    predict, label = log
    label(a1_0=1, a2_0=0)
    join = joining(tmp_path)
    assert list(join.new()) == []
    predict(of(answered(1)))
    assert [pair.truth for pair in join.new()] == [1]
    predict(of(answered(2)))
    assert [pair.truth for pair in join.new()] == [0]


def test_it_waits_only_so_long_and_with_so_many(log, tmp_path, monkeypatch):
    predict, label = log
    monkeypatch.setattr(label_join, "MOST", 1)
    join = joining(tmp_path)
    label(a1_0=1, a2_0=0)
    assert list(join.new()) == []
    predict(of(answered(1)), of(answered(2)))
    assert [pair.truth for pair in join.new()] == [0]
    monkeypatch.setattr(label_join, "MOST", 10)
    monkeypatch.setattr(label_join, "PATIENCE", -1.0)
    label(a3_0=1)
    assert list(join.new()) == []
    predict(of(answered(3)))
    assert list(join.new()) == []


def test_answers_of_an_earlier_stage_and_of_other_packages_do_not_count(log, tmp_path):
    predict, label = log
    predict(of(answered(1), received=NOW - 10**9), of(answered(2), package="other"))
    label(a1_0=1, a2_0=1)
    assert list(joining(tmp_path).new()) == []


def test_a_shadow_has_a_log_of_its_own_with_the_same_ids(log, tmp_path):
    predict, label = log
    predict(of(answered(1)))
    shadow = writer_on(tmp_path / "shadow")
    shadow.append(of(answered(1), package="two"), 1)
    settled(shadow)
    label(a1_0=1)
    found = list(joining(tmp_path, answers=[tmp_path / "shadow"]).new())
    assert [pair.package for pair in found] == ["one", "two"]
    shadow.close()


def test_one_that_begins_later_finds_the_same_also_in_closed_segments(tmp_path):
    predictions = writer_on(tmp_path)
    labels = label_log.open_writer(tmp_path, schema_of(), flush_seconds=0.01, segment_rows=1000)
    predictions.append(of(answered(1, rows=3)), 3)
    early = joining(tmp_path)
    labels.append(label_log.Labelled(["1:0", "1:1"], np.array([1, 0]), [0, 0], NOW), 2)
    for writer in (predictions, labels):
        settled(writer)
    found = list(early.new())
    assert [pair.truth for pair in found] == [1, 0]
    assert list(tmp_path.glob(f"labels/*{STREAM}"))
    predictions.close()
    labels.close()
    assert list(tmp_path.glob(f"labels/*{CLOSED}"))
    assert not list(tmp_path.glob(f"*/*{STREAM}"))
    assert list(early.new()) == []
    assert list(joining(tmp_path).new()) == found


def test_what_an_uploader_has_taken_away_is_found_while_it_is_held(tmp_path):
    with flaky():
        (tmp_path / "held" / "predictions").mkdir(parents=True)
        predictions = writer_on(tmp_path)
        predictions.append(of(answered(1)), 1)
        predictions.close()
        labels = label_log.open_writer(tmp_path, schema_of(), flush_seconds=0.01, segment_rows=1000)
        labels.append(label_log.Labelled(["1:0"], np.array([1]), [0], NOW), 1)
        settled(labels)
        parts = [tmp_path / "predictions", tmp_path / "labels"]
        carrying = Uploader(LogStore("flaky://host/logs/held"), parts, rhythm=0.01)
        until(lambda: not carrying.waiting())
        assert not closed(tmp_path / "predictions")
        join = joining(tmp_path)
        assert [pair.truth for pair in join.new()] == [1]
        # Labels are not held here: they go, and those that have been read do not come again.
        labels.close()
        carrying.close()
        assert not closed(tmp_path / "labels")
        assert list(join.new()) == []


def test_a_damaged_segment_costs_its_own_rows_only(log, tmp_path, caplog):
    predict, label = log
    predict(of(answered(1)))
    label(a1_0=1)
    for folder in ("predictions", "labels"):
        (tmp_path / folder / f"20260101T000000000000-torn{CLOSED}").write_bytes(b"PAR1 and no more")
    join = joining(tmp_path)
    (found,) = join.new()
    assert isinstance(found, Pair)
    label(a8_0=1)
    list(join.new())
    assert sum("cannot be read" in record.message for record in caplog.records) == 2
