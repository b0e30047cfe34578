"""MLflow's own database, read without MLflow: its import alone takes longer than a list of runs may."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from cellops.records.run import RunStatus, RunSummary
from cellops.settings import Settings
from cellops.tracking import tags
from cellops.tracking.client import unanswered
from cellops.tracking.summaries import MlflowRun, summary

SCHEME = "sqlite:///"
KNOWN = frozenset({"dc11669786a5"})
"""Versions of its tables that are read here: MLflow 3.17. Of any other one MLflow itself is asked."""
FOREIGN = "SELECT EXISTS (SELECT 1 FROM experiments WHERE workspace <> 'default')"
"""Whether there are workspaces, of which MLflow shows one."""
CHOSEN = """
WITH chosen AS (
    SELECT r.run_uuid AS run, r.name, r.status, r.start_time, r.end_time, e.name AS experiment
    FROM runs r JOIN experiments e USING (experiment_id)
    WHERE r.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active'
      AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.run_uuid = r.run_uuid AND t.key = :pipeline)
      AND (:status IS NULL OR r.status = :status)
      AND (:key IS NULL OR EXISTS (
        SELECT 1 FROM tags t
        WHERE t.run_uuid = r.run_uuid AND t.key = :tag AND substr(t.value, 1, length(:key)) = :key
      ))
    ORDER BY r.start_time DESC, r.run_uuid LIMIT :limit
)
"""
RUNS = "SELECT run, name, status, start_time, end_time, experiment FROM chosen ORDER BY start_time DESC, run"
TAGS = "SELECT run_uuid, key, value FROM tags JOIN chosen ON run_uuid = run"
PARAMETERS = "SELECT run_uuid, key, value FROM params JOIN chosen ON run_uuid = run"
METRICS = "SELECT run_uuid, key, value, is_nan FROM latest_metrics JOIN chosen ON run_uuid = run"

ARTIFACTS = "SELECT artifact_uri FROM runs WHERE run_uuid = ?"
MODEL = "SELECT artifact_location FROM logged_models WHERE model_id = ? AND lifecycle_stage = 'active'"


class Database:
    """The runs of a local store, as `Store` gives them. Every method raises `TrackingError` when it cannot be read."""

    def __init__(self, settings: Settings, path: Path) -> None:
        self.settings = settings
        self.path = path
        self._address = f"{path.absolute().as_uri()}?mode=ro"

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The database of the settings' store; None for any other store, and for tables that are not known here."""
        path = settings.tracking_uri.removeprefix(SCHEME)
        if path == settings.tracking_uri or not path or {"?", "#", "%"} & set(path):
            return None
        found = cls(settings, Path(path))
        try:
            return found if found._is_known() else None
        except sqlite3.Error:
            return None

    def runs(self, limit: int) -> list[RunSummary]:
        """The newest runs of every experiment; those that stand for an execution or a step are none."""
        return self._search(limit)

    def finished(self, limit: int) -> list[RunSummary]:
        """The newest runs that came to their end."""
        return self._search(limit, status=RunStatus.FINISHED)

    def starting_with(self, key: str) -> list[RunSummary]:
        """The runs whose key begins so; two are enough to say that it is not one."""
        return self._search(2, key=key)

    def artifacts(self, run_id: str) -> Path | None:
        """The folder that holds the artifacts of a run; None where a server has them, or there is none."""
        return self._folder(ARTIFACTS, run_id)

    def model(self, uri: str) -> Path | None:
        """The folder that holds a logged model; None where a server has it, or there is none."""
        scheme, _, model = uri.rpartition("/")
        return self._folder(MODEL, model) if scheme == "models:" else None

    def _folder(self, query: str, key: str) -> Path | None:
        from urllib.request import url2pathname

        try:
            with self._reading() as database:
                found = database.execute(query, (key,)).fetchone()
        except sqlite3.Error as error:
            raise unanswered(self.settings, error) from error
        parts = urlsplit(found[0] or "" if found else "")
        folder = Path(url2pathname(parts.path))
        return folder if parts.scheme == "file" and not parts.netloc and folder.is_dir() else None

    def _is_known(self) -> bool:
        with self._reading() as database:
            versions = set(chain.from_iterable(database.execute("SELECT version_num FROM alembic_version")))
            return bool(versions) and versions <= KNOWN and not database.execute(FOREIGN).fetchone()[0]

    def _search(self, limit: int, *, status: str | None = None, key: str | None = None) -> list[RunSummary]:
        given = {"pipeline": tags.PIPELINE, "tag": tags.RUN, "status": status, "key": key, "limit": limit}
        try:
            with self._reading() as database:
                # One transaction, so that all answers are of one moment.
                database.execute("BEGIN")
                runs, *others = (
                    database.execute(CHOSEN + query, given).fetchall() for query in (RUNS, TAGS, PARAMETERS, METRICS)
                )
        except sqlite3.Error as error:
            raise unanswered(self.settings, error) from error
        held = [_by_run(rows) for rows in others]
        return [summary(MlflowRun(*run, *(of.get(run[0], {}) for of in held))) for run in runs]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._address, uri=True, isolation_level=None)) as database:
            yield database


def _by_run(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, Any]]:
    """For each run its values by their names; a metric that is no number is marked as such beside its value."""
    found: dict[str, dict[str, Any]] = {}
    for run, name, value, *is_nan in rows:
        found.setdefault(run, {})[name] = float("nan") if any(is_nan) else value
    return found
