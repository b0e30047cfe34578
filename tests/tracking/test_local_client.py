"""The client of a local store leaves behind what MLflow's own does, row by row, and refuses what that refuses."""

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from cellops import settings
from cellops.tracking.client import connect
from cellops.tracking.local_client import LocalClient

INFINITE = float("inf")
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'"
IDENTIFIER = re.compile(r"[0-9a-f]{32}")


@pytest.fixture
def client(project: Path) -> LocalClient:
    found = connect(settings.load())
    assert isinstance(found, LocalClient)
    return found


@pytest.fixture
def database(project: Path, client: LocalClient) -> Path:
    return settings.load().folder / "mlflow.db"


def table(name: str, role: str, digest: str = "d1") -> DatasetInput:
    return DatasetInput(Dataset(name, digest, "notebook", "{}", profile="{}"), [InputTag("mlflow.data.context", role)])


def write(client: mlflow.MlflowClient, name: str, folder: Path) -> str:
    """All that is written of a run, some of it twice, as after an interruption."""
    experiment = client.get_experiment_by_name("bench")
    assert experiment is not None
    held = {"mlflow.runName": "trained", "mlflow.user": "me", "cellops.run": name}
    run = client.create_run(experiment.experiment_id, 1000, held).info.run_id
    assert not client.search_runs([experiment.experiment_id], "tags.`cellops.run` = 'other'", max_results=1)
    found = client.search_runs([experiment.experiment_id], f"tags.`cellops.run` = '{name}'", max_results=1)
    assert [one.info.run_id for one in found] == [run]
    for _ in range(2):
        client.log_batch(
            run,
            [Metric("auc", 0.5, 5, 1), Metric("auc", 0.7, 4, 1), Metric("auc", 0.9, 9, 0), Metric("loss", 1.0, 1, 0)],
            [Param("lr", "0.1"), Param("long", "x" * 6000)],
            [RunTag("cellops.findings", "[]"), RunTag("twice", "a"), RunTag("twice", "b")],
        )
        client.log_batch(
            run, [Metric("auc", float("nan"), 6, 1), Metric("gap", INFINITE, 1, 0), Metric("dip", -INFINITE, 1, 0)]
        )
        client.log_inputs(run, [table("train", "train"), table("test", "test"), table("test", "again")])
    client.log_inputs(run, [table("train", "other role"), table("train", "train", "d2")])
    client.set_tag(run, "cellops.complete", "true")
    client.set_tag(run, "mlflow.runName", "renamed")
    (folder / "x").mkdir(parents=True)
    (folder / "x" / "record.json").write_text("{}", encoding="utf-8")
    client.log_artifacts(run, str(folder / "x"), "cellops")
    client.log_artifact(run, str(folder / "x" / "record.json"), "notebook")
    client.log_artifact(run, str(folder / "x"))
    client.set_terminated(run, "FINISHED", 9000)
    return str(run)


def rows(database: Path, own: dict[str, str]) -> dict[str, list[str]]:
    """All rows of all tables, with the identifiers of runs by their names and any other one as such."""
    with closing(sqlite3.connect(database)) as held:
        names = [name for (name,) in held.execute(TABLES)]
        return {
            name: sorted(
                IDENTIFIER.sub(lambda found: own.get(found[0], "one"), repr(row))
                for row in held.execute(f"SELECT * FROM {name}")
            )
            for name in names
        }


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode) for path in found}


def test_rows_and_files_are_those_of_mlflow(client: LocalClient, database: Path, tmp_path: Path) -> None:
    client.create_experiment("bench", artifact_location=(tmp_path / "artifacts").as_uri())
    copy = tmp_path / "copy.db"
    shutil.copy(database, copy)
    theirs = mlflow.MlflowClient(f"sqlite:///{copy}")
    run, their_run = write(client, "name", tmp_path / "mine"), write(theirs, "name", tmp_path / "theirs")
    found, expected = rows(database, {run: "run"}), rows(copy, {their_run: "run"})
    assert found == expected
    assert [len(found[name]) for name in ("runs", "tags", "params", "metrics", "inputs")] == [1, 6, 2, 7, 3]
    assert files(tmp_path / "artifacts" / run) == files(tmp_path / "artifacts" / their_run)
    judge = mlflow.MlflowClient(f"sqlite:///{database}")
    assert repr(client.get_run(run).to_dictionary()) == repr(judge.get_run(run).to_dictionary())  # one is not a number


def test_what_is_there_is_read_as_mlflow_reads_it(client: LocalClient, database: Path) -> None:
    run = client.create_run(_experiment(client), 1000, {"mlflow.runName": "trained"})
    client.log_batch(run.info.run_id, [Metric("auc", 0.5, 5, 1)], [Param("lr", "0.1")], [RunTag("a", "b")])
    read = client.get_run(run.info.run_id).to_dictionary()
    assert read == mlflow.MlflowClient(f"sqlite:///{database}").get_run(run.info.run_id).to_dictionary()
    assert read["data"]["params"] == {"lr": "0.1"}


def test_a_plain_run_asks_mlflow_for_nothing(
    client: LocalClient, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = _experiment(client)
    for name in ("create_run", "get_run", "log_batch", "log_inputs", "set_tag", "set_terminated", "search_runs"):
        monkeypatch.setattr(mlflow.MlflowClient, name, None)
    run = client.create_run(experiment, 1000, {"mlflow.runName": "trained"}).info.run_id
    client.log_batch(run, [Metric("auc", 0.5, 5, 1)], [Param("lr", "0.1")])
    client.log_inputs(run, [table("train", "train")])
    client.set_tag(run, "a", "b")
    (tmp_path / "record.json").write_text("{}", encoding="utf-8")
    client.log_artifact(run, str(tmp_path / "record.json"), "cellops")
    client.set_terminated(run, "FINISHED", 9000)
    assert not client.search_runs([experiment], "tags.`cellops.run` = 'other'")
    assert len(rows(database, {})["tags"]) == 2


@pytest.mark.parametrize(
    "act",
    [
        lambda client, run: client.log_batch(run, params=[Param("lr", "0.2")]),
        lambda client, run: client.log_batch(run, metrics=[Metric("no\nname", 1.0, 1, 0)]),
        lambda client, run: client.log_batch(run, params=[Param("a", "1"), Param("a", "2")]),
        lambda client, run: client.set_tag(run, "x" * 300, "long"),
        lambda client, run: client.log_inputs(run, [table("x" * 600, "train")]),
        lambda client, _: client.set_tag("0" * 32, "a", "b"),
        lambda client, _: client.get_run("0" * 32),
        lambda client, run: (client.delete_run(run), client.set_tag(run, "a", "b")),
        lambda client, run: (client.delete_run(run), client.set_terminated(run, "FINISHED", 1)),
    ],
)
def test_what_mlflow_refuses_is_refused_in_its_words(
    client: LocalClient, database: Path, act: Callable[[mlflow.MlflowClient, str], object]
) -> None:
    run = client.create_run(_experiment(client), 1000, {"mlflow.runName": "trained"}).info.run_id
    client.log_batch(run, params=[Param("lr", "0.1")])
    before = rows(database, {})
    with pytest.raises(MlflowException):
        act(client, run)
    after = rows(database, {})
    assert {**after, "runs": []} == {**before, "runs": []}


def test_a_deleted_experiment_takes_no_run(client: LocalClient) -> None:
    experiment = _experiment(client)
    client.delete_experiment(experiment)
    with pytest.raises(MlflowException, match="active"):
        client.create_run(experiment, 1000, {"mlflow.runName": "trained"})
    found = client.get_experiment_by_name("bench")
    assert found is not None
    assert found.lifecycle_stage == "deleted"


def test_another_database_at_its_place_is_the_one_that_is_written_to(
    client: LocalClient, database: Path, tmp_path: Path
) -> None:
    run = client.create_run(_experiment(client), 1000, {"mlflow.runName": "trained"}).info.run_id
    shutil.copy(database, tmp_path / "other.db")
    (tmp_path / "other.db").replace(database)
    client.set_tag(run, "a", "b")
    assert any("'a', 'b'" in row for row in rows(database, {})["tags"])


def _experiment(client: mlflow.MlflowClient) -> str:
    client.create_experiment("bench")
    found = client.get_experiment_by_name("bench")
    assert found is not None
    return str(found.experiment_id)
