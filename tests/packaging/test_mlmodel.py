"""MLmodel as MLflow itself would write it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from mlflow.models import Model, infer_signature

from cellops.errors import PackageError
from cellops.packaging.mlmodel import normalised

CREATED = "2013-04-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def folder(cancer_model: Any, save_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With all that MLflow can say of a model."""
    inputs = cancer_model.evaluation[0][:3]
    signature = infer_signature(inputs, cancer_model.model.predict(inputs), params={"größe": 1.5})
    described = Model(run_id="f" * 32, model_id="m-" + "1" * 32, artifact_path="/a/path/of/this machine")
    return save_model(
        cancer_model.model,
        tmp_path_factory.mktemp("cancer") / "model",
        signature=signature,
        input_example=inputs,
        metadata={"text": "späte Flüge: 'yes'", "deep": {"b": [1, 2.5, None], "a": True}},
        mlflow_model=described,
    )


def test_the_same_bytes_as_mlflow(folder: Path, tmp_path: Path) -> None:
    model = Model.load(str(folder))
    model.utc_time_created, model.model_uuid, model.artifact_path = CREATED, None, "model"
    model.save(tmp_path / "MLmodel")
    assert normalised((folder / "MLmodel").read_bytes(), CREATED) == (tmp_path / "MLmodel").read_bytes()


def test_mlflow_loads_it(folder: Path, cancer_model: Any) -> None:
    path = folder / "MLmodel"
    before = path.read_bytes()
    path.write_bytes(normalised(before, CREATED))
    loaded = mlflow.pyfunc.load_model(str(folder))
    inputs = cancer_model.evaluation[0]
    assert loaded.predict(inputs).tolist() == cancer_model.model.predict(inputs).tolist()
    assert loaded.metadata.signature.params is not None
    assert loaded.metadata.metadata["text"] == "späte Flüge: 'yes'"
    assert normalised(path.read_bytes(), CREATED) == path.read_bytes()


@pytest.mark.parametrize("content", [b"", b"\xff", b"a: [", b"- 1", b"flavors: all", b"{", b"&a [*a]", b"[" * 5000])
def test_what_is_no_mlmodel_is_refused(content: bytes) -> None:
    with pytest.raises(PackageError, match="MLmodel cannot be read"):
        normalised(content, CREATED)


def test_it_says_nothing_of_the_machine(folder: Path) -> None:
    held = yaml.safe_load(normalised((folder / "MLmodel").read_bytes(), CREATED))
    assert held["artifact_path"] == "model"
    assert "this machine" not in str(held)
