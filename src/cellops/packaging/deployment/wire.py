"""A client of the server: one connection that is kept, and the parity rows over each protocol."""

import http.client
import json
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from cellops.errors import PackageError
from cellops.packaging.parity import differences
from cellops.packaging.predictor import Predictions
from cellops.records.base import Value
from cellops.records.contract import Contract, Parity, Task
from cellops.records.deployment import WireParity

SHOWN_ROWS = 5
TIMEOUT = 60


class Wire:
    """A connection to a server; what goes wrong on it is an OSError."""

    OK: ClassVar[int] = 200

    def __init__(self, host: str, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and content of an answer."""
        return self._ask("POST", path, body)

    def get(self, path: str) -> str:
        return self._ask("GET", path, None)[1].decode(errors="replace")

    def begin(self, path: str, body: bytes) -> None:
        """Send a request but for the second half of its body."""
        self._connection.putrequest("POST", path)
        for name, value in (*self._headers.items(), ("Content-Length", str(len(body)))):
            self._connection.putheader(name, value)
        self._connection.endheaders(body[: len(body) // 2])

    def finish(self, body: bytes) -> int:
        """Send that half, and give the status of the answer."""
        try:
            self._connection.send(body[len(body) // 2 :])
            answer = self._connection.getresponse()
            answer.read()
        except http.client.HTTPException as error:
            raise OSError(type(error).__name__) from error
        return answer.status

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        try:
            self._connection.request(method, path, body, self._headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            raise OSError(type(error).__name__) from error


def ask_all(wire: Wire, name: str, contract: Contract) -> tuple[WireParity, ...]:
    """Ask for the parity rows over every protocol of the server.

    Raises
    ------
    PackageError
        When the server refuses them.
    OSError
        When it does not answer.
    """
    return tuple(ask(wire, name, contract) for ask in (_open_inference, _kserve, _mlflow))


def single_rows(contract: Contract) -> list[bytes]:
    """Questions of one row each, for `/invocations`."""
    columns = list(contract.parity.inputs)
    return [_dumps({"dataframe_split": {"columns": columns, "data": [row]}}) for row in _rows(contract.parity)]


def _open_inference(wire: Wire, name: str, contract: Contract) -> WireParity:
    parity = contract.parity
    about = json.loads(wire.get(f"/v2/models/{name}"))
    datatypes = {one["name"]: one["datatype"] for one in about.get("inputs", [])}
    inputs = [
        {"name": column, "shape": [len(values)], "datatype": datatypes.get(column, "BYTES"), "data": values}
        for column, values in parity.inputs.items()
    ]
    document = _answer(wire, f"/v2/models/{name}/infer", {"inputs": inputs})
    outputs = {output["name"]: output["data"] for output in document["outputs"]}
    chances = outputs.get("predict_proba")
    return _held("Open Inference V2", contract, outputs["predict"], chances)


def _kserve(wire: Wire, name: str, contract: Contract) -> WireParity:
    instances = [dict(zip(contract.parity.inputs, row, strict=True)) for row in _rows(contract.parity)]
    document = _answer(wire, f"/v1/models/{name}:predict", {"instances": instances})
    return _held("KServe V1", contract, document["predictions"])


def _mlflow(wire: Wire, _name: str, contract: Contract) -> WireParity:
    table = {"columns": list(contract.parity.inputs), "data": _rows(contract.parity)}
    return _held("MLflow", contract, _answer(wire, "/invocations", {"dataframe_split": table})["predictions"])


def _answer(wire: Wire, path: str, document: object) -> Any:
    status, content = wire.post(path, _dumps(document))
    if status != Wire.OK:
        fact = f"The server refuses the parity rows with {status} at {path}: {content.decode(errors='replace')[:300]}"
        raise PackageError(fact, remedy="Package the run anew")
    return json.loads(content)


def _held(
    protocol: str, contract: Contract, labels: Sequence[Value], chances: Sequence[float] | None = None
) -> WireParity:
    """What was answered beside what the model gave in training; a protocol that answers labels is held by these."""
    parity = contract.parity if chances is not None else contract.parity.replace(probabilities=None)
    if len(labels) != len(parity.labels):
        fact = f"The server answers {len(labels)} of {len(parity.labels)} parity rows over {protocol}"
        raise PackageError(fact, remedy="Package the run anew")
    given = None if chances is None else np.asarray(chances, dtype=np.float64).reshape(len(labels), -1)
    answered = Predictions(np.asarray(labels), given)
    different = differences(contract.schema, parity, answered)
    return WireParity(
        protocol=protocol,
        rows=len(labels),
        different=tuple(different[:SHOWN_ROWS].tolist()),
        largest=_largest(contract, parity, answered),
    )


def _largest(contract: Contract, parity: Parity, answered: Predictions) -> float:
    if answered.probabilities is not None and parity.probabilities is not None:
        return float(np.abs(answered.probabilities - np.asarray(parity.probabilities)).max(initial=0.0))
    if contract.schema.task is Task.REGRESSION:
        return float(np.abs(answered.labels.astype(float) - np.asarray(parity.labels, dtype=float)).max(initial=0.0))
    return 0.0


def _rows(parity: Parity) -> list[list[Value]]:
    return [list(row) for row in zip(*parity.inputs.values(), strict=True)]


def _dumps(document: object) -> bytes:
    return json.dumps(document, allow_nan=False).encode()
