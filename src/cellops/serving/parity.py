"""Parity at start: the package's rows are asked over the whole wire path, and must be answered as in training."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import numpy as np
import orjson

from cellops.data.arrays import Array
from cellops.errors import PackageError
from cellops.packaging.parity import differences
from cellops.packaging.predictor import Predictions
from cellops.records.contract import Contract, Parity
from cellops.serving.app import App
from cellops.serving.protocols.datatypes import DATATYPES
from cellops.serving.protocols.open_inference_v2 import PREDICT, PROBABILITIES

OK = 200
SHOWN_ROWS = 5


def replay(app: App, contract: Contract, path: str, token: str) -> None:
    """Ask `app` for the parity rows in the Open Inference Protocol, in process but from bytes to bytes.

    Raises
    ------
    PackageError
        When it refuses them, or answers otherwise than in training; `data["rows"]` holds the first rows that differ.
    """
    status, content = asyncio.run(_ask(app, path, token, orjson.dumps(_question(contract))))
    document = orjson.loads(content)
    if status != OK:
        fact = f"The server refuses the package's own parity rows: {document.get('error')}"
        raise PackageError(fact, remedy="Package the run anew")
    different = differences(contract.schema, contract.parity, _answers(document, contract.parity))
    if len(different):
        fact = f"The server answers otherwise than the model did in training, first in parity row {different[0]}"
        remedy = "Use the distributions of the package's lock, or package the run anew"
        raise PackageError(fact, remedy=remedy, rows=different[:SHOWN_ROWS].tolist())


def _question(contract: Contract) -> dict[str, Any]:
    rows = len(contract.parity.labels)
    tensors = [
        {
            "name": field.name,
            "shape": [rows],
            "datatype": DATATYPES[field.kind],
            "data": contract.parity.inputs[field.name],
        }
        for field in contract.schema.inputs
    ]
    return {"inputs": tensors}


def _answers(document: dict[str, Any], parity: Parity) -> Predictions:
    outputs = {output["name"]: output for output in document["outputs"]}
    labels: Array = np.asarray(outputs[PREDICT]["data"])
    if PROBABILITIES not in outputs:
        return Predictions(labels, None)
    chances = np.asarray(outputs[PROBABILITIES]["data"], dtype=np.float64)
    return Predictions(labels, chances.reshape(len(parity.labels), -1))


async def _ask(app: App, path: str, token: str, content: bytes) -> tuple[int, bytes]:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": content}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer " + token.encode()), (b"content-type", b"application/json")]
    await app({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    return sent[0]["status"], sent[1]["body"]
