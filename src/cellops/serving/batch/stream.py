"""A topic of Kafka whose messages are answered to another: at least once each, and none is lost.

A message is a row as an object of JSON. What was read is committed only after its answers are with the brokers, so that
whoever goes on after a kill answers a few messages again, under the same prediction ids.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from cellops.data.batch.chunk import Chunk, from_bytes
from cellops.data.batch.json_lines import schema_of, table_of
from cellops.data.problems import shorten
from cellops.errors import InputError, OutputError
from cellops.records.batch import BatchProgress, Streamed
from cellops.serving.batch.answers import ID, PROBLEM, ROW
from cellops.serving.prediction_ids import PredictionIds

if TYPE_CHECKING:
    from cellops.data.batch.kafka import Clients, Topic
    from cellops.packaging.load import LoadedPackage
    from cellops.serving.batch.scorer import Scorer, Wishes

REJECTS = ".rejects"
MOST = 10_000
GATHERING = 0.02
"""Seconds for which more messages are waited for once one is there."""
FLUSH = 60.0
"""Seconds in which the brokers must take the answers."""


@dataclass(frozen=True)
class Message:
    """One row, and where it stood."""

    row: dict[str, Any]
    raw: Any
    """Of the client."""


class Stream:
    """Answers the messages of a topic.

    Parameters
    ----------
    scorer
        That sets bad rows aside, and keeps no columns: what is kept of a message is of its own object.
    package, wishes
        Of the scorer; `wishes` says what is kept.
    clients
        Of the brokers.
    source, output
        The topics; messages without an answer go to OUTPUT.rejects as they came, the reason in their headers.
    most
        Messages that are answered at once, where so many wait; by default 10,000.
    """

    def __init__(
        self,
        scorer: "Scorer",
        package: "LoadedPackage",
        wishes: "Wishes",
        clients: "Clients",
        *,
        source: "Topic",
        output: "Topic",
        most: int | None = None,
    ) -> None:
        self._scorer, self._package, self._wishes = scorer, package, wishes
        self._consumer, self._producer = clients.consumer, clients.producer
        self._source, self._output, self._most = source, output, most or MOST
        self._ids = PredictionIds(package.manifest.name)
        self._inputs = tuple(field.name for field in package.contract.schema.inputs)
        self._decode = msgspec.json.Decoder(dict[str, Any]).decode
        self._ended: set[tuple[str, int]] = set()
        self._failed: list[str] = []
        self._batches = self._rows = self._aside = 0

    def run(self, *, every: float, once: bool, on_progress: Callable[[BatchProgress], None]) -> Streamed:
        """Answer what comes until this is stopped: SIGTERM lets it end what it has begun.

        Parameters
        ----------
        every
            Seconds after which a quiet topic is looked at again.
        once
            Whether to end where every partition has been read to its end.

        Raises
        ------
        InputError
            When the topic cannot be read any more.
        OutputError
            When the brokers do not take the answers; what was not committed is answered again by who goes on.
        """
        began = time.monotonic()
        self._consumer.subscribe([self._source.name])
        with _terminated() as is_terminated:
            while not is_terminated():
                read = self._read(every)
                if read:
                    self._answer(read)
                    told = BatchProgress(
                        rows=self._rows, total=None, seconds=time.monotonic() - began, fresh=self._rows
                    )
                    on_progress(told)
                elif once and self._is_at_end():
                    break
        return Streamed(source=str(self._source), output=str(self._output), rows=self._rows, set_aside=self._aside)

    def _read(self, every: float) -> list[Any]:
        """Messages that wait, once one is there."""
        first = self._consumer.poll(every)
        if first is None:
            return []
        more = self._consumer.consume(self._most - 1, GATHERING) if self._most > 1 else ()
        return [one for one in (first, *more) if self._holds(one)]

    def _holds(self, message: Any) -> bool:
        """Whether it is a message; what else a consumer says is noted."""
        from confluent_kafka import KafkaError

        error, place = message.error(), (message.topic(), message.partition())
        if error is None:
            self._ended.discard(place)
            return True
        passing = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE, KafkaError._TIMED_OUT)
        if error.code() == KafkaError._PARTITION_EOF:
            self._ended.add(place)
        elif error.fatal() or not (error.retriable() or error.code() in passing):
            fact = f"{self._source} cannot be read any more: {error.str()}"
            raise InputError(fact, remedy="Correct that, and begin again: it goes on where it stood")
        return False

    def _is_at_end(self) -> bool:
        assigned = {(one.topic, one.partition) for one in self._consumer.assignment()}
        return bool(assigned) and assigned <= self._ended

    def _answer(self, read: Sequence[Any]) -> None:
        messages = []
        for raw in read:
            row, problem = self._row(raw)
            if row is None:
                self._reject(raw, "", problem)
            else:
                messages.append(Message(row, raw))
        if messages:
            self._score(messages)
        self._flush()
        self._commit(read)
        self._rows += len(read)
        self._batches += 1

    def _row(self, raw: Any) -> tuple[dict[str, Any] | None, str]:
        """The row of a message, or what is wrong with it."""
        if raw.value() is None:
            return None, "has no value"
        try:
            row = self._decode(raw.value())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None, "is no JSON object"
        taken = next((name for name in self._kept(row) if name in self._answers), None)
        return (row, "") if taken is None else (None, f"has a column {taken}, and so is called what is answered")

    @property
    def _answers(self) -> frozenset[str]:
        schema = self._package.contract.schema
        return frozenset({"prediction", "package", ID, "notes", *(f"probability_{name}" for name in schema.classes)})

    def _kept(self, row: Mapping[str, Any]) -> list[str]:
        """What of a row stands beside its answer."""
        if self._wishes.keep_all:
            return list(row)
        if self._wishes.keep is None:
            return [name for name in row if name not in self._inputs]
        return [name for name in self._wishes.keep if name in row]

    def _score(self, messages: Sequence[Message]) -> None:
        """Answer rows; a message without an input is one where that is missing."""
        rows = [{name: message.row.get(name) for name in self._inputs} for message in messages]
        table = table_of(rows, schema_of(rows))
        part = self._scorer.score(Chunk(self._batches, str(self._source), "", 0, 0, table, is_text=False))
        for answer in from_bytes(part.output).to_pylist():
            message = messages[int(answer[ID].rpartition(":")[2])]
            answer[ID] = self._id(message.raw)
            kept = {name: message.row[name] for name in self._kept(message.row)}
            self._produce(self._output.name, message.raw, msgspec.json.encode(kept | answer))
        for reject in from_bytes(part.rejects).to_pylist() if part.rejects is not None else ():
            self._reject(messages[reject[ROW]].raw, reject["column"] or "", reject[PROBLEM])

    def _id(self, raw: Any) -> str:
        """The prediction id of a message: the same each time that it is answered by a package."""
        place = f"{self._package.digest}:{raw.topic()}:{raw.partition()}:{raw.offset()}"
        return f"{self._ids.of(place.encode())}:0"

    def _reject(self, raw: Any, column: str, problem: str) -> None:
        self._aside += 1
        headers = [
            ("column", column),
            ("problem", shorten(problem)),
            ("topic", raw.topic()),
            ("partition", str(raw.partition())),
            ("offset", str(raw.offset())),
            ("package", self._package.digest),
        ]
        self._produce(f"{self._output.name}{REJECTS}", raw, raw.value(), headers)

    def _produce(self, name: str, raw: Any, value: bytes | None, headers: Any = None) -> None:
        """Hand a message to the client, and wait where that has no room for it."""
        from confluent_kafka import KafkaException

        while True:
            try:
                self._producer.produce(name, value, raw.key(), headers=headers or [], on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:  # such as a message that is larger than brokers take
                self._failed.append(error.args[0].str())
                return
            else:
                self._producer.poll(0)
                return

    def _delivered(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._failed.append(error.str())

    def _flush(self) -> None:
        waiting = self._producer.flush(FLUSH)
        if waiting or self._failed:
            why = self._failed[0] if self._failed else f"{waiting} messages were not taken in {FLUSH:g} s"
            fact = f"{self._output} cannot be written: {why}"
            raise OutputError(fact, remedy="Correct that, and begin again: nothing that has no answer is committed")

    def _commit(self, read: Sequence[Any]) -> None:
        """Note how far each partition is answered; one that another consumer has taken over is theirs to note."""
        from confluent_kafka import KafkaError, KafkaException, TopicPartition

        last = {(one.topic(), one.partition()): one.offset() + 1 for one in read}
        lost = (KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS)
        try:
            self._consumer.commit(
                offsets=[TopicPartition(name, part, offset) for (name, part), offset in last.items()],
                asynchronous=False,
            )
        except KafkaException as error:
            if error.args[0].code() not in lost:
                fact = f"What was read of {self._source} cannot be committed: {error.args[0].str()}"
                raise OutputError(
                    fact, remedy="Correct that, and begin again: some messages are answered again"
                ) from error


@contextmanager
def _terminated() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM has come since, which then ends nothing by itself; in a thread it stays what it was."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGTERM, before)
