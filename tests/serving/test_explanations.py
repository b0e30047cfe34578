"""Explanations over the wire: what they say of real models, and what is refused."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cellops.data.decoder import decode_columns
from cellops.packaging.load import LoadedPackage, load_package
from cellops.packaging.predictor import Predictions
from cellops.serving import app as app_module
from cellops.serving.app import App
from cellops.serving.limits import Limits
from cellops.serving.server import build_app
from support.served import TOKEN, Running
from support.wire import Wire, wired

LIMITS = Limits(max_bytes=1_000_000, max_rows=1000)


@pytest.fixture(scope="module", name="wire")
def flights_wire(flights: Path) -> Iterator[Wire]:
    package = load_package(flights)
    app = build_app(package, LIMITS, TOKEN, None)
    yield Wire(package, app)
    app.close()


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with wired("diabetes", tmp_path_factory.mktemp("diabetes")) as made:
        yield made


def explain(wire: Wire, rows: list[Any], app: App | None = None, **more: Any) -> tuple[int, Any]:
    """The answer of the wire's own application, or of another one on its package."""
    asked = Wire(wire.package, app or wire.app)
    body = json.dumps({"instances": rows, **more}).encode()
    status, _, content = asked.send(f"/v1/models/{wire.package.manifest.name}:explain", body)
    if app:
        app.close()
    return status, json.loads(content)


def limited(package: LoadedPackage, **limits: Any) -> App:
    return build_app(package, replace(LIMITS, **limits), TOKEN, None)


def metric(wire: Wire, name: str) -> float:
    found = re.search(rf"^{name}{{.*}} (.*)$", wire.read("/metrics")[2].decode(), re.MULTILINE)
    assert found, name
    return float(found[1])


def test_of_strings_and_missing_values_they_sum_to_the_probability(wire: Wire) -> None:
    rows = wire.rows[:5]
    assert any(row["wind_gust"] is None for row in wire.rows)
    status, answer = explain(wire, rows)
    assert status == 200
    columns = decode_columns(wire.package.contract.schema, {name: [row[name] for row in rows] for name in rows[0]})
    truth = wire.package.predictor.predict(columns)
    assert answer["predictions"] == truth.labels.tolist()
    assert truth.probabilities is not None
    for made, chance in zip(answer["explanations"], truth.probabilities[:, 1].tolist(), strict=True):
        assert made["value"] == pytest.approx(chance)
        assert made["base"] + sum(made["contributions"].values()) == pytest.approx(made["value"])
        assert list(made["contributions"]) == [field.name for field in wire.package.contract.schema.inputs]
        assert (made["unit"], made["class"], made["method"]) == ("probability of late being 1", 1, "exact")
        assert (made["background_rows"], made["evaluations"]) == (100, 30 * 100 + 101)


def test_of_a_linear_model_they_are_the_weighted_distances_from_the_mean(diabetes: Wire) -> None:
    scaler, ridge = (step for _, step in diabetes.package.predictor._estimator.steps)
    assert diabetes.package.contract.background is not None
    names = [field.name for field in diabetes.package.contract.schema.inputs]
    background = pd.DataFrame(diabetes.package.contract.background.inputs)[names]
    status, answer = explain(diabetes, diabetes.rows[:2])
    assert status == 200
    weights = ridge.coef_ / scaler.scale_
    for row, made in zip(diabetes.rows, answer["explanations"], strict=False):
        expected = weights * (np.array([row[name] for name in names]) - background.mean().to_numpy())
        assert list(made["contributions"].values()) == pytest.approx(expected.tolist())
        assert made["unit"] == "target"
        assert "class" not in made


def test_those_that_are_sampled_say_so_with_their_errors(diabetes: Wire) -> None:
    exact = explain(diabetes, diabetes.rows[:1])[1]["explanations"][0]
    status, answer = explain(diabetes, diabetes.rows[:1], limited(diabetes.package, explain_evaluations=4000))
    (made,) = answer["explanations"]
    assert (status, made["method"]) == (200, "sampled")
    assert made["evaluations"] <= 4000
    assert set(made["standard_errors"]) == set(made["contributions"])
    assert list(made["contributions"].values()) == pytest.approx(list(exact["contributions"].values()))


def test_they_are_counted_but_not_as_predictions(wire: Wire) -> None:
    before = metric(wire, "cellops_request_rows_count")
    evaluations = metric(wire, "cellops_explain_evaluations_total")
    status, _ = explain(wire, wire.rows[:2])
    assert status == 200
    assert metric(wire, "cellops_explain_evaluations_total") == evaluations + 2 * 3101
    assert metric(wire, "cellops_request_rows_count") == before
    assert metric(wire, "cellops_explain_seconds_count") >= 1


def test_rows_are_checked_as_for_predictions(wire: Wire) -> None:
    row = wire.rows[0]
    status, answer = explain(wire, [row | {"distance": -1}])
    assert (status, answer["column"], answer["rows"]) == (400, "distance", [0])
    assert explain(wire, [])[0] == 400
    path = f"/v1/models/{wire.package.manifest.name}:explain"
    _, headers, _ = wire.send(path, json.dumps({"instances": [row | {"carrier": "??"}]}).encode())
    assert headers[b"x-cellops-warnings"] == b"unseen category in carrier"
    assert b"x-prediction-id" not in headers


@pytest.mark.parametrize(
    ("limits", "status", "words"),
    [
        ({"explained_rows": 1}, 413, "The request has 2 rows, and the server explains 1 at a time"),
        ({"explain_evaluations": 100}, 413, "takes 171 answers of the model, and 100 are allowed"),
        ({"explain_seconds": -1.0}, 504, "The explanation took longer than -1 s"),
    ],
)
def test_what_takes_too_much_is_refused_with_the_setting_that_allows_it(
    wire: Wire, limits: dict[str, Any], status: int, words: str
) -> None:
    answered, document = explain(wire, wire.rows[:2], limited(wire.package, **limits))
    assert answered == status
    assert words in document["error"]
    assert "CELLOPS_SERVER_EXPLAIN_" in document["error"]


def test_packages_without_a_background_and_other_protocols_have_none(wire: Wire) -> None:
    bare = replace(wire.package, contract=wire.package.contract.replace(background=None))
    status, answer = explain(wire, wire.rows[:1], limited(bare))
    assert (status, answer["code"]) == (501, "unsupported")
    assert "Package the run anew" in answer["error"]
    status, _, content = wire.send("/v2/models/flights/explain", b"{}")
    assert (status, json.loads(content)["error"].partition(". ")[2]) == (
        501,
        "Ask for them at /v1/models/flights:explain",
    )


@pytest.mark.parametrize("fault", [RuntimeError("secret"), np.nan], ids=["fails", "not finite"])
def test_a_model_that_fails_on_mixed_rows_shows_no_more_than_an_id(wire: Wire, fault: Any) -> None:
    whole = wire.package.predictor

    class Strict:
        def predict(self, columns: Any) -> Predictions:
            if len(columns["carrier"]) == 1:
                return whole.predict(columns)
            if isinstance(fault, Exception):
                raise fault
            return Predictions(whole.predict(columns).labels, np.full((len(columns["carrier"]), 2), fault))

    status, answer = explain(wire, wire.rows[:1], limited(replace(wire.package, predictor=Strict())))
    assert (status, answer["code"]) == (500, "inference")
    assert answer["error_id"] in answer["error"]
    assert "secret" not in json.dumps(answer)


def test_predictions_do_not_wait_behind_explanations(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one explanation is being made, another waits, a third is refused, and predictions are answered."""
    import asyncio

    import httpx

    monkeypatch.setattr(app_module, "EXPLAINING", 2)
    whole, begun, go_on = wire.package.predictor, Event(), Event()

    class Slow:
        def predict(self, columns: Any) -> Predictions:
            if len(columns["carrier"]) > 1:
                begun.set()
                assert go_on.wait(60)
            return whole.predict(columns)

    app = limited(replace(wire.package, predictor=Slow()))

    async def ask() -> list[int]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        body, path = {"instances": wire.rows[:1]}, "/v1/models/flights"
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test", headers=headers
        ) as client:
            waiting = [asyncio.create_task(client.post(f"{path}:explain", json=body)) for _ in range(2)]
            await asyncio.to_thread(begun.wait, 60)
            refused = await client.post(f"{path}:explain", json=body)
            predicted = await client.post(f"{path}:predict", json=body)
            go_on.set()
            return [refused.status_code, predicted.status_code, *[(await task).status_code for task in waiting]]

    assert asyncio.run(ask()) == [503, 200, 200, 200]
    app.close()


def test_three_classes_are_explained_by_the_one_that_was_predicted(wire: Wire) -> None:
    from cellops.serving.explanations import outcome

    contract = wire.package.contract
    schema = contract.schema.replace(classes=("a", "b", "c"))
    told = outcome(contract.replace(schema=schema), "b")
    assert (told.unit, told.label, told.place) == ("probability of late being b", "b", 1)
    labels = outcome(contract.replace(schema=schema.replace(probabilities=False)), "b")
    assert labels.unit == "1 where late is b, else 0"
    assert labels.of(Predictions(np.array(["a", "b"]), None)).tolist() == [0.0, 1.0]


def test_another_class_is_explained_when_it_is_asked_for(wire: Wire) -> None:
    rows = wire.rows[:2]
    answer = explain(wire, rows, **{"class": 0})[1]
    positive = explain(wire, rows)[1]
    for made, other in zip(answer["explanations"], positive["explanations"], strict=True):
        assert (made["unit"], made["class"]) == ("probability of late being 0", 0)
        assert made["value"] == pytest.approx(1 - other["value"])
        assert made["contributions"] == pytest.approx({name: -by for name, by in other["contributions"].items()})
    assert explain(wire, rows, **{"class": None})[1] == positive


@pytest.mark.parametrize(
    ("named", "said"), [(2, "The classes are 0, 1"), (True, "classes are"), ([0], "one of"), ("0", "classes are")]
)
def test_what_is_no_class_is_not_explained(wire: Wire, named: Any, said: str) -> None:
    status, answer = explain(wire, wire.rows[:1], **{"class": named})
    assert (status, answer["code"]) == (400, "input")
    assert said in answer["error"]


def test_a_regression_has_no_class_to_explain(diabetes: Wire) -> None:
    status, answer = explain(diabetes, diabetes.rows[:1], **{"class": 1})
    assert status == 400
    assert "The model has no classes" in answer["error"]


def test_predictions_take_no_class(wire: Wire) -> None:
    body = json.dumps({"instances": wire.rows[:1], "class": 1}).encode()
    status, _, content = wire.send("/v1/models/flights:predict", body)
    assert (status, "unknown field" in json.loads(content)["error"]) == (400, True)


def test_a_server_explains_as_its_settings_allow(wire: Wire, server: Running) -> None:
    def ask(rows: int) -> Any:
        return server.client.post("/v1/models/flights:explain", json={"instances": wire.rows[:1] * rows})

    answer = ask(10).json()
    assert [made["method"] for made in answer["explanations"]] == ["exact"] * 10
    assert len({json.dumps(made) for made in answer["explanations"]}) == 1
    refused = ask(11)
    assert (refused.status_code, refused.json()["code"]) == (413, "limit")
