"""The local store, read without MLflow, says what MLflow says of it."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import msgspec
import pytest

from cellops import settings
from cellops.errors import TrackingError
from cellops.records.run import RunSummary
from cellops.tracking import tags
from cellops.tracking.database import KNOWN, Database
from cellops.tracking.store import Store

LOOKS: dict[str, Callable[[Store | Database], list[RunSummary]]] = {
    "all": lambda of: of.runs(100),
    "the newest": lambda of: of.runs(3),
    "finished": lambda of: of.finished(100),
    "by key": lambda of: of.starting_with("abc"),
    "by another key": lambda of: of.starting_with("ABC"),
}


@pytest.fixture
def filled(project: Path) -> Store:
    """A store with runs of many kinds."""
    store = Store(settings.load())
    client = mlflow.MlflowClient(store.settings.tracking_uri)
    here, gone = client.create_experiment("here"), client.create_experiment("gone")

    def add(started: int, status: str | None = "FINISHED", experiment: str = here, **of: str) -> str:
        run: str = client.create_run(experiment, start_time=started, tags=of, run_name=f"run {started}").info.run_id
        if status is not None:
            client.set_terminated(run, status, end_time=started + 500)
        return run

    full = add(1_000, **{tags.RUN: "abc" + "0" * 29, tags.COMPLETE: "true", tags.SEED: "7", tags.PROOF: "identical, 1"})
    for name, value in {"a": 0.5, "nan": float("nan"), "high": float("inf"), "low": float("-inf")}.items():
        client.log_metric(full, name, 9.0, step=0)
        client.log_metric(full, name, value, step=1)
    client.log_param(full, "text", "it's ü")
    add(2_000, "FAILED", **{tags.RUN: "abd" + "0" * 29, tags.FINDINGS: "[", "mlflow.source.name": "a.ipynb"})
    add(2_000, None, **{tags.SEED: "²"})
    add(3_000, **{tags.PIPELINE: "of steps", tags.SEED: "9" * 5_000})
    client.delete_run(add(4_000))
    add(5_000, experiment=gone)
    client.delete_experiment(gone)
    return store


@pytest.mark.parametrize("look", LOOKS)
def test_both_ways_of_looking_show_the_same(filled: Store, look: str) -> None:
    database = Database.of(filled.settings)
    assert database is not None
    seen, expected = LOOKS[look](database), LOOKS[look](filled)
    assert msgspec.json.encode(seen) == msgspec.json.encode(expected)
    assert bool(seen) is (look != "by another key")


def test_the_tables_of_the_installed_mlflow_are_known(filled: Store) -> None:
    with sqlite3.connect(filled.settings.folder / "mlflow.db") as database:
        versions = {version for (version,) in database.execute("SELECT version_num FROM alembic_version")}
    assert versions <= KNOWN


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alembic_version SET version_num = 'later'",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
        "UPDATE experiments SET workspace = 'other' WHERE name = 'here'",
    ],
)
def test_tables_that_are_not_known_are_left_to_mlflow(filled: Store, change: str) -> None:
    with sqlite3.connect(filled.settings.folder / "mlflow.db") as database:
        database.execute(change)
    assert Database.of(filled.settings) is None


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1", "sqlite:///missing/mlflow.db", "sqlite:///", "file:///runs"])
def test_other_stores_are_left_to_mlflow(project: Path, uri: str) -> None:
    assert Database.of(msgspec.structs.replace(settings.load(), tracking_uri=uri)) is None
    assert not list(project.rglob("mlflow.db"))


def test_tables_that_break_after_a_first_look_are_told(filled: Store) -> None:
    database = Database.of(filled.settings)
    assert database is not None
    (filled.settings.folder / "mlflow.db").write_bytes(b"no database" * 1000)
    with pytest.raises(TrackingError, match="did not answer"):
        database.runs(1)


def test_runs_are_listed_without_importing_mlflow(filled: Store) -> None:
    code = "import sys; from cellops.cli import main; main(['runs']); sys.exit('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, "run 2000" in done.stdout) == (0, True), done.stderr
