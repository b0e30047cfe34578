"""A new local store, whose tables MLflow makes in some two hundred steps and would wait for the disk after each."""

import contextlib
import os
import sqlite3
import uuid
from pathlib import Path
from typing import Any


def create(path: Path) -> None:
    """Let MLflow make the tables of a new database beside its place, and put it there when it is whole on disk.

    Where that fails nothing is left, and MLflow makes them as it opens the store.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    with contextlib.suppress(Exception):  # MLflow makes the store itself, or says why not
        try:
            _make_tables(part)
            with part.open("rb") as made:
                os.fsync(made.fileno())
            os.link(part, path)  # not over one that somebody has made meanwhile
        finally:
            part.unlink(missing_ok=True)


def _make_tables(path: Path) -> None:
    import sqlalchemy
    from mlflow.store.db import utils

    engine = sqlalchemy.create_engine(sqlalchemy.URL.create("sqlite", database=str(path)))
    sqlalchemy.event.listen(engine, "connect", _do_not_wait)
    try:
        utils._initialize_tables(engine)  # type: ignore[no-untyped-call]
    finally:
        engine.dispose()


def _do_not_wait(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")
