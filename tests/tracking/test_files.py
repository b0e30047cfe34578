"""Files of runs and models: where a local store keeps them, without MLflow; else MLflow downloads them."""

from pathlib import Path

import mlflow
import msgspec
import pytest

from cellops import settings
from cellops.errors import NotFoundError
from cellops.settings import Settings
from cellops.tracking.files import StoredFiles
from cellops.tracking.store import Store


@pytest.fixture
def stored(project: Path) -> tuple[Settings, str, str]:
    """A store with one run that has a file and a model: MLflow's id and the model's address."""
    held = settings.load()
    Store(held)
    client = mlflow.MlflowClient(held.tracking_uri)
    where = client.create_experiment("here", artifact_location=(held.folder / "artifacts").as_uri())
    run: str = client.create_run(where).info.run_id
    client.log_text(run, "kept", "cellops/record.json")
    model = client.create_logged_model(where, name="model", source_run_id=run)
    (project / "made").mkdir()
    (project / "made" / "MLmodel").write_text("flavors: {}")
    client.log_model_artifacts(model.model_id, str(project / "made"))
    client.finalize_logged_model(model.model_id, "READY")
    return held, run, f"models:/{model.model_id}"


def never() -> Path:
    raise AssertionError


def test_a_local_store_is_read_in_its_place(stored: tuple[Settings, str, str]) -> None:
    held, run, uri = stored
    files = StoredFiles(held)
    assert (files.of_run(run, "cellops", never) / "record.json").read_text() == "kept"
    assert (files.of_model(uri, never) / "MLmodel").read_text() == "flavors: {}"


def test_tables_that_are_not_known_are_read_by_mlflow(stored: tuple[Settings, str, str], tmp_path: Path) -> None:
    import sqlite3

    held, run, uri = stored
    with sqlite3.connect(held.folder / "mlflow.db") as database:
        database.execute("UPDATE experiments SET workspace = 'other' WHERE name = 'Default'")
    files = StoredFiles(held)
    assert (files.of_run(run, "cellops", lambda: tmp_path) / "record.json").read_text() == "kept"
    found = files.of_model(uri, lambda: tmp_path / "model")
    assert (found / "MLmodel").read_text() == "flavors: {}"
    assert found.is_relative_to(tmp_path)


def test_what_is_gone_is_said_as_mlflow_says_it(stored: tuple[Settings, str, str], tmp_path: Path) -> None:
    held, run, uri = stored
    client = mlflow.MlflowClient(held.tracking_uri)
    files = StoredFiles(held)
    with pytest.raises(NotFoundError, match="no artifact nothing"):
        files.of_run(run, "nothing", lambda: tmp_path)
    (files.of_model(uri, never) / "MLmodel").unlink()
    with pytest.raises(NotFoundError, match="model's files are gone"):
        files.of_model(uri, lambda: tmp_path / "model")
    client.delete_logged_model(uri.rpartition("/")[2])
    assert files._database.model(uri) is None


def test_another_store_is_asked_through_mlflow(project: Path, tmp_path: Path) -> None:
    held = msgspec.structs.replace(settings.load(), tracking_uri=(project / "runs").as_uri())
    assert StoredFiles(held)._database is None
