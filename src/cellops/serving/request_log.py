"""Lines of JSON for those who read a server's logs by machine: one for each request, and one for each message.

No line holds anything of a body, of an answer or of a path that the server does not know, nor the text of an exception,
which may quote a row.
"""

import json
import logging
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple

import orjson

RHYTHM = 0.2
"""Seconds for which lines are gathered: that much is missing after a kill."""
MOST_WAITING = 100_000
"""Lines that wait for a reader that does not keep up; the rest are left out and counted."""
WORST_ANSWER, WORST_REQUEST = 500, 400


class Line(NamedTuple):
    """What is told of a request."""

    time: int
    """When it came, in nanoseconds since the epoch."""
    request_id: str
    prediction_id: str
    client: str
    """The name of its token; empty where it had none that is known."""
    model: str
    version: str
    protocol: str
    route: str
    status: int
    seconds: float
    rows: int
    error_id: str | None


class RequestLog:
    """Writes lines from a thread of its own: a request pays for handing one over.

    Parameters
    ----------
    stream
        Where they go.
    share
        Of the requests that were answered well, those that have a line, evenly; of the others all have one.
    """

    def __init__(self, stream: BinaryIO, share: float = 1.0) -> None:
        self._stream = stream
        self._share = share
        self._due = 0.0
        self._waiting: deque[Line] = deque()
        self._left_out = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="cellops-requests", daemon=True)
        self._thread.start()

    def add(self, line: Line) -> None:
        """Hand over what is told of a request; called in the thread of the event loop."""
        if self._share < 1 and line.status < WORST_REQUEST:
            self._due += self._share
            if self._due < 1:
                return
            self._due -= 1
        if len(self._waiting) >= MOST_WAITING:
            self._left_out += 1
            return
        self._waiting.append(line)

    def close(self) -> None:
        """Write what waits; closing again does nothing."""
        self._end.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._end.wait(RHYTHM):
            self._write()
        self._write()

    def _write(self) -> None:
        lines = [_told(self._waiting.popleft()) for _ in range(len(self._waiting))]
        left_out, self._left_out = self._left_out, 0
        if left_out:
            lines.append(_message("warning", f"{left_out} requests have no line: their reader does not keep up"))
        if lines:
            try:
                self._stream.write(b"".join(lines))
                self._stream.flush()
            except (OSError, ValueError):
                # Whoever read them has gone, which is no reason to answer no more.
                self._waiting.clear()


class JsonFormatter(logging.Formatter):
    """A message of a library or of ours as a line; of an exception its type and where it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)
            told["exception"] = type(error).__name__
            told["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return _message(record.levelname.lower(), record.getMessage(), **told).decode().rstrip("\n")


@contextmanager
def in_json(share: float) -> Iterator[RequestLog]:
    """Have all messages of this process, and a line for each request, written to its standard error as JSON."""
    with messages_in_json():
        requests = RequestLog(sys.stderr.buffer, share)
        try:
            yield requests
        finally:
            requests.close()


@contextmanager
def messages_in_json() -> Iterator[None]:
    """The same of a process that answers no requests; no thread is started, so that it may fork."""
    root, handler = logging.getLogger(), logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    before = root.handlers[:]
    root.handlers[:] = [handler]
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:] = before


def _told(line: Line) -> bytes:
    level = "error" if line.status >= WORST_ANSWER else "warning" if line.status >= WORST_REQUEST else "info"
    told = {
        "time": _moment(line.time / 1e9),
        "level": level,
        "request_id": line.request_id,
        "prediction_id": line.prediction_id,
        "client": line.client or None,
        "model": line.model or None,
        "version": line.version or None,
        "protocol": line.protocol,
        "route": line.route,
        "status": line.status,
        "seconds": round(line.seconds, 6),
        "rows": line.rows,
    }
    if line.error_id is not None:
        told["error_id"] = line.error_id
    return orjson.dumps(told) + b"\n"


def _message(level: str, message: str, **more: Any) -> bytes:
    told = {"time": _moment(datetime.now(UTC).timestamp()), "level": level, "message": message, **more}
    # orjson refuses halves of surrogate pairs, as names of files have them.
    return json.dumps(told).encode() + b"\n"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
