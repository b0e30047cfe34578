"""Topics of Kafka, reached through librdkafka: an address, and its clients."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cellops.errors import InputError, NotFoundError, SettingsError, UsageError

SCHEME = "kafka://"
TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
"""What Kafka takes for a name."""
ANSWER_WITHIN = 15.0
"""Seconds in which a broker must answer at the start."""
QUIET = {"log_level": "2"}
"""Brokers that are away are told once, by us: librdkafka would write twenty lines a second. Properties may say more."""
OURS = ("bootstrap.servers", "group.id", "enable.auto.commit", "auto.offset.reset", "enable.partition.eof")


@dataclass(frozen=True)
class Topic:
    """Where messages stand."""

    brokers: str
    name: str
    group: str | None = None
    """Of consumers that share its messages; None for the one that follows from model and output."""

    def __str__(self) -> str:
        return f"{SCHEME}{self.brokers}/{self.name}"


def is_topic(place: str) -> bool:
    """Whether a place is a topic."""
    return place.startswith(SCHEME)


def topic(place: str) -> Topic:
    """The topic of an address.

    Raises
    ------
    UsageError
        When it names no broker or no topic.

    Examples
    --------
    >>> topic("kafka://a:9092,b:9092/flights?group=night")
    Topic(brokers='a:9092,b:9092', name='flights', group='night')
    """
    address, _, query = place.removeprefix(SCHEME).partition("?")
    brokers, _, name = address.partition("/")
    given = parse_qs(query)
    if not brokers or "@" in brokers or not TOPIC.fullmatch(name) or set(given) - {"group"}:
        fact = "This is no topic of Kafka"
        remedy = (
            "Write kafka://HOST:PORT,HOST:PORT/TOPIC, or with ?group=NAME; credentials stand in CELLOPS_KAFKA_CONFIG"
        )
        # It is not repeated, since it may hold a password.
        raise UsageError(fact, remedy=remedy)
    return Topic(brokers, name, given["group"][0] if given else None)


def properties(path: Path | None) -> dict[str, str]:
    """What a file of properties says to each client, such as `sasl.password=...`; nothing without one.

    Raises
    ------
    SettingsError
        When it cannot be read, or sets what follows from the address.
    """
    if path is None:
        return {}
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        fact = f"The properties of Kafka, {path}, cannot be read: {type(error).__name__}"
        raise SettingsError(fact, remedy="Correct CELLOPS_KAFKA_CONFIG") from error
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    found = {name.strip(): value.strip() for name, _, value in pairs}
    taken = [name for name in OURS if name in found]
    if taken or not all(equals for _, equals, _ in pairs):
        fact = f"{path} sets {taken[0]}" if taken else f"{path} holds a line without ="
        remedy = "Leave it to cellops" if taken else "Write NAME=VALUE, as librdkafka names its properties"
        raise SettingsError(fact, remedy=remedy)
    return found


class Clients:
    """A consumer of one topic and a producer beside it.

    Parameters
    ----------
    source
        The topic that is read.
    group
        Consumers of one group share its partitions, and go on where the group stood.
    brokers
        To which is written.
    properties
        For both.

    Raises
    ------
    UsageError
        When confluent-kafka is not installed, or a property is none.
    InputError
        When no broker answers.
    NotFoundError
        When there is no such topic.
    """

    def __init__(self, source: Topic, group: str, brokers: str, properties: dict[str, str]) -> None:
        try:
            import confluent_kafka
        except ImportError as error:
            fact = "The client of Kafka is not installed"
            raise UsageError(fact, remedy='Run: pip install "cellops[kafka]"') from error
        self._kafka = confluent_kafka
        consuming = {
            "bootstrap.servers": source.brokers,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
        try:
            self.consumer = confluent_kafka.Consumer({**QUIET, **properties, **consuming})
            self.producer = confluent_kafka.Producer(
                {"enable.idempotence": True, "linger.ms": 5, **QUIET, **properties, "bootstrap.servers": brokers}
            )
        except confluent_kafka.KafkaException as error:
            fact = f"Kafka refuses a property: {_said(error)}"
            raise UsageError(fact, remedy="Correct CELLOPS_KAFKA_CONFIG") from error
        self._require(source)

    def _require(self, source: Topic) -> None:
        try:
            found = self.consumer.list_topics(source.name, timeout=ANSWER_WITHIN).topics[source.name]
        except self._kafka.KafkaException as error:
            fact = f"No broker of {source} answers: {_said(error)}"
            raise InputError(fact, remedy="Start it, or correct the address and CELLOPS_KAFKA_CONFIG") from error
        if found.error is not None:
            fact = f"{source} cannot be read: {found.error.str()}"
            raise NotFoundError(fact, remedy="Make the topic first, or correct its name")

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        self.consumer.close()


def _said(error: Any) -> str:
    """What a client says, without what it was configured with."""
    inner: Any = error.args[0]
    return str(inner.str())
