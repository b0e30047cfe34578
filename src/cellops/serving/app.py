"""The ASGI application: from a request to a handler and back, with token, limits, metrics and errors."""

# Every path of the models is known when they are loaded: a dictionary is the whole router, and nothing stands between
# the socket and the codec that a request would have to pay for.

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from cellops.errors import CellopsError, CredentialsError, NotReadyError
from cellops.packaging.stopping import STOP, Stop
from cellops.serving.asked import Answered, Asked
from cellops.serving.auth import OWNER, Access
from cellops.serving.deadlines import Deadlines
from cellops.serving.errors import MethodError, failure
from cellops.serving.headers import refuse_request_id
from cellops.serving.heads import Head
from cellops.serving.limits import Content, Limits, resumed
from cellops.serving.oidc import UnknownKeyError
from cellops.serving.prediction_ids import PredictionIds
from cellops.serving.protocols.protocol import Body, Protocol
from cellops.serving.replies import Reply, error_reply
from cellops.serving.request_log import RequestLog
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
REFUSED, FAILED = 400, 500
NONE: dict[str, Any] = {}
METHODS = {"GET": ("GET", "HEAD"), "POST": ("POST",), "GET or POST": ("GET", "HEAD", "POST")}
"""What a route takes besides its method: uvicorn leaves out the body of an answer to HEAD."""


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
        self._deadlines = Deadlines(limits.seconds, limits.too_late)
        self._requests = requests
        # A scikit-learn model takes a millisecond or more, a hop to a thread a tenth: probes are answered meanwhile.
        # Several threads, so that a long batch does not hold up short ones.
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="cellops-answer")
        # One at a time, and in a thread of its own, so that no question waits behind an explanation.
        self._explainer = ThreadPoolExecutor(1, thread_name_prefix="cellops-explain")
        self._waiting = self._waiting_explanations = 0
        self._ids = PredictionIds("")
        self._short = min(SHORT, limits.max_bytes)
        self._admissions: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)

    def close(self) -> None:
        """Stop the threads, when every request has been answered."""
        for pool in (self._pool, self._explainer):
            pool.shutdown(cancel_futures=True)

    def takes(self, path: str, size: int) -> bool:
        """Whether a request for a path, with a body of so many bytes, can be answered by `take`."""
        route = self.table.find(path)
        return route is not None and route.ask is not None and size <= self._short

    def take(self, head: Head, content: bytes, address: str, answer: Answered) -> Asked:
        """Answer a request that has come whole, as ASGI's would be, without a task for it.

        Parameters
        ----------
        content
            The body.
        address
            Where it came from.
        answer
            Called once with the status, the headers and the body, before this returns or later.
        """
        asked = Asked(self.table, head, address, self._ids)
        asked.answer = answer
        if head.is_owners and self._throttle is None:
            asked.client = OWNER
            self._take_admitted(asked, content)
            return asked
        admission = self._admit(asked)
        try:
            waited_for = admission.send(None)
        except StopIteration:
            self._take_admitted(asked, content)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not show a client its traceback
            self._finish(asked, _failed(asked.protocol, error))
        else:
            task = asyncio.get_running_loop().create_task(self._take_later(asked, content, admission, waited_for))
            self._admissions.add(task)
            task.add_done_callback(self._admissions.discard)
        return asked

    def give_up(self, asked: Asked) -> None:
        """Answer now that there is no answer, since the server ends."""
        if asked.awaited is not None:
            asked.awaited.give_up(self._limits.too_late())

    async def _take_later(
        self, asked: Asked, content: bytes, admission: Coroutine[Any, Any, None], waited_for: object
    ) -> None:
        try:
            await resumed(admission, waited_for)
        except Exception as error:  # noqa: BLE001
            self._finish(asked, _failed(asked.protocol, error))
        else:
            self._take_admitted(asked, content)

    def _take_admitted(self, asked: Asked, content: bytes) -> None:
        done = partial(self._finish, asked)
        try:
            route = self._allow(asked)
            self._expect(asked, route)
        except CellopsError as error:
            done(error_reply(asked.protocol, error))
        else:
            self._wait(asked, route)
            self._ask(asked, route, self._body(asked, content), done)

    def _finish(self, asked: Asked, reply: Reply) -> None:
        """Answer a request that was taken."""
        asked.status = reply.status
        self._leave(asked)
        asked.end()
        assert asked.answer is not None  # noqa: S101 - it was taken with one
        asked.answer(reply.status, asked.heads(reply), reply.content)
        self._tell(asked, reply)

    def _tell(self, asked: Asked, reply: Reply) -> None:
        """Count a request that was answered."""
        seconds = time.perf_counter() - asked.started
        name = asked.route.name if asked.route else "none"
        whose = reply.metrics or asked.metrics
        whose.request_seconds(name, asked.protocol.name, reply.status).observe(seconds)
        if self._requests is not None:
            self._requests.add(asked.line(reply, seconds))

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Taken out, since it holds on to what holds the scope.
        whole: Whole | None = scope.pop("extensions", NONE).get(WHOLE)
        head = Head(scope["method"], scope["path"], scope["headers"], len(scope.get("query_string", b"")))
        asked = Asked(self.table, head, (scope.get("client") or ("",))[0], self._ids)
        try:
            reply = await self._reply(asked, receive, whole)
        except CellopsError as error:
            reply = error_reply(asked.protocol, error)
        finally:
            asked.end()
        if reply is None:
            return
        heads = asked.heads(reply)
        if whole is None or not whole(reply.status, heads, reply.content):
            await send({"type": "http.response.start", "status": reply.status, "headers": heads})
            await send({"type": "http.response.body", "body": reply.content})
        self._tell(asked, reply)

    async def _reply(self, asked: Asked, receive: Receive, whole: Whole | None) -> Reply | None:
        """The reply of a route; None when the client has gone."""
        await self._admit(asked)
        route = self._allow(asked)
        if not route.in_thread:
            return route.handle(Body(b"", None, asked.head.headers), asked.received)
        self._expect(asked, route)
        try:
            content = await self._limits.read(asked.head.headers, receive, whole.body if whole else None)
            if content is None:
                return None
            body = self._body(asked, content)
            self._wait(asked, route)
            reply = await self._handled(asked, route, body)
            asked.status = reply.status
            return reply
        finally:
            self._leave(asked)

    async def _handled(self, asked: Asked, route: Route, body: Body) -> Reply:
        if route.ask is not None and len(body.content) <= SHORT:
            return await self._soon(asked, route, body)
        pool = self._explainer if route.explains else self._pool
        return await self._answered(pool, route, body, asked.received)

    async def _admit(self, asked: Asked) -> None:
        """Refuse a head that is none, and a client that may not ask."""
        head, scope = asked.head, asked.route.scope if asked.route else None
        head.check()
        if head.path in OPEN:
            return
        header = head.headers.get(b"authorization")
        asked.client = await self._client(header, scope, asked.address)
        head.is_owners = asked.client == OWNER and self._access.is_owner(header)
        if self._throttle is not None:
            await self._throttle.admit(_counted(asked.client, asked.address))

    def _allow(self, asked: Asked) -> Route:
        """Its route, if that can be asked so, and now."""
        head, route = asked.head, asked.route
        if route is None:
            raise self.table.missing(head.path)
        if head.method not in METHODS[route.method]:
            fact = f"{head.path} takes {route.method} only"
            raise MethodError(fact, remedy=f"Send a {route.method}", allow=", ".join(METHODS[route.method]))
        if route.says_ready:
            if self.draining:
                fact = "The server is being stopped"
                raise NotReadyError(fact, remedy="Ask another, or this one when it has been started again")
            for model in route.models:
                model.require_ready()
        return route

    def _expect(self, asked: Asked, route: Route) -> None:
        """Give it a place among those that wait, if it says well what it sends."""
        _ = asked.head.media_type
        if b"x-request-id" in asked.head.headers and asked.request_id == asked.prediction_id:
            raise refuse_request_id()
        self._take_place(route)
        asked.place = route

    def _body(self, asked: Asked, content: Content) -> Body:
        head = asked.head
        return Body(
            content, head.media_type, head.headers, asked.request_id, asked.prediction_id, asked.client, asked.address
        )

    def _take_place(self, route: Route) -> None:
        """A place among those that wait, while there are any."""
        if self._waiting >= WAITING or (route.explains and self._waiting_explanations >= EXPLAINING):
            fact = f"Too many requests are waiting for {'an explanation' if route.explains else 'the model'}"
            raise NotReadyError(fact, remedy="Send the request again in a second")
        if route.backlog is not None:
            route.backlog.admit(self._limits.wait_seconds)
        self._waiting += 1
        self._waiting_explanations += route.explains

    @staticmethod
    def _wait(asked: Asked, route: Route) -> None:
        """Count it among those that wait for its model, now that its body is there."""
        if route.backlog is not None:
            route.backlog.begin()
            asked.backlog = route.backlog

    def _leave(self, asked: Asked) -> None:
        """Give its place to others, if it has one."""
        if asked.backlog is not None:
            asked.backlog.end(answered=not REFUSED <= asked.status < FAILED)
            asked.backlog = None
        if asked.place is not None:
            self._waiting -= 1
            self._waiting_explanations -= asked.place.explains
            asked.place = None

    async def _client(self, header: bytes | None, scope: TokenScope | None, address: str) -> str:
        strangers = self._strangers
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

    def _ask(self, asked: Asked, route: Route, body: Body, done: Callable[[Reply], None]) -> None:
        """Have the event loop answer, in time; `done` is called once with what becomes of it."""
        assert route.ask is not None  # noqa: S101 - it is not called for others

        def hear(told: Reply | Exception) -> None:
            self._deadlines.forget(asked.awaited)
            done(_failed(route.protocol, told) if isinstance(told, Exception) else told)

        try:
            asked.awaited = route.ask(body, asked.received, self._pool, hear)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not show a client its traceback
            hear(error)
            return
        if not asked.awaited.is_over:
            self._deadlines.watch(asked.awaited)

    async def _soon(self, asked: Asked, route: Route, body: Body) -> Reply:
        """The same, waited for."""
        came: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._ask(asked, route, body, lambda reply: None if came.done() else came.set_result(reply))
        try:
            return await came
        except asyncio.CancelledError:
            self.give_up(asked)
            raise

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


def _counted(client: str, address: str) -> str:
    """As whom requests are counted: by the client's own token, else by its address, since many send the server's."""
    return f"address {address}" if client == OWNER else f"token {client}"


def _safely(route: Route, body: Body, received: int, stop: Stop) -> Reply:
    """Whatever happens in a handler becomes a reply: an error of ours says itself, any other has an id in the log."""
    token = STOP.set(stop)
    try:
        return route.handle(body, received)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not show a client its traceback
        return _failed(route.protocol, error)
    finally:
        STOP.reset(token)


def _failed(protocol: Protocol, error: Exception) -> Reply:
    if isinstance(error, CellopsError):
        return error_reply(protocol, error)
    return error_reply(protocol, failure("The server failed on this request", error, is_discreet=True))
