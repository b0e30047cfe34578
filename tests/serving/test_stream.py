"""Topics of Kafka: librdkafka's own mock cluster, which speaks the protocol, with real clients on both sides."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, Producer

from cellops.data.batch.kafka import properties, topic
from cellops.errors import InputError, SettingsError, UsageError
from cellops.flows.score import score
from cellops.packaging.load import LoadedPackage
from cellops.records.batch import Streamed
from cellops.serving.batch.stream import Stream
from cellops.serving.prediction_ids import PredictionIds
from support.batches import package, table
from support.loaded import loaded
from support.processes import started

PROPERTIES = "session.timeout.ms=6000\nheartbeat.interval.ms=500\n"
"""So that the group of a killed consumer is free again after seconds."""


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    """The addresses of a mock cluster, which lives as long as its client."""
    mock = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    yield ",".join(f"{one.host}:{one.port}" for one in mock.list_topics(timeout=30).brokers.values())
    del mock


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("trips"))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "client.properties"
    path.write_text(PROPERTIES)
    monkeypatch.setenv("CELLOPS_KAFKA_CONFIG", str(path))
    return path


def send(brokers: str, name: str, values: list[bytes | None]) -> None:
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0})
    for number, value in enumerate(values):
        producer.produce(name, value, str(number).encode())
    assert producer.flush(30) == 0


def rows(count: int) -> list[bytes | None]:
    return [json.dumps(row).encode() for row in table(count).to_dict("records")]


def wait_for_one(brokers: str, name: str) -> None:
    consumer = reader(brokers, name)
    while (message := consumer.poll(5)) is None or message.error() is not None:
        pass
    consumer.close()


def reader(brokers: str, name: str) -> Consumer:
    """A consumer of a group of its own, from the beginning."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"test-{time.monotonic_ns()}",
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    consumer.subscribe([name])
    return consumer


def received(brokers: str, name: str, enough: int = 0) -> list[Any]:
    """All messages of a topic that are there; waits until there are so many."""
    consumer = reader(brokers, name)
    found, ended = list[Any](), set[int | None]()
    while len(found) < enough or not ended or len(ended) < len(consumer.assignment()):
        for message in consumer.consume(1000, 0.2):
            error = message.error()
            if error is None:
                found.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
    consumer.close()
    return found


def answers(messages: list[Any]) -> dict[str, dict[str, Any]]:
    return {row["trip"]: row for row in (json.loads(message.value()) for message in messages)}


@pytest.mark.usefixtures("config")
def test_messages_are_answered_once_and_those_that_cannot_be_go_where_they_are_kept(brokers: str, model: Path) -> None:
    poison = [
        b"{",
        None,
        b"[1]",
        b'{"trip": "short"}',
        json.dumps({**table(1).to_dict("records")[0], "hour": "x"}).encode(),
    ]
    send(brokers, "flights", [*rows(200), *poison])
    place, output = f"kafka://{brokers}/flights", f"kafka://{brokers}/delays"
    assert score(model, place, output, watch=True, once=True) == Streamed(
        source=place, output=output, rows=205, set_aside=5
    )
    found = answers(received(brokers, "delays", 200))
    own = expected(200)
    assert {trip: (row["prediction"], row["probability_late"]) for trip, row in found.items()} == own
    assert set(found["T0"]) == {
        "trip",
        "prediction",
        "probability_early",
        "probability_late",
        "package",
        "prediction_id",
    }
    ids = {row["prediction_id"] for row in found.values()}
    assert len(ids) == 200
    assert all(PredictionIds("trips").issued(one) for one in ids)
    rejects = received(brokers, "delays.rejects", 5)
    assert {message.value() for message in rejects} == {value or None for value in poison}
    headers = {message.value(): dict(message.headers()) for message in rejects}
    assert headers[b"{"]["problem"] == b"is no JSON object"
    assert headers[poison[4]]["column"] == b"hour"
    assert headers[b"{"]["topic"] == b"flights"
    again = score(model, place, output, watch=True, once=True)
    assert isinstance(again, Streamed)
    assert again.rows == 0


def expected(count: int) -> dict[str, tuple[str, float]]:
    """What the model itself answers to trips."""
    from cellops.data.decoder import frame_columns

    own: LoadedPackage = loaded(task="classification")
    frame = table(count)
    given = own.predictor.predict(frame_columns(own.contract.schema, frame))
    assert given.probabilities is not None
    pairs = zip(given.labels.tolist(), given.probabilities[:, 1].tolist(), strict=True)
    return dict(zip(frame["trip"], pairs, strict=True))


@pytest.mark.usefixtures("config")
def test_a_kill_in_the_middle_loses_nothing_and_sigterm_ends_what_was_begun(
    brokers: str, model: Path, project: Path
) -> None:
    place, output = f"kafka://{brokers}/many", f"kafka://{brokers}/scored"
    command = [sys.executable, "-m", "cellops", "score", str(model), place, output, "--watch", "--chunk-rows", "2"]
    with started(command, cwd=project) as process:
        send(brokers, "many", rows(1200))
        wait_for_one(brokers, "scored")
        process.kill()
        process.wait()
    assert 0 < len(received(brokers, "scored")) < 1200
    send(brokers, "many", rows(100))
    with started(command, cwd=project) as process:
        received(brokers, "scored", 1300)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    found = [json.loads(message.value()) for message in received(brokers, "scored")]
    # Each message has an id of its own: that none is lost, and that one which was answered twice has the same id.
    assert len({row["prediction_id"] for row in found}) == 1300
    done = score(model, place, output, watch=True, once=True)
    assert isinstance(done, Streamed)
    assert done.rows == 0


@pytest.mark.usefixtures("config")
def test_what_was_answered_and_not_committed_is_answered_again_under_the_same_ids(
    brokers: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(brokers, "night", rows(30))
    place, output = f"kafka://{brokers}/night", f"kafka://{brokers}/twice"

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Stream, "_commit", killed)
        with pytest.raises(KeyboardInterrupt):
            score(model, place, output, watch=True)
    first = len(received(brokers, "twice", 1))
    done = score(model, place, output, watch=True, once=True)
    assert isinstance(done, Streamed)
    assert done.rows == 30
    ids = [json.loads(message.value())["prediction_id"] for message in received(brokers, "twice", 30 + first)]
    assert (len(ids), len(set(ids))) == (30 + first, 30)


@pytest.mark.parametrize(
    "place", ["kafka://", "kafka://a", "kafka://a/", "kafka://u:secret@a/t", "kafka://a/t?x=1", "kafka://a/t/u"]
)
def test_an_address_that_is_no_topic_is_refused_without_being_repeated(place: str) -> None:
    with pytest.raises(UsageError, match="no topic of Kafka") as why:
        topic(place)
    assert "secret" not in str(why.value)


def test_properties_are_checked_before_a_client_is_made(tmp_path: Path) -> None:
    path = tmp_path / "client.properties"
    path.write_text("# ours\n\nsasl.username = me\n")
    assert properties(path) == {"sasl.username": "me"}
    assert properties(None) == {}
    path.write_text("group.id=mine\n")
    with pytest.raises(SettingsError, match=r"sets group\.id"):
        properties(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        properties(tmp_path / "absent")


def test_what_a_topic_cannot_be_used_for_is_refused(
    model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="answered to a topic"):
        score(model, "kafka://a/t", "out.csv", watch=True)
    with pytest.raises(UsageError, match="answered to a topic"):
        score(model, "kafka://a/t", "kafka://a/u")
    with pytest.raises(UsageError, match="answered by one process"):
        score(model, "kafka://a/t", "kafka://a/u", watch=True, jobs=2)
    with pytest.raises(UsageError, match="read as messages"):
        score(model, "kafka://a/t", "kafka://a/t", watch=True)
    monkeypatch.setattr("cellops.data.batch.kafka.ANSWER_WITHIN", 0.5)
    with pytest.raises(InputError, match=r"No broker of kafka://127\.0\.0\.1:1/t answers"):
        score(model, "kafka://127.0.0.1:1/t", "kafka://127.0.0.1:1/u", watch=True)
    assert "rdkafka" not in capfd.readouterr().err, "the error says it once"
    (tmp_path / "bad").write_text("no.such.property=1\n")
    monkeypatch.setenv("CELLOPS_KAFKA_CONFIG", str(tmp_path / "bad"))
    with pytest.raises(UsageError, match="refuses a property"):
        score(model, "kafka://127.0.0.1:1/t", "kafka://127.0.0.1:1/u", watch=True)
