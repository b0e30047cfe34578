"""Real clients of others, each in an environment of its own, get what the model gives in this process."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cellops.data.decoder import frame_columns
from cellops.packaging.load import load_package
from support import clients
from support.served import Running, build, running

TOLERANCE = 1e-12
"""Of probabilities: a client that sends rows one by one has them added in another order."""


@dataclass(frozen=True)
class Asked:
    """A table in a file, and what the package answers to it in this process."""

    model: str
    table: Path
    labels: list[Any]
    chances: list[list[float]]

    def require(self, outputs: dict[str, Any]) -> None:
        """Hold a client's answers in Open Inference against them."""
        assert np.ravel(outputs["predict"]).tolist() == self.labels
        np.testing.assert_allclose(np.reshape(outputs["predict_proba"], (-1, 2)), self.chances, rtol=0, atol=TOLERANCE)


def asked_of(package: Path, frame: pd.DataFrame, folder: Path) -> Asked:
    loaded = load_package(package)
    given = loaded.predictor.predict(frame_columns(loaded.contract.schema, frame))
    labels = given.labels.tolist()
    assert given.probabilities is not None
    assert len(set(labels)) == 2
    columns = {name: values.astype(object).where(values.notna(), None).tolist() for name, values in frame.items()}
    table = folder / "table.json"
    table.write_text(json.dumps(columns))
    return Asked(package.name, table, labels, given.probabilities.tolist())


def trips() -> pd.DataFrame:
    rows = product(("UA", "B6", "EV", "MQ"), ("EWR", "JFK", "LGA"), (200, 1400), (6, 17), (12.5, 30.0))
    return pd.DataFrame(rows, columns=["carrier", "origin", "distance", "hour", "wind_gust"])


@pytest.fixture(scope="module")
def cancer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("cancer", tmp_path_factory.mktemp("cancer"))


@pytest.fixture(scope="module")
def server(flights: Path, cancer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(flights, tmp_path_factory.mktemp("server"), str(cancer)) as started:
        yield started


@pytest.fixture(params=["flights", "cancer"])
def asked(request: pytest.FixtureRequest, flights: Path, cancer: Path, tmp_path: Path) -> Asked:
    """Strings and integers answered with numbers, and numbers answered with strings."""
    if request.param == "flights":
        return asked_of(flights, trips(), tmp_path)
    return asked_of(cancer, pd.DataFrame(load_package(cancer).contract.parity.inputs), tmp_path)


def test_tritons_client_asks_with_bytes_and_json_for_both(server: Running, asked: Asked) -> None:
    answers = clients.answers("mlserver", clients.TRITON, server, asked.model, asked.table)
    assert "is missing" in answers.pop("refused")
    assert len(answers) == 4
    for outputs in answers.values():
        asked.require(outputs)


def test_mlserver_infers_row_by_row(server: Running, asked: Asked) -> None:
    answers = clients.answers("mlserver", clients.MLSERVER, server, asked.model, asked.table)
    rows = [{output["name"]: output["data"] for output in answer["outputs"]} for answer in answers]
    asked.require({name: [row[name] for row in rows] for name in rows[0]})


def test_kserves_client_asks_in_both_protocols(server: Running, asked: Asked) -> None:
    answers = clients.answers("kserve-client", clients.KSERVE, server, asked.model, asked.table)
    assert answers.pop("v1") == {"predictions": asked.labels}
    assert len(answers) == 2
    for outputs in answers.values():
        asked.require(outputs)


def test_pandas_and_requests_send_every_form_of_a_table_with_gaps(
    server: Running, flights: Path, tmp_path: Path
) -> None:
    frame = trips()
    frame["wind_gust"] = frame["wind_gust"].mask(frame.index % 3 == 0)
    asked = asked_of(flights, frame, tmp_path)
    answers = clients.answers("mlflow", clients.REQUESTS, server, asked.model, asked.table)
    assert answers == dict.fromkeys(answers, asked.labels)
    assert len(answers) == 6
