"""What the page of the server is made of: open files without data, and documents for those who have a token."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cellops.monitoring.segments import Room, SegmentWriter
from cellops.packaging.load import load_package
from cellops.records.contract import Field
from cellops.records.drift import DriftReport
from cellops.records.profile import Bins, ColumnKind, ColumnProfile, QuantileSketch
from cellops.serving.limits import Limits
from cellops.serving.server import build_app
from cellops.serving.tokens import TokenScope, add_token
from cellops.serving.ui.drift import newest_drift
from cellops.serving.ui.form import _typical as typical
from cellops.serving.ui.routes import FILES, POLICY
from cellops.serving.ui.traffic import quantile
from support.served import TOKEN
from support.wire import Wire

LIMITS = Limits(max_bytes=1_000_000, max_rows=1000)
BROWSER = b"text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(scope="module", name="wire")
def flights_wire(flights: Path) -> Iterator[Wire]:
    package = load_package(flights)
    app = build_app(package, LIMITS, TOKEN, None)
    yield Wire(package, app)
    app.close()


def test_the_root_is_liveness_for_kserve_and_leads_browsers_to_the_page(wire: Wire) -> None:
    status, headers, content = wire.read("/", token=None)
    assert (status, json.loads(content)["live"], headers[b"vary"]) == (200, True, b"accept")
    status, headers, content = wire.read("/", token=None, accept=BROWSER)
    assert (status, headers[b"location"], headers[b"vary"], content) == (303, b"ui", b"accept", b"")


@pytest.mark.parametrize("path", FILES)
def test_the_page_is_open_comes_from_here_alone_and_holds_no_data(wire: Wire, path: str) -> None:
    status, headers, content = wire.read(path, token=None, accept=BROWSER)
    assert (status, headers[b"content-security-policy"]) == (200, POLICY.encode())
    assert headers[b"content-type"].decode() == FILES[path][1]
    text = content.decode()
    assert not re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)\w+\.\w+", text)
    assert "flights" not in text
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|innerHTML|outerHTML|insertAdjacent", text)


def test_what_it_reads_needs_a_token_with_the_scope(wire: Wire, tmp_path: Path) -> None:
    for path in ("/ui/state", "/ui/form"):
        assert wire.read(path, token=None)[0] == 401
        assert wire.read(path)[1][b"cache-control"] == b"no-store"
    predicting = add_token(tmp_path / "tokens", "shop", [TokenScope.PREDICT])
    app = build_app(wire.package, LIMITS, TOKEN, None, tokens=tmp_path / "tokens")
    asked = Wire(wire.package, app)
    assert (asked.read("/ui/form", predicting)[0], asked.read("/ui/state", predicting)[0]) == (200, 403)
    app.close()


def test_the_state_says_what_the_metrics_say(wire: Wire) -> None:
    body = json.dumps({"instances": wire.rows}).encode()
    before = state(wire)
    for _ in range(3):
        wire.send("/v1/models/flights:predict", body)
    wire.send("/v1/models/flights:predict", b"{")
    after = state(wire)
    (model,) = after["models"]
    assert model["rows"] - before["models"][0]["rows"] == 3 * len(wire.rows)
    assert (model["name"], model["package"]) == ("flights", wire.package.digest)
    assert model["parity_rows"] == len(wire.rows)
    assert before["now"] - 600 < model["since"] < before["now"]
    (asked,) = (route for route in after["traffic"] if route["route"] == "predict")
    assert asked["codes"] == {"200": 3, "400": 1}
    assert 0 < asked["p50"] <= asked["p95"] <= asked["p99"]
    assert all(route["route"] != "page" for route in after["traffic"])
    assert model["logs"] == []


def state(wire: Wire) -> dict[str, Any]:
    status, _, content = wire.read("/ui/state")
    assert status == 200
    return json.loads(content)


def test_the_form_asks_for_what_the_contract_has_and_begins_with_a_row_that_is_answered(wire: Wire) -> None:
    _, _, content = wire.read("/ui/form")
    (form,) = json.loads(content)["models"]
    fields = {field["name"]: field for field in form["fields"]}
    assert list(fields) == [field.name for field in wire.package.contract.schema.inputs]
    assert fields["origin"]["categories"] == ["EWR", "JFK", "LGA"]
    assert fields["distance"]["allowed"] == {"minimum": 1, "maximum": 5000}
    assert fields["wind_gust"]["nullable"]
    row = {name: field["typical"] for name, field in fields.items()}
    status, _, answer = wire.send(f"/{form['explain']}", json.dumps({"instances": [row]}).encode())
    assert (status, len(json.loads(answer)["explanations"])) == (200, 1)


@pytest.mark.parametrize(
    ("kind", "profile", "value"),
    [
        (ColumnKind.INTEGER, {"sketch": QuantileSketch(values=(1, 2, 9), cumulative=(1, 4, 5))}, 2),
        (ColumnKind.NUMBER, {"sketch": QuantileSketch(values=(0.1234567, 2.0), cumulative=(3, 4))}, 0.123457),
        (ColumnKind.DATETIME, {"sketch": QuantileSketch(values=(1.36e9,), cumulative=(2,))}, "2013-02-04T17:46:40Z"),
        (ColumnKind.BOOLEAN, {"bins": Bins(categories=("True", "False"), counts=(3, 2))}, True),
        (ColumnKind.TEXT, {"bins": None}, ""),
        (ColumnKind.NUMBER, {"sketch": None}, None),
    ],
)
def test_every_kind_of_column_has_a_value_to_begin_with(kind: ColumnKind, profile: dict[str, Any], value: Any) -> None:
    held = ColumnProfile(**{"name": "x", "kind": kind, "dtype": "", "rows": 5, "missing": 0, "bins": None} | profile)
    assert typical(held, Field(name="x", kind=kind, dtype="", nullable=False)) == value


def test_quantiles_lie_on_a_line_within_their_bucket() -> None:
    buckets = {0.1: 10.0, 0.2: 10.0, 0.4: 20.0, inf: 25.0}
    assert quantile(buckets, 0.2) == pytest.approx(0.05)
    assert quantile(buckets, 0.6) == pytest.approx(0.3)
    assert quantile(buckets, 0.99) == 0.4
    assert quantile({}, 0.5) is quantile({0.1: 0.0, inf: 0.0}, 0.5) is None


def report(folder: Path, digest: str, made: str) -> Path:
    folder.mkdir(parents=True)
    path = folder / "drift.json"
    held = DriftReport(
        package="m", digest=digest, made=made, source="log", reference_rows=5, reference_performance=None, windows=()
    )
    path.write_bytes(held.to_json())
    os.utime(path, (datetime.fromisoformat(made).timestamp(),) * 2)
    return path


def test_the_newest_drift_report_is_told_or_how_one_is_made(tmp_path: Path) -> None:
    told = newest_drift(None, "m", "a")
    assert told == newest_drift(tmp_path / "none", "m", "a")
    assert told["command"] == "cellops drift PACKAGE --log .cellops/log/m"
    newest = report(tmp_path / "log", "a", "2013-05-01T00:00:00+00:00")
    report(tmp_path / "april.csv", "b", "2013-04-01T00:00:00+00:00")
    told = newest_drift(tmp_path, "m", "a")
    assert (told["made"], told["is_of_this_version"], told["columns"]) == ("2013-05-01T00:00:00+00:00", True, [])
    assert not newest_drift(tmp_path, "m", "c")["is_of_this_version"]
    newest.write_text("{")
    assert "cannot be read" in newest_drift(tmp_path, "m", "a")["missing"]


def test_a_log_says_how_much_waits_to_be_written(tmp_path: Path) -> None:
    def to_batch(entries: Sequence[int]) -> pa.RecordBatch:
        return pa.record_batch({"x": pa.array(entries)})

    writer = SegmentWriter(tmp_path, to_batch, flush_seconds=600, segment_rows=10, room=Room(100))
    assert (writer.waiting_rows, writer.room) == (0, 100)
    writer.append(1, 7)
    assert writer.waiting_rows == 7
    writer.close()
    assert (writer.waiting_rows, writer.lost_rows) == (0, 0)
