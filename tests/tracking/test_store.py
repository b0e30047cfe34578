"""What MLflow refuses keeps nothing else back, and is told from a store that does not answer."""

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cloudpickle
import mlflow
import pytest
from sklearn.linear_model import LogisticRegression

from cellops import settings
from cellops.errors import NotFoundError, RefusedError, TrackingError
from cellops.records.run import DataFingerprint, ModelSpool, RunClosed, RunOpened, RunStatus, RunSummary
from cellops.tracking.closing import Closed
from cellops.tracking.model import importable
from cellops.tracking.store import Store

KEY = "a" * 32


PREPARED = """
import sys
from cellops.tracking.model import prepare
prepare()
print("skops.io" in sys.modules, "dask" in sys.modules)
import dask.array
print(dask.array.ones(3).sum().compute())
"""


class Unloadable:
    """Its pickle is read by code that fails."""

    def __reduce__(self) -> tuple[object, ...]:
        return int, ("no number",)


class Touches:
    """Its pickle is read by code that leaves a trace."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._path,)


@pytest.fixture
def store(project: Path) -> Store:
    return Store(settings.load())


@pytest.fixture
def client(store: Store) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(store.settings.tracking_uri)


def opened(experiment: str | None = None) -> RunOpened:
    return RunOpened(run=KEY, session="s", name="trained", started=1.0, order=1, experiment=experiment)


def closed(**given: object) -> RunClosed:
    return RunClosed(run=KEY, status=RunStatus.FINISHED, ended=2.0, **given)  # type: ignore[arg-type]


def spooled(project: Path, name: str, estimator: object) -> ModelSpool:
    path = project / ".cellops" / "spool" / KEY / f"{hashlib.sha256(name.encode()).hexdigest()}.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.write_bytes(cloudpickle.dumps(estimator))
    return ModelSpool(name=name, type="any", path=str(path), digest=hashlib.sha256(path.read_bytes()).hexdigest())


def fitted() -> LogisticRegression:
    return LogisticRegression().fit([[0.0], [1.0]], [0, 1])


def carry(store: Store, run: RunClosed) -> tuple[RunSummary, Closed]:
    done = store.close_run(store.open_run(opened()), run, [])
    found = store.run(KEY)
    assert found is not None
    return found, done


def test_names_outside_its_alphabet_are_logged_under_near_ones(store: Store, tmp_path: Path) -> None:
    names = {"f[0]": 1.0, "f(0)": 2.0, "a//b": 3.0, "share %": 4.0, "x" * 300: 5.0, "line\nfeed": 6.0, "plain": 7.0}
    found, done = carry(store, closed(metrics=names, parameters=dict(names)))
    assert done.findings == ()
    assert sorted(found.metrics.values()) == sorted(names.values())
    assert sorted(found.parameters.values()) == sorted(map(str, names.values()))
    assert found.metrics["plain"] == 7.0
    record = json.loads((store.artifacts(str(found.mlflow_run_id), "cellops", tmp_path) / "record.json").read_text())
    assert record["metrics"] == names


def test_a_table_known_by_a_long_expression_and_in_two_roles_is_logged(
    store: Store, client: mlflow.MlflowClient
) -> None:
    def table(name: str, role: str) -> DataFingerprint:
        return DataFingerprint(name=name, role=role, method="full", digest="sha256:ab", rows=1, columns=1)

    tables = (table("t.assign(" * 100, "training"), table("X", "training"), table("X", "evaluation"))
    found, done = carry(store, closed(data=tables))
    assert done.findings == ()
    inputs = client.get_run(str(found.mlflow_run_id)).inputs.dataset_inputs
    assert {len(i.dataset.name) for i in inputs} == {500, 1}


def test_one_parameter_that_is_refused_is_a_finding_and_the_others_are_logged(
    store: Store, client: mlflow.MlflowClient
) -> None:
    run_id = store.open_run(opened())
    client.log_param(run_id, "p7", "of someone else")
    values = {f"p{number}": number for number in range(150)}
    found, done = carry(store, closed(parameters=values, metrics={"auc": 0.5}))
    assert [(f.code, f.where) for f in done.findings] == [("not-logged", f"run {KEY[:8]}, p7")]
    assert done.findings == found.findings
    assert (found.synced, found.metrics, len(found.parameters)) == (True, {"auc": 0.5}, 150)


def test_a_deleted_experiment_stays_deleted_and_the_run_goes_to_another(
    store: Store, client: mlflow.MlflowClient
) -> None:
    for name in ("trial", "trial-2"):
        client.delete_experiment(client.create_experiment(name))
    found = store.run(KEY) or store.open_run(opened("trial"))
    assert store.open_run(opened("trial")) == found
    run = store.run(KEY)
    assert run is not None
    assert run.experiment == "trial-3"
    assert [(f.code, f.where) for f in run.findings] == [("experiment-renamed", "experiment trial")]
    assert store.close_run(str(found), closed(), []).findings == ()
    after = store.run(KEY)
    assert after is not None
    assert after.findings == run.findings


def test_an_experiment_name_that_is_too_long_is_cut(store: Store) -> None:
    store.open_run(opened("e" * 600))
    run = store.run(KEY)
    assert run is not None
    assert run.experiment is not None
    assert run.experiment.startswith("e" * 400)
    assert run.findings[0].code == "experiment-renamed"


def test_a_long_name_of_a_run_is_cut(store: Store) -> None:
    store.open_run(opened().replace(name="n" * 9000))
    run = store.run(KEY)
    assert run is not None
    assert len(run.name) == 250


@pytest.mark.parametrize("purged", [False, True])
def test_a_deleted_run_stays_deleted(store: Store, client: mlflow.MlflowClient, purged: bool) -> None:
    run_id = store.open_run(opened())
    client.delete_run(run_id)
    if purged:
        client._tracking_client.store._hard_delete_run(run_id)
    done = store.close_run(run_id, closed(metrics={"auc": 0.5}), [])
    assert [finding.code for finding in done.findings] == ["run-deleted"]


def test_a_model_that_cannot_be_logged_is_a_finding_and_the_others_are_logged(store: Store, project: Path) -> None:
    gone = spooled(project, "gone", fitted())
    Path(gone.path).unlink()
    models = (spooled(project, "bad", Unloadable()), gone, spooled(project, "good", fitted()))
    found, done = carry(store, closed(models=models))
    assert [(f.code, f.where) for f in found.findings] == [
        ("model-not-logged", "model bad"),
        ("model-not-logged", "model gone"),
    ]
    assert list(done.models) == list(found.models) == ["good"]


@pytest.mark.parametrize("how", ["elsewhere", "link", "readable by others"])
def test_a_spool_file_that_is_not_the_kernels_own_is_never_read(store: Store, project: Path, how: str) -> None:
    spool = spooled(project, "bad", Touches(project / "touched"))
    path = Path(spool.path)
    if how == "elsewhere":
        spool = spool.replace(path=str(path.rename(project / "bad.pkl")))
    elif how == "link":
        path.symlink_to(path.rename(project / "bad.pkl"))
    else:
        path.chmod(0o644)
    found, _ = carry(store, closed(models=(spool,)))
    assert [finding.code for finding in found.findings] == ["model-not-logged"]
    assert not (project / "touched").exists()


def test_a_model_whose_files_are_gone_is_said_with_their_place(store: Store, project: Path, tmp_path: Path) -> None:
    found, _ = carry(store, closed(models=(spooled(project, "model", fitted()),)))
    assert (store.model(found.models["model"], tmp_path / "whole") / "MLmodel").exists()
    shutil.rmtree(store.settings.folder / "artifacts")
    with pytest.raises(NotFoundError, match=f"gone from .*{store.settings.folder.name}/artifacts"):
        store.model(found.models["model"], tmp_path / "gone")


def test_models_of_a_dictionary_are_logged_whatever_its_keys(store: Store, project: Path) -> None:
    names = ["models_C/0.1", "models_C:0.1", "models_1", "models_'a'"]
    found, done = carry(store, closed(models=tuple(spooled(project, name, fitted()) for name in names)))
    assert done.findings == ()
    assert list(found.models) == names
    assert len(set(found.models.values())) == len(names)


def test_a_model_whose_module_is_not_found_waits_for_it(store: Store, project: Path) -> None:
    spool = of_a_module(project)
    moved = (project / "lib" / "own_models.py").rename(project / "own_models.txt")
    found, done = carry(store, closed(models=(spool,)))
    assert done.waits
    assert [(f.code, "own_models" in f.seen) for f in found.findings] == [("model-waits", True)]
    moved.rename(project / "lib" / "own_models.py")
    before = list(sys.path)
    found, done = carry(store, closed(models=(spool,)))
    assert (list(found.models), found.findings, done.waits) == (["model"], (), False)
    assert sys.path == before
    assert "own_models" not in sys.modules


def of_a_module(project: Path) -> ModelSpool:
    """A model whose class stands in a module of the kernel's import paths."""
    (project / "lib").mkdir()
    source = "from sklearn.linear_model import LogisticRegression\nclass Own(LogisticRegression): pass\n"
    (project / "lib" / "own_models.py").write_text(source)
    with importable([str(project / "lib")]):
        from own_models import Own

        spool = spooled(project, "model", Own().fit([[0.0], [1.0]], [0, 1]))
    return spool.replace(import_paths=(str(project / "lib"),))


def test_a_disk_that_refuses_a_model_is_no_fault_of_the_model_and_what_was_logged_is_not_logged_again(
    store: Store, client: mlflow.MlflowClient, project: Path
) -> None:
    first, second = spooled(project, "first", fitted()), spooled(project, "second", fitted())
    run_id = store.open_run(opened())
    bad = spooled(project, "bad", Unloadable())
    with unreadable(Path(second.path)), pytest.raises(TrackingError, match="did not answer") as caught:
        store.close_run(run_id, closed(models=(first, bad, second)), [])
    assert not isinstance(caught.value, RefusedError)
    found = store.run(KEY)
    assert found is not None
    assert (found.synced, list(found.models)) == (False, ["first"])
    done = Store(store.settings).close_run(run_id, closed(models=(first, bad, second)), [])
    assert list(done.models) == ["first", "second"]
    found = store.run(KEY)
    assert found is not None
    assert [(f.code, f.where) for f in found.findings] == [("model-not-logged", "model bad")]
    experiment = client.get_run(run_id).info.experiment_id
    assert len(client.search_logged_models([experiment])) == 2


@contextlib.contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """A folder stands where the file should be: reading it is an error of the disk."""
    held = path.with_suffix(".held")
    path.rename(held)
    path.mkdir()
    yield
    path.rmdir()
    held.rename(path)


def test_artifacts_that_cannot_be_written_leave_the_run_to_be_carried_later(store: Store, project: Path) -> None:
    run_id = store.open_run(opened())
    artifacts = store.settings.folder / "artifacts"
    shutil.rmtree(artifacts, ignore_errors=True)
    artifacts.write_text("")
    run = closed(models=(spooled(project, "model", fitted()),))
    with pytest.raises(TrackingError, match="did not answer"):
        store.close_run(run_id, run, [])
    artifacts.unlink()
    assert list(store.close_run(run_id, run, []).models) == ["model"]


def test_a_model_is_logged_beside_a_run_that_the_person_has_open(store: Store, project: Path) -> None:
    mlflow.set_tracking_uri(store.settings.tracking_uri)
    with mlflow.start_run():
        found, _ = carry(store, closed(models=(spooled(project, "model", fitted()),)))
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
    assert list(found.models) == ["model"]


def test_what_models_are_written_with_brings_no_other_library_that_is_installed() -> None:
    done = subprocess.run([sys.executable, "-c", PREPARED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True False", "3.0"]
