"""What a server can refuse beyond the errors of the core, and how every error is said over HTTP."""

import logging
import traceback
import uuid
from typing import Any

from cellops.data.problems import Problem
from cellops.errors import (
    CellopsError,
    CredentialsError,
    DeadlineError,
    InputError,
    LimitError,
    NotFoundError,
    NotReadyError,
    UsageError,
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


class InferenceError(CellopsError):
    """The model failed, or answered what cannot be an answer; `data["error_id"]` is in the server's own log too."""

    code = "inference"


class LoadError(CellopsError):
    """A model that cannot be loaded or unloaded while the server runs; it answers as before."""

    code = "load"


class RolloutError(CellopsError):
    """A change of a rollout that its state or strategy does not allow; traffic goes on as before."""

    code = "rollout"


STATUSES: tuple[tuple[type[CellopsError], int], ...] = (
    (InputError, 400),
    (HeadError, 400),
    (LoadError, 400),
    (NotFoundError, 404),
    (MethodError, 405),
    (SlowError, 408),
    (RolloutError, 409),
    (UsageError, 400),
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
MOST_PROBLEMS = 10
"""Of one request that an error lists."""
logger = logging.getLogger(__name__)


def failure(fact: str, cause: BaseException | None = None, *, is_discreet: bool = False) -> InferenceError:
    """An error that tells the client no more than an id, under which the cause stands in the server's own log.

    A discreet one tells that log only the type of the cause and where it was raised: its text may quote a row.
    """
    error_id = uuid.uuid4().hex
    if is_discreet and cause is not None:
        frames = "".join(traceback.format_tb(cause.__traceback__))
        logger.error("%s, error id %s: %s\n%s", fact, error_id, type(cause).__name__, frames)
    else:
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
    found = error.data.get("problems")
    problems = [_listed(each) for each in found if isinstance(each, Problem)] if isinstance(found, list) else []
    if problems:
        shown["problems"] = problems[:MOST_PROBLEMS]
    return {"code": error.code} | shown


def _listed(problem: Problem) -> dict[str, Any]:
    """One of several problems, so that a form can show each beside its field."""
    where = {"column": problem.column} if problem.column is not None else {}
    rows = {"rows": list(problem.rows[:MOST_ROWS])} if problem.rows else {}
    return where | rows | {"message": f"{problem.fact}. {problem.remedy}"}


def sentence(error: CellopsError) -> str:
    return f"{error.fact}. {error.remedy}"
