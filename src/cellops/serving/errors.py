"""What a server can refuse beyond the errors of the core, and how every error is said over HTTP."""

import logging
import uuid
from typing import Any

from cellops.errors import (
    CellopsError,
    CredentialsError,
    InputError,
    LimitError,
    NotFoundError,
    NotReadyError,
)


class MediaTypeError(CellopsError):
    """A body in a format that the route does not read."""

    code = "media-type"


class MethodError(CellopsError):
    """A method that the route does not have."""

    code = "method"


class SlowError(CellopsError):
    """A body that did not come in time."""

    code = "slow"


class RateError(CellopsError):
    """A client that has sent as many requests as it may; `data["retry_after"]` has the seconds until it may again."""

    code = "rate"


class HeadSizeError(CellopsError):
    """A request with too large a head."""

    code = "head-size"


class HeadError(CellopsError):
    """A request whose head can be read in two ways."""

    code = "head"


class UnsupportedError(CellopsError):
    """A part of a protocol that this server does not speak."""

    code = "unsupported"


class DeadlineError(CellopsError):
    """An explanation that took longer than the server allows."""

    code = "deadline"


class InferenceError(CellopsError):
    """The model failed, or answered what cannot be an answer; `data["error_id"]` is in the server's own log too."""

    code = "inference"


class LoadError(CellopsError):
    """A model that cannot be loaded or unloaded while the server runs; it answers as before."""

    code = "load"


STATUSES: tuple[tuple[type[CellopsError], int], ...] = (
    (InputError, 400),
    (HeadError, 400),
    (LoadError, 400),
    (NotFoundError, 404),
    (MethodError, 405),
    (SlowError, 408),
    (LimitError, 413),
    (MediaTypeError, 415),
    (RateError, 429),
    (HeadSizeError, 431),
    (UnsupportedError, 501),
    (NotReadyError, 503),
    (DeadlineError, 504),
)


SHOWN = ("column", "rows", "rule", "reason", "error_id")
MOST_ROWS = 10
"""Row numbers in an error; its sentence says how many more there are."""
logger = logging.getLogger(__name__)


def failure(fact: str, cause: BaseException | None = None) -> InferenceError:
    """An error that tells the client no more than an id, under which the cause stands in the server's own log."""
    error_id = uuid.uuid4().hex
    logger.error("%s, error id %s", fact, error_id, exc_info=cause)
    return InferenceError(fact, remedy=f"Give the error id {error_id} to those who run the server", error_id=error_id)


def status_of(error: CellopsError) -> int:
    """The HTTP status of an error; 500 for what only the server can be blamed for."""
    if isinstance(error, CredentialsError):
        return 403 if error.data.get("given") else 401
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def said(error: CellopsError) -> dict[str, Any]:
    """What a client is told besides the sentence: never a value that was sent, never a traceback."""
    shown: dict[str, Any] = {key: error.data[key] for key in SHOWN if error.data.get(key)}
    if "rows" in shown:
        shown["rows"] = shown["rows"][:MOST_ROWS]
    return {"code": error.code} | shown


def sentence(error: CellopsError) -> str:
    return f"{error.fact}. {error.remedy}"
