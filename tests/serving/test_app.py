"""The application in process: what happens when something behind it gives way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

from cellops.packaging.load import LoadedPackage, load_package
from cellops.packaging.predictor import Predictions, SklearnPredictor
from cellops.serving import app as app_module
from cellops.serving.app import App
from cellops.serving.limits import Limits
from cellops.serving.logs import LogPlace, Logs
from cellops.serving.server import build_app
from cellops.settings import load
from support.served import TOKEN, build

LIMITS = Limits(max_bytes=100_000, max_rows=100)
PATH = "/v2/models/diabetes/infer"


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> LoadedPackage:
    return load_package(build("diabetes", tmp_path_factory.mktemp("diabetes")))


@pytest.fixture
def closed(diabetes: LoadedPackage, tmp_path: Path) -> Iterator[App]:
    """An application whose logs take nothing any more."""
    logs = Logs.open(LogPlace(tmp_path), diabetes.contract.schema, load(tmp_path))
    logs.close()
    app = build_app(diabetes, LIMITS, TOKEN, logs)
    yield app
    app.close()


@pytest.fixture
def forgetful(diabetes: LoadedPackage) -> Iterator[App]:
    """An application without logs."""
    app = build_app(diabetes, LIMITS, TOKEN, None)
    yield app
    app.close()


def send(app: App, method: str, path: str, document: object = None) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            return await client.request(method, path, json=document)

    return asyncio.run(ask())


def question(package: LoadedPackage, value: float) -> dict[str, Any]:
    names = [field.name for field in package.contract.schema.inputs]
    return {"inputs": [{"name": name, "shape": [1], "datatype": "FP64", "data": [value]} for name in names]}


def test_a_log_that_fails_costs_no_answer_and_is_counted(closed: App, diabetes: LoadedPackage) -> None:
    assert send(closed, "POST", PATH, question(diabetes, 0.1)).status_code == 200
    losses = [line for line in send(closed, "GET", "/metrics").text.splitlines() if line.startswith("cellops_log_lost")]
    assert [line.rpartition(" ")[2] for line in losses if 'log="predictions"' in line] == ["1.0"]


def test_labels_that_cannot_be_logged_are_not_accepted(closed: App) -> None:
    answer = send(closed, "POST", "/feedback", {"labels": [{"prediction_id": "a:0", "label": 99.5}], "foreign": True})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_more_requests_than_may_wait_are_refused_at_once(
    forgetful: App, diabetes: LoadedPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "WAITING", 0)
    answer = send(forgetful, "POST", PATH, question(diabetes, 0.1))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert send(forgetful, "GET", "/v2/health/live").status_code == 200


def test_a_body_on_its_way_counts_as_waiting(
    forgetful: App, diabetes: LoadedPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "WAITING", 1)

    async def ask() -> list[int]:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            begun.set()
            await go_on.wait()
            yield orjson.dumps(question(diabetes, 0.1))

        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        transport = httpx.ASGITransport(forgetful)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            first = asyncio.create_task(client.post(PATH, content=slow()))
            await begun.wait()
            second = await client.post(PATH, json=question(diabetes, 0.1))
            go_on.set()
            return [(await first).status_code, second.status_code]

    assert asyncio.run(ask()) == [200, 503]


@pytest.mark.parametrize(
    ("column", "value"),
    [("single", 1e39), ("single", -1e39), ("double", 1e39), ("byte", 128), ("byte", -129), ("byte", 1e30)],
)
def test_a_number_beyond_its_column_is_named_with_its_row(tmp_path: Path, column: str, value: float) -> None:
    package = load_package(build("narrow", tmp_path))
    app = build_app(package, LIMITS, TOKEN, None)
    row = {"single": 12.5, "double": 7.0, "byte": 90}
    path = "/v1/models/narrow:predict"
    assert send(app, "POST", path, {"instances": [row, row | {"byte": None}]}).status_code == 200
    answer = send(app, "POST", path, {"instances": [row, row | {column: value}]})
    app.close()
    assert (answer.status_code, answer.json()["column"], answer.json()["rows"]) == (400, column, [1])
    assert column in answer.json()["error"]


def test_an_error_lists_each_field_that_is_wrong(tmp_path: Path) -> None:
    app = build_app(load_package(build("narrow", tmp_path)), LIMITS, TOKEN, None)
    row = {"single": 12.5, "double": 7.0, "byte": 90}
    answer = send(app, "POST", "/v1/models/narrow:predict", {"instances": [row, row | {"single": "a", "byte": 1e30}]})
    app.close()
    found = {each["column"]: each for each in answer.json()["problems"]}
    assert (answer.status_code, found.keys(), found["byte"]["rows"]) == (400, {"single", "byte"}, [1])
    assert all(each["message"].split(". ")[0] in answer.json()["error"] for each in found.values())


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("value", [1.7e308, 5e306], ids=["the model fails", "its answer is infinite"])
def test_a_number_that_the_model_cannot_take_is_the_senders_fault(
    forgetful: App, diabetes: LoadedPackage, value: float
) -> None:
    answer = send(forgetful, "POST", PATH, question(diabetes, value))
    assert (answer.status_code, answer.json()["column"], answer.json()["rows"]) == (400, "age", [0])
    assert send(forgetful, "POST", PATH, question(diabetes, 1e40)).status_code == 200


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_an_answer_that_is_not_a_number_is_never_given(
    diabetes: LoadedPackage, caplog: pytest.LogCaptureFixture
) -> None:
    data = load_diabetes(as_frame=True)
    model = TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp).fit(data.data, data.target)
    app = build_app(replace(diabetes, predictor=SklearnPredictor(model, diabetes.contract.schema)), LIMITS, TOKEN, None)
    with caplog.at_level(logging.ERROR):
        answer = send(app, "POST", PATH, question(diabetes, 1e4))
    app.close()
    assert answer.status_code == 500
    assert answer.json()["error_id"] in caplog.text
    assert "outputs" not in answer.json()


@pytest.mark.parametrize("error", [SystemExit, StopIteration])
@pytest.mark.parametrize("path", [PATH, "/v1/models/diabetes:explain"])
def test_a_model_that_would_end_more_than_its_request_is_one_that_fails(
    diabetes: LoadedPackage, error: type[BaseException], path: str
) -> None:
    class Ending(SklearnPredictor):
        def predict(self, _columns: object) -> Predictions:
            raise error

    schema = diabetes.contract.schema
    app = build_app(replace(diabetes, predictor=Ending(None, schema)), LIMITS, TOKEN, None)
    rows = {"instances": [[0.1] * len(schema.inputs)]}
    answer = send(app, "POST", path, question(diabetes, 0.1) if path == PATH else rows)
    app.close()
    assert (answer.status_code, answer.json()["code"]) == (500, "inference")
