"""A connection to an MLflow tracking store, and its errors in our words."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from cellops.errors import TrackingError
from cellops.settings import Settings, prepare

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


def connect(settings: Settings) -> "MlflowClient":
    """A client for the tracking store of the settings; a local store is created by one process at a time."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for noisy in ("alembic", "mlflow.store.db.utils", "mlflow.tracking"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    import mlflow

    with reachable(settings):
        if not is_database(settings):
            return mlflow.MlflowClient(settings.tracking_uri)
        with FileLock(prepare(settings.folder) / "store.lock"):
            client = mlflow.MlflowClient(settings.tracking_uri)
            client.search_experiments(max_results=1)
    return client


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
def reachable(settings: Settings) -> Iterator[None]:
    """Turn MLflow's and the network's errors into a `TrackingError` that names the store."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        fact = f"The tracking store {shown(settings.tracking_uri)} did not answer: {str(error).splitlines()[0][:200]}"
        remedy = "Nothing is lost: the journal keeps every record. Check MLFLOW_TRACKING_URI, then run: cellops sync"
        raise TrackingError(fact, remedy=remedy) from error


def shown(uri: str) -> str:
    """A store's address without its credentials."""
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def artifact_location(settings: Settings) -> str | None:
    """Where artifacts of a new experiment go: beside a local store, else where its server says."""
    return Path(settings.folder / "artifacts").as_uri() if is_database(settings) else None
