"""What goes back to a client."""

from collections.abc import Callable

import msgspec
import orjson

from cellops.errors import CellopsError
from cellops.serving.errors import HeadError, HeadSizeError, SlowError, status_of
from cellops.serving.metrics import ModelMetrics
from cellops.serving.protocols.protocol import Body, Document, MixedDocument, Protocol


class Reply(msgspec.Struct, frozen=True):
    status: int
    content: bytes
    media_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    request_id: str | None = None
    """The id that stood in the body, for protocols that have one."""
    rows: int = 0
    """How many were answered."""
    error_id: str | None = None
    """Under which the server's log has the cause of a failure."""
    metrics: ModelMetrics | None = None
    """Of the model that answered, where the path does not say it."""


def constant(document: Document) -> Callable[[Body, int], Reply]:
    """A handler that gives one document, made once."""
    reply = (
        Reply(200, document.encode(), b"text/plain; charset=utf-8")
        if isinstance(document, str)
        else Reply(200, orjson.dumps(document))
    )
    return lambda _body, _received: reply


def answer_reply(
    document: Document | MixedDocument, headers: tuple[tuple[bytes, bytes], ...], request_id: str, rows: int
) -> Reply:
    """The answer to a question of so many rows."""
    if not isinstance(document, MixedDocument):
        return Reply(200, orjson.dumps(document), headers=headers, request_id=request_id, rows=rows)
    head = orjson.dumps(document.head)
    length = (document.length_header, b"%d" % len(head))
    return Reply(200, head + document.tail, document.media_type.encode(), (*headers, length), request_id, rows)


def error_reply(protocol: Protocol, error: CellopsError) -> Reply:
    """An error in the words of a protocol, with the headers that its status asks for."""
    status = status_of(error)
    extra = {
        401: ((b"www-authenticate", b"Bearer"),),
        429: ((b"retry-after", str(error.data.get("retry_after", 1)).encode()),),
        405: ((b"allow", str(error.data.get("allow", "")).encode()),),
        503: ((b"retry-after", str(error.data.get("retry_after", 1)).encode()),),
    }
    # What comes next on such a connection cannot be told from the rest of this request.
    closing = ((b"connection", b"close"),) if isinstance(error, SlowError | HeadError | HeadSizeError) else ()
    error_id = str(error.data["error_id"]) if "error_id" in error.data else None
    headers = (*extra.get(status, ()), *closing)
    return Reply(status, orjson.dumps(protocol.error(error, status)), headers=headers, error_id=error_id)
