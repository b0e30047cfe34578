"""What the headers of a request say, and those of an answer."""

import re
import uuid
from collections.abc import Mapping, Sequence

from cellops.data.arrays import nanoseconds
from cellops.errors import InputError
from cellops.serving.errors import MediaTypeError

Headers = Mapping[bytes, bytes]
REQUEST_ID = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}")
LONGEST_WARNING = 400


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
    if given is None:
        return None
    media_type, *parameters = given.decode("latin-1").lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            fact = "The body is not announced as UTF-8"
            raise MediaTypeError(fact, remedy="Send it in UTF-8")
    return media_type.strip()


def request_id_of(in_body: str | None, headers: Headers) -> str:
    """The id of a request: the one in its body, else in X-Request-Id, else a new one.

    Raises
    ------
    InputError
        When it could not stand in a header, a log or a prediction id.
    """
    in_header = headers.get(b"x-request-id")
    given = in_header.decode("latin-1") if in_body is None and in_header is not None else in_body
    if given is None:
        return uuid.uuid4().hex
    if not REQUEST_ID.fullmatch(given):
        fact = "The request id is not one to 128 letters, digits and characters of ._~:/+=@-"
        raise InputError(fact, remedy="Send a UUID, or no id")
    return given


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
        raise InputError(fact, remedy="Send it as 2013-04-01T12:30:00Z")
    return time_given


def answer_headers(request_id: str, warnings: Sequence[str]) -> tuple[tuple[bytes, bytes], ...]:
    """The request's id, and in short what was odd about its rows."""
    identified = (b"x-request-id", request_id.encode())
    if not warnings:
        return (identified,)
    # A column's name may hold anything, a header's value only ASCII.
    text = "; ".join(warnings).encode("unicode_escape")
    shown = text if len(text) <= LONGEST_WARNING else text[: LONGEST_WARNING - 3] + b"..."
    return (identified, (b"x-cellops-warnings", shown))
