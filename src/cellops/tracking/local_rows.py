"""The rows of runs in MLflow's own database, written as it writes them, but for the objects that take its time."""

import math
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

BUSY_SECONDS = 20.0
"""How long MLflow, too, waits for another process to write."""
LARGEST = 1.7976931348623157e308
"""What stands for infinity."""
ACTIVE = "active"
NAME = "mlflow.runName"
"""A tag that is the name of the run, too."""
RUN = "SELECT lifecycle_stage, experiment_id FROM runs WHERE run_uuid = ?"
EXPERIMENT = "SELECT lifecycle_stage FROM experiments WHERE experiment_id = ? AND name = ?"
NEW_RUN = """
INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
                  source_version, lifecycle_stage, artifact_uri, experiment_id, deleted_time)
VALUES (?, ?, 'UNKNOWN', '', '', ?, 'RUNNING', ?, NULL, '', 'active', ?, ?, NULL)
"""
TAG = """
INSERT INTO tags (run_uuid, key, value) VALUES (?, ?, ?)
ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value
"""
PARAMETER = "INSERT INTO params (run_uuid, key, value) VALUES (?, ?, ?)"
METRIC = "INSERT OR IGNORE INTO metrics (run_uuid, key, value, timestamp, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)"
LATEST = """
INSERT INTO latest_metrics (run_uuid, key, value, timestamp, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (key, run_uuid) DO UPDATE SET
    value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan
WHERE (excluded.step, excluded.timestamp, excluded.value)
    > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)
"""
DATASET = "SELECT dataset_uuid FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?"
NEW_DATASET = """
INSERT INTO datasets (experiment_id, name, digest, dataset_uuid, dataset_source_type, dataset_source, dataset_schema,
                      dataset_profile)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
INPUT = """
INSERT OR IGNORE INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id)
VALUES (?, 'DATASET', ?, 'RUN', ?)
"""
INPUT_TAG = "INSERT INTO input_tags (input_uuid, name, value) VALUES (?, ?, ?)"

COLUMNS = ("name", "user_id", "status", "start_time", "end_time", "lifecycle_stage", "artifact_uri", "experiment_id")
HELD = f"SELECT {', '.join(COLUMNS)} FROM runs WHERE run_uuid = ?"  # noqa: S608 - names that stand above
HAS_INPUTS = "SELECT EXISTS (SELECT 1 FROM inputs WHERE destination_id = :run OR source_id = :run)"
TAGS = "SELECT key, value FROM tags WHERE run_uuid = ?"
PARAMETERS = "SELECT key, value FROM params WHERE run_uuid = ?"
METRICS = "SELECT key, value, timestamp, step, is_nan FROM latest_metrics WHERE run_uuid = ?"


class LeftToMlflowError(Exception):
    """What is asked for is not as plain as it has to be here: MLflow does it, or says why not."""


class Dataset(NamedTuple):
    """A table that a run has read, as MLflow keeps it."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None
    profile: str | None
    tags: Mapping[str, str]


class Rows:
    """The rows of one database whose tables are of a known version (`Database.of`).

    What one call writes is there as a whole, or not at all.

    Raises
    ------
    LeftToMlflowError
        By every method, where MLflow has to be asked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: sqlite3.Connection | None = None
        self._file: tuple[int, ...] | None = None

    def __del__(self) -> None:
        if self._held is not None:
            with suppress(sqlite3.Error):  # it may be another thread's
                self._held.close()

    def create_run(
        self, run: str, experiment: tuple[str, str], started: int, tags: Mapping[str, str], uri: str
    ) -> None:
        """Add a run to an experiment that has an identifier and a name, with the address of its artifacts."""
        if not tags.get(NAME):
            raise LeftToMlflowError
        with self._writing() as database:
            _require_active(database.execute(EXPERIMENT, experiment).fetchone())
            new = (run, tags[NAME], tags.get("mlflow.user", "unknown"), started, uri, experiment[0])
            database.execute(NEW_RUN, new)
            database.executemany(TAG, [(run, name, value) for name, value in tags.items()])

    def log(
        self,
        run: str,
        metrics: Iterable[tuple[str, float, int, int]] = (),
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add metrics (name, value, milliseconds, step), parameters and tags to a run."""
        if NAME in (tags or {}):
            raise LeftToMlflowError
        found = [(run, name, *_kept(value, when, step)) for name, value, when, step in metrics]
        with self._writing(run) as database:
            database.executemany(PARAMETER, self._new_parameters(database, run, parameters or {}))
            database.executemany(METRIC, found)
            database.executemany(LATEST, found)
            database.executemany(TAG, [(run, name, value) for name, value in (tags or {}).items()])

    def log_inputs(self, run: str, datasets: Iterable[Dataset]) -> None:
        """Add the tables that a run has read."""
        with self._writing(run) as database:
            (_, experiment) = database.execute(RUN, (run,)).fetchone()
            for dataset in datasets:
                source = self._dataset(database, experiment, dataset)
                edge = uuid.uuid4().hex
                if database.execute(INPUT, (edge, source, run)).rowcount:
                    database.executemany(INPUT_TAG, [(edge, name, value) for name, value in dataset.tags.items()])

    def end(self, run: str, status: str, ended: int) -> None:
        """End a run, at milliseconds since 1970."""
        with self._writing(run) as database:
            database.execute("UPDATE runs SET status = ?, end_time = ? WHERE run_uuid = ?", (status, ended, run))

    def run(self, run: str) -> dict[str, Any]:
        """The row of a run that has read no tables; with its tags, parameters and newest metrics."""
        with self._reading() as database:
            if database.execute(HAS_INPUTS, {"run": run}).fetchone()[0]:
                raise LeftToMlflowError
            found = database.execute(HELD, (run,)).fetchone()
            if found is None:
                raise LeftToMlflowError
            held: dict[str, Any] = dict(zip(COLUMNS, found, strict=True))
            for table, query in (("tags", TAGS), ("params", PARAMETERS), ("metrics", METRICS)):
                held[table] = database.execute(query, (run,)).fetchall()
            return held

    def artifacts(self, run: str) -> str:
        """The address of what is kept for a run."""
        with self._reading() as database:
            found = database.execute("SELECT artifact_uri FROM runs WHERE run_uuid = ?", (run,)).fetchone()
            if found is None:
                raise LeftToMlflowError
            return str(found[0])

    def has_tag(self, name: str, value: str) -> bool:
        """Whether any run has a tag, also one that was deleted."""
        with self._reading() as database:
            query = "SELECT EXISTS (SELECT 1 FROM tags WHERE key = ? AND value = ?)"
            return bool(database.execute(query, (name, value)).fetchone()[0])

    def has_experiment(self, identifier: str, name: str) -> bool:
        """Whether there is still an experiment that nobody has deleted."""
        with self._reading() as database:
            found = database.execute(EXPERIMENT, (identifier, name)).fetchone()
            return found is not None and found[0] == ACTIVE

    @staticmethod
    def _new_parameters(database: sqlite3.Connection, run: str, given: Mapping[str, str]) -> list[tuple[str, str, str]]:
        known = dict(database.execute(PARAMETERS, (run,)).fetchall())
        if any(known.get(name, value) != value for name, value in given.items()):
            raise LeftToMlflowError  # which refuses it
        return [(run, name, value) for name, value in given.items() if name not in known]

    @staticmethod
    def _dataset(database: sqlite3.Connection, experiment: int, dataset: Dataset) -> str:
        key = (experiment, dataset.name, dataset.digest)
        found = database.execute(DATASET, key).fetchone()
        if found is not None:
            return str(found[0])
        made = uuid.uuid4().hex
        database.execute(NEW_DATASET, (*key, made, *dataset[2:6]))
        return made

    @contextmanager
    def _writing(self, run: str | None = None) -> Iterator[sqlite3.Connection]:
        """One transaction, for a run that nobody has deleted."""
        with self._reading() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                if run is not None:
                    _require_active(database.execute(RUN, (run,)).fetchone())
                yield database
                database.execute("COMMIT")
            except BaseException:
                database.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection()
        except (sqlite3.Error, OSError) as error:
            raise LeftToMlflowError from error

    def _connection(self) -> sqlite3.Connection:
        """One that is kept, as reading what tables there are takes longer than a run; of this file and process."""
        found = self._path.stat()
        own = (os.getpid(), found.st_dev, found.st_ino)
        if self._held is None or self._file != own:
            self._held = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
            )
            self._held.execute("PRAGMA foreign_keys = ON")
            self._file = own
        return self._held


def _require_active(found: tuple[Any, ...] | None) -> None:
    if found is None or found[0] != ACTIVE:
        raise LeftToMlflowError


def _kept(value: float, when: int, step: int) -> tuple[Any, ...]:
    """How a value stands in the tables: some numbers are none in SQL."""
    if math.isnan(value):
        return 0.0, when, step, True
    return max(-LARGEST, min(LARGEST, value)), when, step, False
