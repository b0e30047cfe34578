"""A connection to an MLflow tracking store, and its errors in our words."""

import contextlib
import logging
import os
import socket
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filelock import FileLock

from cellops.errors import RefusedError, TrackingError
from cellops.settings import LOCAL_STORE, Settings, local_store, prepare, without_credentials
from cellops.tracking.creation import create

if TYPE_CHECKING:
    from mlflow import MlflowClient

TRACKING_URI = "MLFLOW_TRACKING_URI"
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""MLflow retries for minutes by default; the journal keeps what could not be written, so we ask once."""
QUIETER = {
    "alembic": logging.WARNING,
    "mlflow.tracking": logging.WARNING,
    "mlflow.store.artifact": logging.WARNING,
    "mlflow.store.model_registry": logging.WARNING,
    "urllib3.connectionpool": logging.ERROR,
    "mlflow.store.db.utils": logging.CRITICAL,
}
"""The last of these prints the traceback of an error that we show in one line."""
REFUSALS = frozenset({"INVALID_PARAMETER_VALUE", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"})
"""MLflow's words for a record that it will never take."""
FROM_A_STORE_THAT_ANSWERS = REFUSALS | {"BAD_REQUEST", "ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED", "FEATURE_DISABLED"}
"""Refusals too once the store has answered; before, they can be those of another server at a wrong address."""
NO_ENTRANCE = frozenset({"UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED"})
KEPT = "Nothing is lost: the journal keeps every record"


def connect(settings: Settings) -> "MlflowClient":
    """A client for the tracking store of the settings; a local store is created by one process at a time."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for noisy, level in QUIETER.items():
        logging.getLogger(noisy).setLevel(level)
    import mlflow

    _check_address(settings)
    try:
        with reachable(settings, refusals=()):
            if not is_database(settings):
                return mlflow.MlflowClient(settings.tracking_uri)
            with _alone(settings):
                new = _not_there_yet(settings)
                if new is not None:
                    create(new)
                client = mlflow.MlflowClient(settings.tracking_uri)
                client.search_experiments(max_results=1)
                client = _quicker(settings) or client
    except ImportError as error:
        fact = f"The tracking store {settings.store} needs a driver that is not installed: {error}"
        raise TrackingError(fact, remedy=f"Install it, then run: cellops sync. {KEPT}") from error
    return client


def _quicker(settings: Settings) -> "MlflowClient | None":
    """A client that writes the rows of runs itself, where the tables are known."""
    from cellops.tracking.database import Database

    known = Database.of(settings)
    if known is None:
        return None
    try:
        from cellops.tracking.local_client import LocalClient
    except ImportError:  # another MLflow keeps its parts elsewhere
        return None
    return LocalClient(settings.tracking_uri, known.path)


def _not_there_yet(settings: Settings) -> Path | None:
    """Where the project's own store will be, when it is to be made."""
    path = settings.folder / LOCAL_STORE
    is_own = settings.tracking_uri == local_store(settings.folder)
    return path if is_own and not path.exists() else None


def _alone(settings: Settings) -> contextlib.AbstractContextManager[object]:
    """Hold what only one process may do at a time; who may only read the project, or has none, creates no store."""
    elsewhere = settings.tracking_uri != local_store(settings.folder)
    if not os.access(settings.folder, os.W_OK) and (elsewhere or settings.folder.is_dir()):
        return contextlib.nullcontext()
    return FileLock(prepare(settings.folder) / "store.lock")


def _check_address(settings: Settings) -> None:
    try:
        _ = urlsplit(settings.tracking_uri).port
    except ValueError as error:
        fact = f"The tracking store {settings.store} is no address: {without_credentials(str(error))}"
        raise TrackingError(fact, remedy=f"Correct MLFLOW_TRACKING_URI, then run: cellops sync. {KEPT}") from error


def is_database(settings: Settings) -> bool:
    """Whether the store is a database that this process opens itself, rather than a server."""
    return settings.tracking_uri.partition(":")[0].partition("+")[0] in {"sqlite", "postgresql", "mysql", "mssql"}


@contextlib.contextmanager
def active(settings: Settings) -> Iterator[None]:
    """Let MLflow's own functions speak to the store of the settings, and put everything back after.

    `mlflow.set_tracking_uri` also writes to the environment, where it would decide for whatever runs next.
    """
    import mlflow

    variable = os.environ.get(TRACKING_URI)
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None  # type: ignore[no-untyped-call]
    mlflow.set_tracking_uri(settings.tracking_uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)  # type: ignore[arg-type]  # None unsets it
        os.environ.pop(TRACKING_URI, None)
        if variable is not None:
            os.environ[TRACKING_URI] = variable


@contextlib.contextmanager
def reachable(settings: Settings, *, refusals: Collection[str] = REFUSALS) -> Iterator[None]:
    """Turn MLflow's, the database's and the network's errors into a `TrackingError` that names the store.

    Raises
    ------
    RefusedError
        When the store answers with one of the `refusals`: asking again would not help.
    TrackingError
        When it does not answer: asking later may help.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        if error.error_code in refusals:
            fact = f"The tracking store {settings.store} refused it: {said(error)}"
            raise RefusedError(fact, remedy="The record.json of the run, or else the journal, holds it") from error
        raise _failure(settings, error, entrance=error.error_code not in NO_ENTRANCE) from error
    except (SQLAlchemyError, OSError) as error:
        raise unanswered(settings, error) from error


def unanswered(settings: Settings, error: Exception) -> TrackingError:
    """The error for a store that did not answer."""
    return _failure(settings, error, entrance=True)


def _failure(settings: Settings, error: Exception, *, entrance: bool) -> TrackingError:
    did = "did not answer" if entrance else "did not let us in"
    check = "MLFLOW_TRACKING_URI" if entrance else "MLFLOW_TRACKING_USERNAME and _PASSWORD, or MLFLOW_TRACKING_TOKEN"
    fact = f"The tracking store {settings.store} {did}: {said(error)}"
    return TrackingError(fact, remedy=f"{KEPT}. Check {check}, then run: cellops sync")


def said(error: Exception) -> str:
    """The first line of an error's text, without credentials, which errors of a connection often quote."""
    lines = without_credentials(_refusal(error) or str(error)).splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def _refusal(error: BaseException) -> str | None:
    """What the system says of a connection, behind all that the libraries say of it."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__
    found = [e for e in seen if isinstance(e, ConnectionError | socket.gaierror) and e.strerror]
    return str(found[-1].strerror).lower() if found else None


def artifact_location(settings: Settings) -> str | None:
    """Where artifacts of a new experiment go: beside a local store, else where its server says."""
    return Path(settings.folder / "artifacts").as_uri() if is_database(settings) else None
