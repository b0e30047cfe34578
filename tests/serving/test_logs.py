"""The prediction log of a real server under load: a kill, a disk that is full, a store that is away."""

import hmac
import re
import signal
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from cellops.flows.drift import drift
from cellops.monitoring import prediction_log
from cellops.monitoring.log_store import LogStore
from cellops.records.contract import Personal
from cellops.records.finding import Severity
from cellops.settings import load
from support.disks import fill, small_disk
from support.served import TOKEN, Running, declared, running

PATH = "/v1/models/flights:predict"
ROW = {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1}
FLUSH = 0.5
SLOW = 1.5
"""Seconds that a write may take beside the requests of this test, on a busy machine."""
WAIT = 60


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"


def ask(server: Running, rows: int = 1) -> httpx.Response:
    return server.client.post(PATH, json={"instances": [ROW] * rows})


def metric(server: Running, name: str) -> float:
    found = re.search(rf"^{name}(?:{{.*}})? (.*)$", server.client.get("/metrics").text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def kept(folder: Path) -> set[str]:
    """The rows of a log, by the ids of their predictions."""
    return set(prediction_log.read(folder)["prediction_id"])


@contextmanager
def asking(server: Running, clients: int):
    """Clients that ask as fast as they are answered: when each answer came, by its prediction id."""
    came: dict[str, float] = {}

    def load() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with suppress(httpx.TransportError), httpx.Client(base_url=server.client.base_url, headers=headers) as client:
            while (answer := client.post(PATH, json={"instances": [ROW]}, timeout=WAIT)).status_code == 200:
                came[f"{answer.headers['X-Prediction-Id']}:0"] = time.monotonic()

    senders = [threading.Thread(target=load) for _ in range(clients)]
    for sender in senders:
        sender.start()
    yield came
    for sender in senders:
        sender.join(timeout=WAIT)


def test_after_a_kill_under_load_only_the_last_fraction_of_a_second_is_missing(flights: Path, tmp_path: Path) -> None:
    with running(flights, tmp_path, log_flush_seconds=str(FLUSH), log_segment_rows="100") as server:
        with asking(server, 4) as came:
            until(lambda: len(list(server.log.rglob("*.parquet"))) > 1)
            last = time.monotonic()
            server.stop(signal.SIGKILL)
        left = kept(server.log)
        missing = {name: at for name, at in came.items() if name not in left}
        assert len(came) > 200
        assert all(at > last - FLUSH - SLOW for at in missing.values()), "what was answered earlier is there"
        # Of what is there, each client may have one that it never saw the answer to.
        assert len(left - came.keys()) <= 4
    with running(flights, tmp_path) as server:
        until(lambda: not list(server.log.rglob("*.frames")))
    assert kept(tmp_path / "log") == left


def test_a_server_that_shall_lose_nothing_refuses_while_its_disk_is_full(flights: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "log") as disk:
        if disk is None:
            pytest.skip("this user may not mount a disk")
        with running(flights, tmp_path, log_on_full="refuse", log_flush_seconds="0.05") as server:
            answered = [ask(server)]
            filler = fill(disk)
            until(lambda: answered.append(ask(server)) or answered[-1].status_code != 200)
            refused = answered.pop()
            assert refused.status_code == 503
            assert refused.headers["Retry-After"] == "1"
            assert "log cannot be written" in refused.json()["error"]
            for path in ("/v2/health/ready", "/v2/models/flights/ready", "/v1/models/flights"):
                assert server.client.get(path).status_code == 503, path
            assert server.client.get("/v2/health/live").status_code == 200
            label = {"prediction_id": f"{answered[0].headers['X-Prediction-Id']}:0", "label": 1}
            until(lambda: server.client.post("/feedback", json={"labels": [label]}).status_code == 503)
            filler.unlink()
            until(lambda: server.client.get("/v2/health/ready").status_code == 200)
            answered.append(ask(server))
            assert metric(server, "cellops_log_lost_rows") == 0
            assert server.stop() == 0
        assert {answer.status_code for answer in answered} == {200}
        assert kept(disk) == {f"{answer.headers['X-Prediction-Id']}:0" for answer in answered}


def test_a_full_disk_that_costs_no_answer_has_its_losses_counted(flights: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "log") as disk:
        if disk is None:
            pytest.skip("this user may not mount a disk")
        with running(flights, tmp_path, log_flush_seconds="0.05") as server:
            answered = {ask(server).headers["X-Prediction-Id"]}
            until(lambda: len(kept(disk)) == 1)
            filler = fill(disk)
            until(lambda: answered.add(ask(server).headers["X-Prediction-Id"]) or metric(server, LOST) > 0)
            filler.unlink()
            answered.add(ask(server).headers["X-Prediction-Id"])
            assert server.stop() == 0
            last = server.process.stdout.read()
        lost = int(re.search(r"(\d+) rows? w\w+ not logged: No space left on device", last)[1])
        assert lost > 0
        assert len(kept(disk)) == len(answered) - lost


LOST = "cellops_log_lost_rows"


def test_personal_columns_stand_nowhere_in_clear_and_are_not_judged(flights: Path, tmp_path: Path) -> None:
    package = declared(flights, tmp_path, carrier=Personal.HASH, origin=Personal.DROP)
    key = "a key of the operator"
    with running(package, tmp_path, log_pii_key=key) as server:
        for carrier in ("UA", "Ann-Secret", "UA"):
            answer = server.client.post(PATH, json={"instances": [ROW | {"carrier": carrier}] * 50})
            assert (answer.status_code, "Ann-Secret" in str(answer.headers)) == (200, False)
        assert "Ann-Secret" not in server.client.get("/metrics").text
        described = server.client.get("/openapi.json").text
        assert ("in training AA" in described, "in training EWR" in described) == (False, False)
        assert server.stop() == 0
    assert "Ann-Secret" not in (tmp_path / "errors").read_text()
    frame = prediction_log.read(server.log)
    assert [name for name in frame if "carrier" in name or "origin" in name] == ["hashed.carrier"]
    hashes = frame["hashed.carrier"]
    assert (hashes[0], hashes.nunique()) == (hmac.digest(key.encode(), b"UA", "sha256").hex()[:32], 2)
    done = drift(package, log=server.log, output=tmp_path / "report", settings=load(tmp_path))
    told = [finding.where for finding in done.findings if finding.code == "column-not-logged"]
    assert told == ["column carrier, column origin"]
    (window,) = done.report.windows
    assert {column.column for column in window.columns} == {"distance", "hour", "wind_gust"}
    assert not [finding for finding in done.findings if finding.severity is Severity.ERROR]


def test_a_store_that_is_away_costs_nothing_and_has_all_when_it_is_back(flights: Path, tmp_path: Path) -> None:
    place = tmp_path / "mount" / "flights"
    (tmp_path / "mount").write_text("nothing is mounted here")
    with running(flights, tmp_path, log=f"file://{place}", log_flush_seconds="0.05", log_segment_rows="5") as server:
        answers = [ask(server, rows=5) for _ in range(3)]
        until(lambda: metric(server, "cellops_log_waiting_segments") > 0)
        (tmp_path / "mount").unlink()
        until(lambda: metric(server, "cellops_log_waiting_segments") == 0)
        answers.append(ask(server))
        label = {"prediction_id": f"{answers[0].headers['X-Prediction-Id']}:0", "label": 1}
        assert server.client.post("/feedback", json={"labels": [label]}).status_code == 200
        assert server.stop() == 0
        assert "not in" not in server.process.stdout.read()
    assert not list((tmp_path / ".cellops").rglob("*.parquet"))
    with LogStore(f"file://{place}").fetched() as folder:
        joined = prediction_log.joined(folder).predictions
    rows = {f"{answer.headers['X-Prediction-Id']}:{row}" for answer in answers[:3] for row in range(5)}
    assert set(joined["prediction_id"]) == rows | {f"{answers[3].headers['X-Prediction-Id']}:0"}
    assert joined["truth"].notna().sum() == 1
    done = drift(flights, log=f"file://{place}", output=tmp_path / "report", settings=load(tmp_path))
    assert (done.report.windows[0].rows, done.report.source) == (16, "prediction log flights")
