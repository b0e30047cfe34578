"""Several models behind one application: each is asked by its own paths, and each version by its own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from openapi_spec_validator import validate

from cellops.errors import UsageError
from cellops.packaging.load import LoadedPackage, load_package
from cellops.serving.app import App
from cellops.serving.auth import Access
from cellops.serving.limits import Limits
from cellops.serving.metrics import Metrics
from cellops.serving.model import Model
from cellops.serving.models import Models
from support.served import TOKEN, build
from support.wire import Wire

LIMITS = Limits(max_bytes=1_000_000, max_rows=1000)
OLD = "0" * 64
"""The digest of another version of the flights."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedPackage]:
    return {name: load_package(build(name, tmp_path_factory.mktemp(name))) for name in ("narrow", "diabetes")}


@pytest.fixture(scope="module")
def wire(packages: dict[str, LoadedPackage]) -> Iterator[Wire]:
    narrow, diabetes = packages.values()
    app = served(replace(narrow, digest=OLD), diabetes, narrow)
    yield Wire(diabetes, app)
    app.close()


def served(*packages: LoadedPackage) -> App:
    metrics = Metrics()
    models = Models([Model(package, LIMITS, metrics, None) for package in packages], metrics)
    return App(models, access=Access(TOKEN), limits=LIMITS)


def read(wire: Wire, path: str) -> Any:
    status, _, content = wire.read(path)
    assert status == 200, content
    return json.loads(content)


def asked(wire: Wire, path: str, rows: Any) -> tuple[int, str, Any]:
    """Status, the model that answered and its answer."""
    status, headers, content = wire.send(path, json.dumps({"instances": rows}).encode())
    return status, headers.get(b"x-model", b"").decode(), json.loads(content)


ROWS = [{"single": 12.5, "double": 7.0, "byte": 90}]


def test_each_model_and_each_version_has_its_paths(wire: Wire, packages: dict[str, LoadedPackage]) -> None:
    newest, diabetes = (packages[name].digest[:12] for name in ("narrow", "diabetes"))
    assert asked(wire, "/v1/models/narrow:predict", ROWS)[:2] == (200, f"narrow/versions/{newest}")
    assert asked(wire, f"/v1/models/narrow/versions/{OLD[:12]}:predict", ROWS)[1] == f"narrow/versions/{OLD[:12]}"
    assert asked(wire, "/v1/models/diabetes:predict", wire.rows)[1] == f"diabetes/versions/{diabetes}"
    assert read(wire, "/v1/models") == {"models": ["narrow", "diabetes"]}
    assert read(wire, "/v2/models/narrow")["versions"] == [OLD[:12], newest]
    assert read(wire, f"/v2/models/narrow/versions/{OLD[:12]}/ready")["ready"] is True


def test_who_names_no_model_is_answered_by_the_first(wire: Wire) -> None:
    assert asked(wire, "/invocations", ROWS)[1].startswith("narrow/")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/models/other:predict", "narrow, diabetes"),
        ("/v2/models/narrow/versions/7/infer", f"versions are {OLD[:12]}, "),
        ("/v2/repository/index", "--admin-port"),
        ("/v2/models/narrow/elsewhere", "/v2/models/narrow/infer"),
    ],
)
def test_a_path_that_is_not_there_names_what_is(wire: Wire, path: str, said: str) -> None:
    status, _, answer = asked(wire, path, ROWS)
    assert (status, said in answer["error"]) == (404, True), answer
    assert len(answer["error"]) < 300


def test_labels_find_their_model_by_prediction_id(wire: Wire) -> None:
    _, headers, _ = wire.send("/v1/models/diabetes:predict", json.dumps({"instances": wire.rows[:1]}).encode())
    made = headers[b"x-prediction-id"].decode()
    _, headers, _ = wire.send("/v1/models/narrow:predict", json.dumps({"instances": ROWS}).encode())
    other = headers[b"x-prediction-id"].decode()

    taken_by = ""

    def label(path: str, *ids: str, foreign: bool = False) -> tuple[int, Any]:
        nonlocal taken_by
        body = {"labels": [{"prediction_id": name, "label": 99.5} for name in ids], "foreign": foreign}
        status, headers, content = wire.send(path, json.dumps(body).encode())
        taken_by = headers.get(b"x-model", b"").decode().partition("/")[0]
        return status, json.loads(content)

    assert label("/feedback", f"{made}:0") == (200, {"accepted": 1, "unknown": 0})
    assert taken_by == "diabetes"
    status, answer = label("/feedback", f"{made}:0", f"{other}:0")
    assert (status, "2 models" in answer["error"]) == (400, True)
    status, answer = label("/feedback", f"{made}:0", "april:0")
    assert (status, answer["rows"], "/feedback/MODEL" in answer["error"]) == (400, [1], True)
    status, answer = label("/feedback", made)
    assert (status, "ANSWER:ROW" in answer["error"]) == (400, True)
    assert label("/feedback/diabetes", "april:0")[0] == 400
    assert label("/feedback/diabetes", "april:0", foreign=True) == (200, {"accepted": 1, "unknown": 1})
    assert label("/feedback/narrow", f"{other}:0")[0] == 400  # no class of that model


def test_metrics_name_model_and_version(wire: Wire) -> None:
    for path in ("/v1/models/narrow:predict", f"/v1/models/narrow/versions/{OLD[:12]}:predict"):
        asked(wire, path, ROWS)
    text = wire.read("/metrics")[2].decode()
    counted = {line.partition(" ")[0] for line in text.splitlines() if line.startswith("cellops_request_rows_count")}
    assert f'cellops_request_rows_count{{model="narrow",version="{OLD[:12]}"}}' in counted
    assert len(counted) == 3


def test_one_document_describes_all_paths(wire: Wire) -> None:
    document = read(wire, "/openapi.json")
    validate(document)
    assert set(document["paths"]) == set(wire.app.table.routes) - {"/openapi.json"}
    assert len(wire.read("/openapi.json")[2]) < 4000 * len(document["paths"])
    columns = {
        name: set(schema["properties"])
        for name, schema in document["components"]["schemas"].items()
        if name.endswith(".Row")
    }
    assert columns[f"narrow.{OLD[:12]}.Row"] == {"single", "double", "byte"}
    assert len(columns) == 3


def test_a_version_given_twice_is_refused(packages: dict[str, LoadedPackage]) -> None:
    with pytest.raises(UsageError, match="narrow is given twice"):
        served(packages["narrow"], packages["diabetes"], packages["narrow"])
