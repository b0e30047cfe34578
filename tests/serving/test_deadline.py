"""Answers that are not there in time: 504 at once, and nothing more is done for them than is begun."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from cellops.monitoring import prediction_log
from cellops.packaging.load import LoadedPackage, load_package
from cellops.packaging.predictor import Predictions
from cellops.packaging.stopping import STOP, Stop
from cellops.serving import chunks
from cellops.serving.app import App
from cellops.serving.limits import Limits
from cellops.serving.logs import LogPlace, Logs
from cellops.serving.server import build_app
from cellops.settings import load
from support.served import TOKEN, build

PATHS = ("/v1/models/diabetes:predict", "/v2/models/diabetes/infer", "/invocations")
WAIT = 60
SHORT = 0.2


class Slow:
    """A model that begins and goes on when a test lets it."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.calls: list[int] = []

    def predict(self, columns: Any) -> Predictions:
        rows = len(next(iter(columns.values())))
        self.calls.append(rows)
        self.begun.release()
        assert self.go_on.wait(WAIT)
        return Predictions(np.zeros(rows), None)


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> LoadedPackage:
    return load_package(build("diabetes", tmp_path_factory.mktemp("diabetes")))


@pytest.fixture
def slow() -> Iterator[Slow]:
    model = Slow()
    yield model
    model.go_on.set()


@pytest.fixture
def logs(diabetes: LoadedPackage, tmp_path: Path) -> Iterator[Logs]:
    opened = Logs.open(LogPlace(tmp_path / "log"), diabetes.contract.schema, load(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def app(diabetes: LoadedPackage, slow: Slow, logs: Logs) -> Iterator[App]:
    limits = Limits(max_bytes=10_000_000, max_rows=100_000, seconds=SHORT)
    made = build_app(replace(diabetes, predictor=slow), limits, TOKEN, logs)
    yield made
    slow.go_on.set()
    made.close()


def body(package: LoadedPackage, path: str, rows: int) -> dict[str, Any]:
    names = [field.name for field in package.contract.schema.inputs]
    if path.startswith("/v2"):
        tensors = [{"name": name, "shape": [rows], "datatype": "FP64", "data": [0.1] * rows} for name in names]
        return {"inputs": tensors}
    return {"instances": [[0.1] * len(names)] * rows}


def send(app: App, *asked: tuple[str, dict[str, Any]]) -> list[httpx.Response]:
    """The answers to requests that are sent together."""

    async def ask() -> list[httpx.Response]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            return await asyncio.gather(*(client.post(path, json=document) for path, document in asked))

    return asyncio.run(ask())


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_that_is_late_is_504_and_not_logged(
    *, app: App, slow: Slow, logs: Logs, diabetes: LoadedPackage, path: str, tmp_path: Path
) -> None:
    (answer,) = send(app, (path, body(diabetes, path, 1)))
    assert answer.status_code == 504
    assert "not there within 0.2 s" in answer.text
    assert "CELLOPS_SERVER_REQUEST_SECONDS" in answer.text
    slow.go_on.set()
    app.close()
    logs.close()
    assert prediction_log.read(tmp_path / "log").empty


def test_the_rest_of_the_rows_is_not_worked_on(
    app: App, slow: Slow, diabetes: LoadedPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 10)
    (answer,) = send(app, (PATHS[1], body(diabetes, PATHS[1], 35)))
    assert answer.status_code == 504
    slow.go_on.set()
    app.close()
    assert slow.calls == [10]


def test_what_waits_for_a_thread_is_never_begun(app: App, slow: Slow, diabetes: LoadedPackage) -> None:
    document = body(diabetes, PATHS[0], 1)
    answers = send(app, *([(PATHS[0], document)] * 30))
    assert {answer.status_code for answer in answers} == {504}
    slow.go_on.set()
    app.close()
    assert len(slow.calls) < 30
    assert len(slow.calls) == app._pool._max_workers


def test_rows_in_parts_are_answered_as_in_one(diabetes: LoadedPackage, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {field.name: np.random.default_rng(3).normal(size=35) for field in diabetes.contract.schema.inputs}
    whole = chunks.predict(diabetes.predictor, columns, 35)
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 10)
    token = STOP.set(Stop())
    try:
        parts = chunks.predict(diabetes.predictor, columns, 35)
    finally:
        STOP.reset(token)
    assert np.allclose(whole.labels, parts.labels, rtol=1e-12)
    assert (parts.probabilities, parts.labels.shape) == (None, (35,))


def test_a_run_of_onnxruntime_is_told_to_end() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    stop, early, late = Stop(), onnxruntime.RunOptions(), onnxruntime.RunOptions()
    stop.watch(early)
    assert not early.terminate
    stop.ask()
    stop.watch(late)
    assert (early.terminate, late.terminate) == (True, True)
    assert STOP.get() is None
