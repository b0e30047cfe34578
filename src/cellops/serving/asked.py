"""A request under way: what is known of it from its head to its answer."""

import time
from collections.abc import Callable, Sequence

from cellops.serving.awaited import Awaited
from cellops.serving.backlog import Backlog
from cellops.serving.headers import is_request_id
from cellops.serving.heads import Head
from cellops.serving.prediction_ids import PredictionIds
from cellops.serving.replies import Reply
from cellops.serving.request_log import Line
from cellops.serving.routes import Route, Table

OK = 200
Answered = Callable[[int, Sequence[tuple[bytes, bytes]], bytes], None]
"""Takes the status, the headers and the body of an answer."""


class Asked:
    """A request under way.

    Parameters
    ----------
    table
        In which its route is looked for.
    head
        What has come before its body.
    address
        Where it came from.
    ids
        Makes the id of an answer that no model gives.
    """

    __slots__ = (
        *("address", "answer", "awaited", "backlog", "client", "head", "metrics", "models", "place", "prediction_id"),
        *("protocol", "received", "request_id", "route", "started", "status"),
    )

    def __init__(self, table: Table, head: Head, address: str, ids: PredictionIds) -> None:
        self.started, self.received = time.perf_counter(), time.time_ns()
        self.head, self.address = head, address
        self.route = route = table.find(head.path)
        self.protocol = route.protocol if route else table.protocol_of(head.path)
        self.metrics = (route.metrics if route else None) or table.metrics
        self.models = route.models if route else ()
        self.prediction_id = self.models[0].ids.new() if self.models else ids.new()
        given = head.headers.get(b"x-request-id", b"").decode("latin-1")
        self.request_id = given if given and is_request_id(given) else self.prediction_id
        """The client's, else the server's own."""
        self.client = ""
        """Whose token it has; empty until that is known."""
        self.place: Route | None = None
        """Where it has a place among those that wait."""
        self.backlog: Backlog | None = None
        """Where it is counted as one that waits for its model."""
        self.status = OK
        """Of its answer, when that is known."""
        self.awaited: Awaited | None = None
        """The answer of a model, where that is made by the event loop."""
        self.answer: Answered | None = None
        """Who takes the answer, of a request that came without ASGI."""
        # Nothing was awaited since the table was read, so that a model which is replaced knows who has begun with it.
        for model in self.models:
            model.begin()
        self.metrics.in_progress.inc()

    def end(self) -> None:
        """It is answered, or will not be."""
        self.metrics.in_progress.dec()
        for model in self.models:
            model.end()

    def heads(self, reply: Reply) -> list[tuple[bytes, bytes]]:
        """The headers of the answer."""
        return [
            (b"content-type", reply.media_type),
            (b"content-length", b"%d" % len(reply.content)),
            (b"x-request-id", (reply.request_id or self.request_id).encode()),
            *reply.headers,
        ]

    def line(self, reply: Reply, seconds: float) -> Line:
        """What is told of it."""
        name, version = (self.models[0].name, self.models[0].version) if len(self.models) == 1 else ("", "")
        if reply.metrics is not None:
            name, version = reply.metrics.names
        return Line(
            time=self.received,
            request_id=reply.request_id or self.request_id,
            prediction_id=self.prediction_id,
            client=self.client,
            model=name,
            version=version,
            protocol=self.protocol.name,
            route=self.route.name if self.route else "none",
            status=reply.status,
            seconds=seconds,
            rows=reply.rows,
            error_id=reply.error_id,
        )
