"""A store that is made at once is the one that MLflow makes, and is whole or not there."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.store.db import utils
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from cellops import settings
from cellops.tracking.client import connect
from cellops.tracking.creation import create


def content(path: Path) -> list[str]:
    """The statements that make a database, in an order of their own: MLflow's indexes, and the constraints inside
    of its tables, come in another order with each hash seed."""
    with closing(sqlite3.connect(path)) as database:
        statements = [line for line in database.iterdump() if 'INSERT INTO "experiments"' not in line]
    return sorted("\n".join(sorted(part.strip(", \t") for part in each.split("\n"))) for each in statements)


def test_it_has_the_tables_that_mlflow_makes(tmp_path: Path) -> None:
    create(tmp_path / "mlflow.db")
    SqlAlchemyStore(f"sqlite:///{tmp_path / 'mlflow.db'}", str(tmp_path / "artifacts"))
    SqlAlchemyStore(f"sqlite:///{tmp_path / 'own.db'}", str(tmp_path / "artifacts"))
    assert content(tmp_path / "mlflow.db") == content(tmp_path / "own.db")
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_one_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("somebody's")
    create(tmp_path / "mlflow.db")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["somebody's"]


def test_where_that_fails_mlflow_makes_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(utils, "_initialize_tables")
    create(project / ".cellops" / "mlflow.db")
    assert list((project / ".cellops").iterdir()) == []
    monkeypatch.undo()
    monkeypatch.chdir(project)
    monkeypatch.setattr("cellops.tracking.client.create", lambda _: None)
    assert connect(settings.load()).search_experiments() != []


def test_the_projects_own_store_is_made_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr("cellops.tracking.client.create", lambda path: made.append(path) or create(path))
    connect(settings.load())
    connect(settings.load())
    assert made == [project / ".cellops" / "mlflow.db"]
