"""The ASGI application: from a request to a handler and back, with token, limits, metrics and errors."""

# Every path is known when the server starts, since it serves one package: a dictionary is the whole router, and nothing
# stands between the socket and the codec that a request would have to pay for.

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import orjson

from cellops.errors import CellopsError, NotFoundError, NotReadyError
from cellops.serving import openapi
from cellops.serving.auth import OWNER, Access
from cellops.serving.dataplane import Call, DataPlane, failure
from cellops.serving.errors import MethodError, UnsupportedError
from cellops.serving.feedback import Feedback
from cellops.serving.headers import (
    Headers,
    answer_headers,
    check_head,
    event_time_of,
    is_request_id,
    media_type_of,
    refuse_request_id,
)
from cellops.serving.limits import Limits
from cellops.serving.metrics import MEDIA_TYPE, Metrics
from cellops.serving.prediction_ids import PredictionIds
from cellops.serving.protocols.protocol import Body, Protocol, Served
from cellops.serving.replies import Reply, answer_reply, constant, error_reply
from cellops.serving.throttle import Throttle
from cellops.serving.tokens import TokenScope

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

OPEN = ("/", "/v2/health/live", "/v2/health/ready", "/ping", "/health")
"""Probes send no token."""
WAITING = 256
"""Requests that may send their body or wait for the model; more are refused at once, so that these are answered."""
METHODS = {"GET": ("GET", "HEAD"), "POST": ("POST",)}
"""What a route takes besides its method: uvicorn leaves out the body of an answer to HEAD."""
EXPLAIN = ":explain"
"""The suffix of KServe V1's path for explanations."""


@dataclass(frozen=True, slots=True)
class Route:
    """A path: its method, whose protocol it is, and what is done there."""

    name: str
    """As metrics call it: a fixed word, whatever is asked for."""
    method: str
    protocol: Protocol
    handle: Callable[[Body, int], Reply]
    in_thread: bool
    scope: TokenScope | None = None
    """What a client's token must allow; None for what all of them may read."""


class Arrival(NamedTuple):
    """What is known of a request before its body."""

    headers: Headers
    received: int
    request_id: str
    """The client's, else the server's own."""
    prediction_id: str


class App:
    """One package over every protocol.

    Parameters
    ----------
    served
        The model, as protocols speak of it.
    plane
        Answers questions.
    access
        Knows who may ask for what.
    metrics
        Read at /metrics.
    protocols
        The protocols to speak, the first of them also for what belongs to none.
    throttle
        Counts what clients send; None for any number.
    feedback
        Takes labels.
    ids
        Makes the ids of answers.
    """

    def __init__(
        self,
        served: Served,
        plane: DataPlane,
        *,
        access: Access,
        metrics: Metrics,
        protocols: tuple[type[Protocol], ...],
        feedback: Feedback,
        ids: PredictionIds,
        throttle: Throttle | None = None,
    ) -> None:
        self._plane = plane
        self._access = access
        self._throttle = throttle
        self.metrics = metrics
        self._limits: Limits = served.limits
        self._name = served.name
        self._version = served.version
        self._live = {"name": served.name, "live": True}
        self._protocols = tuple(protocol(served) for protocol in protocols)
        # A scikit-learn model takes a millisecond or more, a hop to a thread a tenth: probes are answered meanwhile.
        # Several threads, so that a long batch does not hold up short ones.
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="cellops-answer")
        self._waiting = 0
        self._ids = ids
        self._routes = self._all_routes(feedback)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)

    def close(self) -> None:
        """Stop the threads, when every request has been answered."""
        self._pool.shutdown(cancel_futures=True)

    @property
    def routes(self) -> Mapping[str, Route]:
        """All that can be asked for, by path."""
        return self._routes

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        received = time.time_ns()
        headers: Headers = dict(scope["headers"])
        path = scope["path"]
        route = self._routes.get(path)
        protocol = route.protocol if route else self._protocol_of(path)
        prediction_id = self._ids.new()
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if is_request_id(given) else prediction_id
        self.metrics.in_progress.inc()
        try:
            arrival = Arrival(headers, received, request_id, prediction_id)
            reply = await self._reply(route, scope, receive, arrival)
        except CellopsError as error:
            reply = error_reply(protocol, error)
        finally:
            self.metrics.in_progress.dec()
        if reply is None:
            return
        head = [
            (b"content-type", reply.media_type),
            (b"content-length", b"%d" % len(reply.content)),
            (b"x-request-id", (reply.request_id or request_id).encode()),
            *reply.headers,
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": head})
        await send({"type": "http.response.body", "body": reply.content})
        seconds = self.metrics.request_seconds(route.name if route else "none", protocol.name, reply.status)
        seconds.observe(time.perf_counter() - started)

    async def _reply(self, route: Route | None, scope: Scope, receive: Receive, arrival: Arrival) -> Reply | None:
        """The reply of a route; None when the client has gone."""
        path, headers = scope["path"], arrival.headers
        check_head(scope["headers"], len(path) + len(scope.get("query_string", b"")))
        if path not in OPEN:
            client = self._access.client(headers.get(b"authorization"), route.scope if route else None)
            if self._throttle is not None:
                await self._throttle.admit(_counted(client, scope))
        if route is None:
            raise self._no_route(path)
        if scope["method"] not in METHODS[route.method]:
            fact = f"{path} takes {route.method} only"
            raise MethodError(fact, remedy=f"Send a {route.method}", allow=", ".join(METHODS[route.method]))
        if not route.in_thread:
            return route.handle(Body(b"", None, headers), arrival.received)
        media_type = media_type_of(headers)
        if b"x-request-id" in headers and arrival.request_id == arrival.prediction_id:
            raise refuse_request_id()
        if self._waiting >= WAITING:
            fact = "Too many requests are waiting for the model"
            raise NotReadyError(fact, remedy="Send the request again in a second")
        self._waiting += 1
        try:
            content = await self._limits.read(headers, receive)
            if content is None:
                return None
            body = Body(content, media_type, headers, arrival.request_id, arrival.prediction_id)
            return await asyncio.get_running_loop().run_in_executor(self._pool, _safely, route, body, arrival.received)
        finally:
            self._waiting -= 1

    def _all_routes(self, feedback: Feedback) -> dict[str, Route]:
        first = self._protocols[0]
        routes = {
            "/": Route("live", "GET", first, constant(self._live), in_thread=False),
            "/metrics": Route("metrics", "GET", first, self._measured, in_thread=False, scope=TokenScope.METRICS),
            "/feedback": Route(
                "feedback", "POST", first, self._taken(feedback), in_thread=True, scope=TokenScope.FEEDBACK
            ),
            openapi.PATH: Route("openapi", "GET", first, self._described(), in_thread=False),
        }
        for protocol in self._protocols:
            for path, document in protocol.documents().items():
                routes[path] = Route("document", "GET", protocol, constant(document), in_thread=False)
            for path in protocol.ask_paths():
                asked = self._asked(protocol)
                routes[path] = Route("predict", "POST", protocol, asked, in_thread=True, scope=TokenScope.PREDICT)
        return routes

    def _described(self) -> Callable[[Body, int], Reply]:
        """The OpenAPI document, made when it is first asked for."""

        @cache
        def made() -> Reply:
            document = openapi.document(
                self._plane.contract,
                self._limits,
                name=self._name,
                version=self._version,
                protocols=self._protocols,
                readable={"/": self._live, "/metrics": ""},
                is_open=OPEN,
            )
            return Reply(200, orjson.dumps(document))

        return lambda _body, _received: made()

    def _protocol_of(self, path: str) -> Protocol:
        return next((p for p in self._protocols if path.startswith(p.prefix)), self._protocols[0])

    def _no_route(self, path: str) -> CellopsError:
        if path == f"/v1/models/{self._name}{EXPLAIN}":
            fact = "This server does not explain predictions"
            return UnsupportedError(fact, remedy="Ask for predictions")
        models = re.match(r"/v[12]/models/([^/:]+)", path)
        if models and models[1] != self._name:
            fact = "There is no such model here"
            return NotFoundError(fact, remedy=f"The model is {self._name}")
        fact = "There is no such path here"
        asked = ", ".join(path for path, route in self._routes.items() if route.in_thread)
        return NotFoundError(fact, remedy=f"Questions go to {asked}")

    def _asked(self, protocol: Protocol) -> Callable[[Body, int], Reply]:
        def handle(body: Body, received: int) -> Reply:
            question = protocol.decode(body)
            request_id = question.request_id or body.request_id
            if not is_request_id(request_id):
                raise refuse_request_id()
            event = event_time_of(body.headers, received)
            call = Call(body.prediction_id, request_id, event, received, protocol.name)
            answer = self._plane.answer(question.columns, call)
            document = protocol.encode(question, answer.predictions)
            warnings = (*answer.warnings, *(f"absent {name}" for name in question.absent))
            headers = answer_headers(body.prediction_id, warnings)
            return answer_reply(document, headers, request_id)

        return handle

    def _taken(self, feedback: Feedback) -> Callable[[Body, int], Reply]:
        def handle(body: Body, received: int) -> Reply:
            document = feedback.take(body, received)
            self.metrics.labels.inc(document["accepted"])
            self.metrics.unknown_labels.inc(document["unknown"])
            return Reply(200, orjson.dumps(document))

        return handle

    def _measured(self, _body: Body, _received: int) -> Reply:
        return Reply(200, self.metrics.text(), MEDIA_TYPE.encode())


def _counted(client: str, scope: Scope) -> str:
    """As whom requests are counted: by the client's own token, else by its address, since many send the server's."""
    address = scope.get("client") or ("",)
    return f"address {address[0]}" if client == OWNER else f"token {client}"


def _safely(route: Route, body: Body, received: int) -> Reply:
    """Whatever happens in a handler becomes a reply: an error of ours says itself, any other has an id in the log."""
    try:
        return route.handle(body, received)
    except CellopsError as error:
        return error_reply(route.protocol, error)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not show a client its traceback
        return error_reply(route.protocol, failure("The server failed on this request", error, is_discreet=True))
