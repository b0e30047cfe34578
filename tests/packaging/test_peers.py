"""Servers of others take a package as it is: MLflow's, MLServer and `mlflow.pyfunc`, each in its own environment."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from cellops.packaging.load import read_contract
from cellops.records.contract import Parity
from support import peers

TOLERANCE = 1e-12
"""Of probabilities: the same libraries add the same numbers in the same order. Labels are compared as they are."""
PYFUNC = """
import json, sys
import mlflow.pyfunc, mlflow.sklearn
import pandas as pd

assert "cellops" not in sys.modules
folder = sys.argv[1]
rows = pd.DataFrame(json.load(open(folder + "/contract/parity.json"))["inputs"])
rows = rows[json.loads(sys.argv[2])]
labels = mlflow.pyfunc.load_model(folder).predict(rows)
print(json.dumps([labels.tolist(), mlflow.sklearn.load_model(folder).predict_proba(rows).tolist()]))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return peers.package(peers.boosted(), tmp_path_factory.mktemp("peers"), "flights")


@pytest.fixture(scope="module")
def parity(package: Path) -> Parity:
    found = read_contract(package).contract.parity
    assert set(found.labels) == {0, 1}
    assert None in found.inputs["wind_gust"]
    return found


@pytest.fixture(scope="module")
def mlserver(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    http, grpc, metrics = peers.free_ports(3)
    given = {"HOST": "127.0.0.1", "HTTP_PORT": http, "GRPC_PORT": grpc, "METRICS_PORT": metrics}
    with peers.serving(
        [str(peers.python("mlserver").with_name("mlserver")), "start", str(package)],
        tmp_path_factory.mktemp("mlserver"),
        f"http://127.0.0.1:{http}",
        "/v2/models/flights/ready",
        **{f"MLSERVER_{name}": str(value) for name, value in given.items()},
    ) as client:
        yield client


def test_pyfunc_answers_the_parity_rows(package: Path, parity: Parity) -> None:
    names = [field.name for field in read_contract(package).contract.schema.inputs]
    labels, probabilities = json.loads(peers.run("mlflow", PYFUNC, str(package), json.dumps(names)))
    assert labels == parity.labels
    np.testing.assert_allclose(probabilities, parity.probabilities, rtol=0, atol=TOLERANCE)


def test_mlflow_serves_the_parity_rows(package: Path, parity: Parity, tmp_path: Path) -> None:
    (port,) = peers.free_ports(1)
    programs = str(peers.python("mlflow").parent)
    words = ["models", "serve", "--model-uri", str(package), "--port", str(port), "--env-manager", "local"]
    with peers.serving(
        [f"{programs}/mlflow", *words],
        tmp_path,
        f"http://127.0.0.1:{port}",
        "/ping",
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
    ) as client:
        answer = client.post("/invocations", json=peers.split(parity.inputs))
    assert answer.json() == {"predictions": parity.labels}


def test_mlserver_answers_mlflows_protocol(mlserver: httpx.Client, parity: Parity) -> None:
    answer = mlserver.post("/invocations", json=peers.split(parity.inputs))
    assert answer.json() == {"predictions": parity.labels}


def test_mlserver_answers_the_open_inference_protocol(mlserver: httpx.Client, parity: Parity) -> None:
    """Of the rows without missing values: JSON in this protocol has no word for one."""
    whole = [row for row in range(len(parity.labels)) if all(v[row] is not None for v in parity.inputs.values())]
    assert len(whole) > 5
    tensors = [_tensor(name, [values[row] for row in whole]) for name, values in parity.inputs.items()]
    answer = mlserver.post("/v2/models/flights/infer", json={"inputs": tensors, "parameters": {"content_type": "pd"}})
    assert answer.status_code == httpx.codes.OK, answer.text
    (output,) = answer.json()["outputs"]
    assert output["data"] == [parity.labels[row] for row in whole]


def _tensor(name: str, values: list[object]) -> dict[str, object]:
    datatype = {str: "BYTES", int: "INT64", float: "FP64"}[type(values[0])]
    more = {"parameters": {"content_type": "str"}} if datatype == "BYTES" else {}
    return {"name": name, "shape": [len(values), 1], "datatype": datatype, "data": values, **more}
