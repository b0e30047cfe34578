"""Small packages in memory, and every protocol's question for the same rows."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from cellops.data.expectations import parse
from cellops.packaging.contract import build_contract
from cellops.packaging.defaults import resolved
from cellops.packaging.load import LoadedPackage
from cellops.packaging.predictor import Predictions, SklearnPredictor
from cellops.records.contract import Contract
from cellops.records.package import Manifest
from support.served import provenance
from support.wire import Wire

ROW = {"carrier": "UA", "distance": 700.0, "hour": 12, "night": False}
DATATYPES = {"carrier": "BYTES", "distance": "FP64", "hour": "INT64", "night": "BOOL"}
NAME = "delays"


class Answering:
    """A predictor of our own: gives what a function says, or raises what it raises."""

    def __init__(self, function: Callable[[Mapping[str, Any]], Predictions]) -> None:
        self.predict = function


def trips(rows: int = 300) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "carrier": draw.choice(["UA", "B6", "AA"], rows, p=[0.6, 0.3, 0.1]),
            "distance": draw.integers(100, 2000, rows).astype(float),
            "hour": draw.integers(5, 23, rows),
            "night": draw.random(rows) < 0.3,
        }
    )


def loaded(
    body: str = "",
    *,
    task: str = "regression",
    columns: tuple[str, ...] = tuple(ROW),
    name: str = NAME,
    predict: Callable[[Mapping[str, Any]], Predictions] | None = None,
) -> LoadedPackage:
    """A model of the delay of trips (`regression`: minutes, `classification`: late or early), with a suite.

    Parameters
    ----------
    columns
        The inputs that it is trained on.
    predict
        What answers in place of the model.
    """
    model, contract = _trained(task, columns)
    if body:
        contract = contract.replace(suite=resolved(parse("inputs", body, {}), contract))
    predictor = SklearnPredictor(model, contract.schema) if predict is None else Answering(predict)
    manifest = Manifest(version=1, name=name, run=None, files=())
    return LoadedPackage(Path(name), manifest, f"{name} digest", contract, provenance(), predictor)


@cache
def _trained(task: str, columns: tuple[str, ...]) -> tuple[Any, Contract]:
    inputs = trips()
    minutes = (inputs["distance"] / 100 + inputs["hour"]).rename("delay")
    target = minutes if task == "regression" else pd.Series(np.where(minutes > 24, "late", "early"), name="delay")
    inputs = inputs[list(columns)]
    final = LinearRegression() if task == "regression" else LogisticRegression(max_iter=1000)
    text = [column for column in columns if column == "carrier"]
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), text), remainder="passthrough")
    model = make_pipeline(encode, final).fit(inputs[:200], target[:200])
    return model, build_contract(model, (inputs[:200], target[:200]), (inputs[200:], target[200:]), parity_rows=5)


def questions(rows: list[dict[str, Any]], name: str = NAME) -> dict[str, tuple[str, bytes]]:
    """The path and the body that ask each protocol for the same rows; what a row does not have is null in tensors."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    tensors = [
        {
            "name": column,
            "shape": [len(rows)],
            "datatype": DATATYPES[column],
            "data": [row.get(column) for row in rows],
        }
        for column in columns
    ]
    return {
        "kserve-v1": (f"/v1/models/{name}:predict", orjson.dumps({"instances": rows})),
        "open-inference-v2": (f"/v2/models/{name}/infer", orjson.dumps({"inputs": tensors})),
        "mlflow": ("/invocations", orjson.dumps({"dataframe_records": rows})),
    }


def asked(wire: Wire, rows: list[dict[str, Any]], protocol: str = "kserve-v1") -> tuple[int, Any, str]:
    """Status, labels or the error's document, and warnings."""
    path, content = questions(rows)[protocol]
    status, headers, body = wire.send(path, content)
    document = orjson.loads(body)
    labels = document.get("predictions", document)
    if "outputs" in document:
        labels = document["outputs"][0]["data"]
    return status, labels, headers.get(b"x-cellops-warnings", b"").decode()


def asked_everywhere(wire: Wire, rows: list[dict[str, Any]]) -> tuple[int, Any, str]:
    """The same of every protocol, which must agree."""
    answers = {protocol: asked(wire, rows, protocol) for protocol in questions(rows)}
    first = answers["kserve-v1"]
    said = {protocol: (status, _comparable(labels), warned) for protocol, (status, labels, warned) in answers.items()}
    assert set(map(repr, said.values())) == {repr(said["kserve-v1"])}, said
    return first


def _comparable(document: Any) -> Any:
    """An error without what each protocol calls otherwise, and without its id."""
    if not isinstance(document, dict):
        return document
    return {key: document[key] for key in ("code", "column", "rows", "rule") if key in document}
