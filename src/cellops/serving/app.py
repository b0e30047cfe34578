"""The ASGI application: from a request to a handler and back, with token, limits, metrics and errors."""

# Every path of the models is known when they are loaded: a dictionary is the whole router, and nothing stands between
# the socket and the codec that a request would have to pay for.

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cellops.errors import CellopsError, CredentialsError, NotReadyError
from cellops.packaging.stopping import STOP, Stop
from cellops.serving.auth import OWNER, Access
from cellops.serving.deadlines import Deadlines, LateError
from cellops.serving.errors import MethodError, failure
from cellops.serving.headers import Headers, check_head, is_request_id, media_type_of, refuse_request_id
from cellops.serving.limits import Limits
from cellops.serving.oidc import UnknownKeyError
from cellops.serving.prediction_ids import PredictionIds
from cellops.serving.protocols.protocol import Body
from cellops.serving.replies import Reply, error_reply
from cellops.serving.request_log import Line, RequestLog
from cellops.serving.routes import OPEN, Route, Table
from cellops.serving.strangers import Strangers
from cellops.serving.throttle import Throttle
from cellops.serving.tokens import TokenScope
from cellops.serving.wholes import WHOLE, Whole

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

WAITING = 256
"""Requests that may send their body or wait for the model; more are refused at once, so that these are answered."""
SHORT = 32_768
"""Bytes of a body that is read on the event loop, in well under a millisecond; a thread reads a longer one."""
EXPLAINING = 8
"""Explanations that may be asked for at once: each may take seconds, and they are made one after another."""
OK, REFUSED, FAILED = 200, 400, 500
NONE: dict[str, Any] = {}
METHODS = {"GET": ("GET", "HEAD"), "POST": ("POST",), "GET or POST": ("GET", "HEAD", "POST")}
"""What a route takes besides its method: uvicorn leaves out the body of an answer to HEAD."""


@dataclass(slots=True)
class Arrival:
    """What is known of a request before its body."""

    headers: Headers
    received: int
    request_id: str
    """The client's, else the server's own."""
    prediction_id: str
    client: str = ""
    """Whose token it has; empty until that is known."""


class App:
    """What is asked over HTTP, and answered by the routes of a table.

    Parameters
    ----------
    table
        All that can be asked; it may be replaced by another at any time, and requests under way keep theirs.
    access
        Knows who may ask for what.
    limits
        How much a request may ask for.
    throttle
        Counts what clients send; None for any number.
    requests
        Takes a line for each request; None for none.
    strangers
        Shuts out addresses that send wrong tokens; None for none.
    """

    def __init__(
        self,
        table: Table,
        *,
        access: Access,
        limits: Limits,
        throttle: Throttle | None = None,
        requests: RequestLog | None = None,
        strangers: Strangers | None = None,
    ) -> None:
        self.table = table
        self.draining = False
        """Whether the server stops: it says that it is not ready, and answers what has come."""
        self._access = access
        self._throttle = throttle
        self._strangers = strangers
        self._limits = limits
        self._deadlines = Deadlines(limits.seconds)
        self._requests = requests
        # A scikit-learn model takes a millisecond or more, a hop to a thread a tenth: probes are answered meanwhile.
        # Several threads, so that a long batch does not hold up short ones.
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="cellops-answer")
        # One at a time, and in a thread of its own, so that no question waits behind an explanation.
        self._explainer = ThreadPoolExecutor(1, thread_name_prefix="cellops-explain")
        self._waiting = self._waiting_explanations = 0
        self._ids = PredictionIds("")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)

    def close(self) -> None:
        """Stop the threads, when every request has been answered."""
        for pool in (self._pool, self._explainer):
            pool.shutdown(cancel_futures=True)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        received = time.time_ns()
        # Taken out, since it holds on to what holds the scope.
        whole: Whole | None = scope.pop("extensions", NONE).get(WHOLE)
        headers: Headers = dict(scope["headers"])
        path, table = scope["path"], self.table
        route = table.find(path)
        protocol = route.protocol if route else table.protocol_of(path)
        metrics = (route.metrics if route else None) or table.metrics
        models = route.models if route else ()
        prediction_id = models[0].ids.new() if models else self._ids.new()
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if given and is_request_id(given) else prediction_id
        # Nothing was awaited since the table was read, so that a model which is replaced knows who has begun with it.
        for model in models:
            model.begin()
        metrics.in_progress.inc()
        arrival = Arrival(headers, received, request_id, prediction_id)
        try:
            reply = await self._reply(route, scope, receive, arrival, whole)
        except CellopsError as error:
            reply = error_reply(protocol, error)
        finally:
            metrics.in_progress.dec()
            for model in models:
                model.end()
        if reply is None:
            return
        head = [
            (b"content-type", reply.media_type),
            (b"content-length", b"%d" % len(reply.content)),
            (b"x-request-id", (reply.request_id or request_id).encode()),
            *reply.headers,
        ]
        if whole is None or reply.status != OK or not whole(head, reply.content):
            await send({"type": "http.response.start", "status": reply.status, "headers": head})
            await send({"type": "http.response.body", "body": reply.content})
        seconds = time.perf_counter() - started
        name, whose = route.name if route else "none", reply.metrics or metrics
        whose.request_seconds(name, protocol.name, reply.status).observe(seconds)
        if self._requests is not None:
            self._requests.add(_line(arrival, route, protocol.name, reply, seconds))

    async def _reply(
        self, route: Route | None, scope: Scope, receive: Receive, arrival: Arrival, whole: Whole | None
    ) -> Reply | None:
        """The reply of a route; None when the client has gone."""
        path, headers = scope["path"], arrival.headers
        check_head(scope["headers"], len(path) + len(scope.get("query_string", b"")))
        if path not in OPEN:
            client = arrival.client = await self._client(headers, route.scope if route else None, _address(scope))
            if self._throttle is not None:
                await self._throttle.admit(_counted(client, scope))
        if route is None:
            raise self.table.missing(path)
        if scope["method"] not in METHODS[route.method]:
            fact = f"{path} takes {route.method} only"
            raise MethodError(fact, remedy=f"Send a {route.method}", allow=", ".join(METHODS[route.method]))
        if route.says_ready and self.draining:
            fact = "The server is being stopped"
            raise NotReadyError(fact, remedy="Ask another, or this one when it has been started again")
        if route.says_ready:
            for model in route.models:
                model.require_ready()
        if not route.in_thread:
            return route.handle(Body(b"", None, headers), arrival.received)
        media_type = media_type_of(headers)
        if b"x-request-id" in headers and arrival.request_id == arrival.prediction_id:
            raise refuse_request_id()
        self._take_place(route)
        try:
            content = await self._limits.read(headers, receive, whole.body if whole else None)
            if content is None:
                return None
            body = Body(
                content, media_type, headers, arrival.request_id, arrival.prediction_id, arrival.client, _address(scope)
            )
            return await self._waited_for(route, body, arrival.received)
        finally:
            self._waiting -= 1
            self._waiting_explanations -= route.explains

    async def _waited_for(self, route: Route, body: Body, received: int) -> Reply:
        """The reply of a route, counted among those that wait for its model."""
        backlog, answered = route.backlog, True
        if backlog is None:
            return await self._handled(route, body, received)
        backlog.begin()
        try:
            reply = await self._handled(route, body, received)
            answered = not REFUSED <= reply.status < FAILED
            return reply
        finally:
            backlog.end(answered=answered)

    async def _handled(self, route: Route, body: Body, received: int) -> Reply:
        if route.handle_short is not None and len(body.content) <= SHORT:
            return await self._soon(route, route.handle_short(body, received, self._pool))
        pool = self._explainer if route.explains else self._pool
        return await self._answered(pool, route, body, received)

    def _take_place(self, route: Route) -> None:
        """A place among those that wait, while there are any."""
        if self._waiting >= WAITING or (route.explains and self._waiting_explanations >= EXPLAINING):
            fact = f"Too many requests are waiting for {'an explanation' if route.explains else 'the model'}"
            raise NotReadyError(fact, remedy="Send the request again in a second")
        if route.backlog is not None:
            route.backlog.admit(self._limits.wait_seconds)
        self._waiting += 1
        self._waiting_explanations += route.explains

    async def _client(self, headers: Headers, scope: TokenScope | None, address: str) -> str:
        header, strangers = headers.get(b"authorization"), self._strangers
        if strangers is None:
            return await self._known(header, scope)
        strangers.look(address, header)
        try:
            client = await self._known(header, scope)
        except CredentialsError as error:
            if error.data.get("wrong"):
                self.table.metrics.wrong_tokens.inc()
                await strangers.count(address)
            raise
        strangers.trust(address, header)
        return client

    async def _known(self, header: bytes | None, scope: TokenScope | None) -> str:
        try:
            return self._access.client(header, scope)
        except UnknownKeyError:
            if not await self._access.learn():
                raise
        return self._access.client(header, scope)

    async def _soon(self, route: Route, reply: Awaitable[Reply]) -> Reply:
        """The reply of a handler on the event loop, if it comes in time."""
        try:
            return await self._deadlines.within(reply)
        except LateError:
            return _failed(route, self._limits.too_late())
        except Exception as error:  # noqa: BLE001 - a bug of ours must not show a client its traceback
            return _failed(route, error)

    async def _answered(self, pool: ThreadPoolExecutor, route: Route, body: Body, received: int) -> Reply:
        """The reply of a handler in a thread, if it comes in time; else nothing more is done for it than is begun.

        Raises
        ------
        DeadlineError
            When it does not.
        """
        loop, stop = asyncio.get_running_loop(), Stop()
        reply = loop.run_in_executor(pool, _safely, route, body, received, stop)
        # A timer and a cancelled future cost less than half of what asyncio's own time-out does.
        timer = loop.call_later(self._limits.seconds, _stop, stop, reply)
        try:
            return await reply
        except asyncio.CancelledError:
            if not stop.asked:
                raise
            raise self._limits.too_late() from None
        finally:
            timer.cancel()


def _stop(stop: Stop, reply: "asyncio.Future[Reply]") -> None:
    stop.ask()
    reply.cancel()


def _line(arrival: Arrival, route: Route | None, protocol: str, reply: Reply, seconds: float) -> Line:
    models = route.models if route else ()
    name, version = (models[0].name, models[0].version) if len(models) == 1 else ("", "")
    if reply.metrics is not None:
        name, version = reply.metrics.names
    return Line(
        time=arrival.received,
        request_id=reply.request_id or arrival.request_id,
        prediction_id=arrival.prediction_id,
        client=arrival.client,
        model=name,
        version=version,
        protocol=protocol,
        route=route.name if route else "none",
        status=reply.status,
        seconds=seconds,
        rows=reply.rows,
        error_id=reply.error_id,
    )


def _counted(client: str, scope: Scope) -> str:
    """As whom requests are counted: by the client's own token, else by its address, since many send the server's."""
    return f"address {_address(scope)}" if client == OWNER else f"token {client}"


def _address(scope: Scope) -> str:
    address: str = (scope.get("client") or ("",))[0]
    return address


def _safely(route: Route, body: Body, received: int, stop: Stop) -> Reply:
    """Whatever happens in a handler becomes a reply: an error of ours says itself, any other has an id in the log."""
    token = STOP.set(stop)
    try:
        return route.handle(body, received)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not show a client its traceback
        return _failed(route, error)
    finally:
        STOP.reset(token)


def _failed(route: Route, error: Exception) -> Reply:
    if isinstance(error, CellopsError):
        return error_reply(route.protocol, error)
    return error_reply(route.protocol, failure("The server failed on this request", error, is_discreet=True))
