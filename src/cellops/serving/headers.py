"""What the headers of a request say, and those of an answer."""

import re
from collections.abc import Mapping, Sequence
from itertools import chain

from cellops.data.arrays import nanoseconds
from cellops.errors import InputError
from cellops.serving.errors import HeadError, HeadSizeError, MediaTypeError
from cellops.serving.limits import MOST_HEAD_BYTES

Headers = Mapping[bytes, bytes]
REQUEST_ID = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}")
LONGEST_WARNING = 400
MOST_HEADERS = 100
PLAIN_JSON, JSON = b"application/json", "application/json"
SINGLE = frozenset(
    {
        b"authorization",
        b"content-type",
        b"content-encoding",
        b"content-length",
        b"transfer-encoding",
        b"x-request-id",
        b"x-event-time",
        b"x-user-key",
        b"inference-header-content-length",
    }
)
"""Headers that the server reads."""


def media_type_of(headers: Headers) -> str | None:
    """The media type of a body without its parameters, in lower case.

    Raises
    ------
    MediaTypeError
        When the body is compressed or not in UTF-8.
    """
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        fact = "The body is compressed"
        raise MediaTypeError(fact, remedy="Send it without Content-Encoding")
    given = headers.get(b"content-type")
    if given is None or given == PLAIN_JSON:
        return None if given is None else JSON
    media_type, *parameters = given.decode("latin-1").lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            fact = "The body is not announced as UTF-8"
            raise MediaTypeError(fact, remedy="Send it in UTF-8")
    return media_type.strip()


def check_head(headers: Sequence[tuple[bytes, bytes]], target_size: int) -> None:
    """Refuse a request whose head is too large, or can be read in two ways.

    Raises
    ------
    HeadSizeError
        When it is too large.
    HeadError
        When it says twice who asks, what the body is or where it ends: what stands before the server may have read the
        other.
    """
    size = target_size + sum(map(len, chain.from_iterable(headers)))
    if size > MOST_HEAD_BYTES or len(headers) > MOST_HEADERS:
        fact = f"The request has more than {MOST_HEADERS} headers, or more than {MOST_HEAD_BYTES} bytes of them"
        raise HeadSizeError(fact, remedy="Send fewer headers")
    names = [name for name, _ in headers if name in SINGLE]
    if len(set(names)) < len(names):
        fact = "A header that may be sent once was sent twice"
        raise HeadError(fact, remedy=f"Send each once: {b', '.join(sorted(SINGLE)).decode()}")
    if b"content-length" in names and b"transfer-encoding" in names:
        fact = "The request has both Content-Length and Transfer-Encoding"
        raise HeadError(fact, remedy="Send one of them")


def is_request_id(given: str) -> bool:
    """Whether a client's id may stand in a header and a log."""
    return REQUEST_ID.fullmatch(given) is not None


def refuse_request_id() -> InputError:
    fact = "The request id is not one to 128 letters, digits and characters of ._~:/+=@-"
    return InputError(fact, remedy="Send a UUID, or no id")


def event_time_of(headers: Headers, received: int) -> int:
    """When the rows happened: X-Event-Time, else when the request came; nanoseconds since the epoch, UTC.

    Raises
    ------
    InputError
        When it is not an ISO 8601 time.
    """
    header = headers.get(b"x-event-time")
    if header is None:
        return received
    time_given = nanoseconds(header.decode("latin-1"))
    if time_given is None:
        fact = "The header X-Event-Time is not an ISO 8601 time"
        raise InputError(fact, remedy="Send it as 2013-04-01T12:30:00Z, between the years 1678 and 2261")
    return time_given


def answer_headers(prediction_id: str, warnings: Sequence[str]) -> tuple[tuple[bytes, bytes], ...]:
    """The id by which labels speak of this answer, and in short what was odd about its rows."""
    return ((b"x-prediction-id", prediction_id.encode()), *warning_headers(warnings))


def warning_headers(warnings: Sequence[str]) -> tuple[tuple[bytes, bytes], ...]:
    """What was odd about the rows, in short; nothing where nothing was."""
    if not warnings:
        return ()
    # A column's name may hold anything, a header's value only ASCII.
    text = "; ".join(warnings).encode("unicode_escape")
    shown = text if len(text) <= LONGEST_WARNING else text[: LONGEST_WARNING - 3] + b"..."
    return ((b"x-cellops-warnings", shown),)
