"""What can be asked for, by path: the answers of models, and what can be read of a server."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol as Shape

import msgspec
import orjson

from cellops.data.problems import SHOWN, row_numbers
from cellops.errors import CellopsError, InputError
from cellops.serving.awaited import Awaited
from cellops.serving.backlog import Backlog
from cellops.serving.dataplane import Answer, Call
from cellops.serving.division import Division
from cellops.serving.feedback import Labels, labels_of
from cellops.serving.headers import answer_headers, event_time_of, is_request_id, refuse_request_id, warning_headers
from cellops.serving.metrics import MEDIA_TYPE, Metrics, ModelMetrics
from cellops.serving.model import Model
from cellops.serving.openapi import FEEDBACK
from cellops.serving.protocols.protocol import Body, Document, Explaining, Protocol, Question
from cellops.serving.replies import Reply, answer_reply, constant, error_reply
from cellops.serving.tokens import TokenScope

OPEN = ("/", "/v2/health/live", "/v2/health/ready", "/ping", "/health", "/ui", "/ui/page.css", "/ui/page.js")
"""Probes send no token, and the page has none before a person types it."""
Handler = Callable[[Body, int], Reply]
Hear = Callable[[Reply | Exception], None]
Ask = Callable[[Body, int, Executor, Hear], Awaited]


@dataclass(frozen=True, slots=True)
class Route:
    """A path: its method, whose protocol it is, and what is done there."""

    name: str
    """As metrics call it: a fixed word, whatever is asked for."""
    method: str
    protocol: Protocol
    handle: Handler
    in_thread: bool
    explains: bool = False
    """Whether it may take seconds, and has to wait for others of the kind."""
    scope: TokenScope | None = None
    """What a client's token must allow; None for what all of them may read."""
    models: tuple[Model, ...] = ()
    """Those that must not be closed while this is handled."""
    metrics: ModelMetrics | None = None
    """Of the model that is asked; None where that is not known by the path."""
    ask: Ask | None = None
    """How a short body is handled on the event loop, with threads for what takes long; a reply is heard of later."""
    backlog: Backlog | None = None
    """The requests that wait for the same model; None where none is waited for."""
    says_ready: bool = False
    """Whether this tells that its models answer, which is not so when the server stops or may not answer unlogged."""


class Table(Shape):
    """All that can be asked of an application; it never changes, and is replaced as a whole."""

    @property
    def routes(self) -> Mapping[str, Route]:
        """By path, as far as paths are known."""

    @property
    def metrics(self) -> ModelMetrics:
        """Where requests are counted by which no model is asked."""

    def find(self, path: str) -> Route | None:
        """The route of a path; None where there is none."""

    def missing(self, path: str) -> CellopsError:
        """What is wrong with a path that has no route."""

    def protocol_of(self, path: str) -> Protocol:
        """In whose words errors are said, also for paths that do not exist."""


def reading(protocol: Protocol, documents: Mapping[str, Document]) -> dict[str, Route]:
    """Routes of documents that never change."""
    return {
        path: Route("document", "GET", protocol, constant(document), in_thread=False)
        for path, document in documents.items()
    }


def probing(protocol: Protocol, model: Model, every: tuple[Model, ...]) -> dict[str, Route]:
    """Routes by which this model, or where they are open to all every one, says that it answers."""
    return {
        path: Route(
            "ready",
            "GET",
            protocol,
            constant(document),
            in_thread=False,
            models=every if path in OPEN else (model,),
            says_ready=True,
        )
        for path, document in protocol.probes().items()
    }


def asking(protocol: Protocol, model: Model) -> dict[str, Route]:
    """Routes of questions to a model."""
    handle, ask = _asked(protocol, model)
    route = Route(
        "predict",
        "POST",
        protocol,
        handle,
        in_thread=True,
        scope=TokenScope.PREDICT,
        models=(model,),
        metrics=model.metrics,
        ask=ask,
        backlog=model.backlog,
    )
    return dict.fromkeys(protocol.ask_paths(), route)


def sharing(protocols: Mapping[Model, Protocol], division: Division) -> Route:
    """The route of questions that one of two models answers."""
    champion, challenger = division.models
    handle, ask = _shared(protocols, division)
    return Route(
        "predict",
        "POST",
        protocols[champion],
        handle,
        in_thread=True,
        scope=TokenScope.PREDICT,
        models=(champion, challenger),
        metrics=champion.metrics,
        ask=ask,
        backlog=champion.backlog,
    )


def explaining(protocol: Protocol, model: Model) -> dict[str, Route]:
    """Routes of questions why a model answers so; none for a protocol that does not know them."""
    if not isinstance(protocol, Explaining):
        return {}
    return dict.fromkeys(protocol.explain_paths(), _explain_route(protocol, (model,), _explained(protocol, model)))


def sharing_explanations(protocol: Explaining, division: Division) -> Route:
    """The route of questions why an answer is so, which the model explains that would give it."""

    def handle(body: Body, received: int) -> Reply:
        question, call = _understood(protocol.decode_explained, protocol, body, received)
        model = division.model(division.choose(division.asker(body.headers, question.columns, call)))
        reply = _explanation(protocol, model, question, call)
        return msgspec.structs.replace(reply, metrics=model.metrics)

    return _explain_route(protocol, division.models, handle)


def _explain_route(protocol: Explaining, models: tuple[Model, ...], handle: Handler) -> Route:
    return Route(
        "explain",
        "POST",
        protocol,
        handle,
        in_thread=True,
        explains=True,
        scope=TokenScope.PREDICT,
        models=models,
        metrics=models[0].metrics,
    )


def measuring(protocol: Protocol, metrics: Metrics) -> Route:
    """The route of what Prometheus reads."""

    def handle(_body: Body, _received: int) -> Reply:
        return Reply(200, metrics.text(), MEDIA_TYPE.encode())

    return Route("metrics", "GET", protocol, handle, in_thread=False, scope=TokenScope.METRICS)


def taking(protocol: Protocol, models: tuple[Model, ...]) -> Route:
    """The route of labels for one of these models."""

    def handle(body: Body, received: int) -> Reply:
        labels = labels_of(body)
        model = models[0] if len(models) == 1 else _meant(labels, models)
        document = model.feedback.take(labels, received)
        model.metrics.labels.inc(document["accepted"])
        model.metrics.unknown_labels.inc(document["unknown"])
        return Reply(200, orjson.dumps(document), headers=_said(model))

    metrics = models[0].metrics if len(models) == 1 else None
    return Route(
        "feedback", "POST", protocol, handle, in_thread=True, scope=TokenScope.FEEDBACK, models=models, metrics=metrics
    )


def _meant(labels: Labels, models: tuple[Model, ...]) -> Model:
    """The model that has made all predictions that labels speak of."""
    ids = [label.get("prediction_id") for label in labels.each]
    found = [
        next((model for model in models if isinstance(each, str) and model.ids.issued(each)), None) for each in ids
    ]
    meant, *others = dict.fromkeys(found)
    if meant is None or others:
        strange = [row for row, model in enumerate(found) if model is None]
        fact = f"Labels of {len(others) + 1} models came together"
        if strange:
            fact = f"Column prediction_id, {row_numbers(strange)}: no ANSWER:ROW that a model of this server has made"
        remedy = f"Send the labels of each model by themselves, to {FEEDBACK}/MODEL where others made the predictions"
        raise InputError(fact, remedy=remedy, column="prediction_id", rows=strange[:SHOWN])
    return meant


def _asked(protocol: Protocol, model: Model) -> tuple[Handler, Ask]:
    reply = _replying(protocol, model)

    def handle(body: Body, received: int) -> Reply:
        question, call = _understood(protocol.decode, protocol, body, received)
        return reply(question, call, model.plane.answer(question.columns, call))

    def ask(body: Body, received: int, pool: Executor, hear: Hear) -> Awaited:
        question, call = _understood(protocol.decode, protocol, body, received)

        def finished(answer: Answer | Exception) -> Reply:
            if isinstance(answer, Exception):
                raise answer
            return reply(question, call, answer)

        return model.plane.ask(question.columns, call, pool, _heard(finished, hear))

    return handle, ask


def _shared(protocols: Mapping[Model, Protocol], division: Division) -> tuple[Handler, Ask]:
    """The handlers of one of two models; also an error says which of them has failed."""
    replies = {model: _replying(protocol, model) for model, protocol in protocols.items()}
    read = protocols[division.models[0]]

    def begun(body: Body, received: int) -> tuple[Model, Question, Call, Callable[[Answer | Exception], Reply]]:
        """Who answers what, and what becomes of its answer."""
        question, call = _understood(read.decode, read, body, received)
        asker = division.asker(body.headers, question.columns, call)
        slot = division.choose(asker)
        model = division.begin(asker, slot, call)

        def finished(answer: Answer | Exception) -> Reply:
            if isinstance(answer, Exception):
                return _failing(read, model, division.failed(slot, question.columns, call, answer))
            division.answered(slot, call)
            division.show(asker, question.columns, call, answer.predictions)
            return msgspec.structs.replace(replies[model](question, call, answer), metrics=model.metrics)

        return model, question, call, finished

    def handle(body: Body, received: int) -> Reply:
        model, question, call, finished = begun(body, received)
        try:
            answer: Answer | Exception = model.plane.answer(question.columns, call)
        except Exception as error:  # noqa: BLE001 - raised again there
            answer = error
        return finished(answer)

    def ask(body: Body, received: int, pool: Executor, hear: Hear) -> Awaited:
        model, question, call, finished = begun(body, received)
        return model.plane.ask(question.columns, call, pool, _heard(finished, hear))

    return handle, ask


def _heard(finished: Callable[[Answer | Exception], Reply], hear: Hear) -> Callable[[Answer | Exception], None]:
    """Have a reply heard of; an error in making it is one, too, since others wait for theirs beside it."""

    def answered(answer: Answer | Exception) -> None:
        try:
            told: Reply | Exception = finished(answer)
        except Exception as error:  # noqa: BLE001
            told = error
        hear(told)

    return answered


def _failing(protocol: Protocol, model: Model, error: CellopsError) -> Reply:
    reply = error_reply(protocol, error)
    return msgspec.structs.replace(reply, headers=(*reply.headers, *_said(model)), metrics=model.metrics)


def _replying(protocol: Protocol, model: Model) -> Callable[[Question, Call, Answer], Reply]:
    said = _said(model)

    def reply(question: Question, call: Call, answer: Answer) -> Reply:
        document = protocol.encode(question, answer.predictions)
        headers = (*said, *answer_headers(call.prediction_id, _warnings(answer.warnings, question)))
        return answer_reply(document, headers, call.request_id, len(answer.predictions.labels))

    return reply


def _explained(protocol: Explaining, model: Model) -> Handler:
    def handle(body: Body, received: int) -> Reply:
        question, call = _understood(protocol.decode_explained, protocol, body, received)
        return _explanation(protocol, model, question, call)

    return handle


def _explanation(protocol: Explaining, model: Model, question: Question, call: Call) -> Reply:
    answer = model.plane.explain(question.columns, question.explained_class)
    document = protocol.encode_explanations(answer.predictions, answer.explanations)
    headers = (*_said(model), *warning_headers(_warnings(answer.warnings, question)))
    return answer_reply(document, headers, call.request_id, len(answer.predictions.labels))


def _said(model: Model) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"x-model", f"{model.name}/versions/{model.version}".encode()),)


def _understood(
    decode: Callable[[Body], Question], protocol: Protocol, body: Body, received: int
) -> tuple[Question, Call]:
    """What is asked, and under which circumstances."""
    question = decode(body)
    request_id = question.request_id or body.request_id
    if question.request_id and not is_request_id(request_id):
        raise refuse_request_id()
    event = event_time_of(body.headers, received)
    return question, Call(body.prediction_id, request_id, event, received, protocol.name, len(body.content))


def _warnings(of_rows: tuple[str, ...], question: Question) -> tuple[str, ...]:
    if not question.absent:
        return of_rows
    return (*of_rows, *(f"absent {name}" for name in question.absent))
