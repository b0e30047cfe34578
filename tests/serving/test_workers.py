"""A server of several processes: they share what they count, none is missed for long, and none outlives the first."""

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric

from cellops.monitoring import prediction_log
from cellops.serving.exchange import Exchange, settle, total
from support.logs import until
from support.processes import children, is_there
from support.served import PORT, TOKEN, Running, running, start

PATH = "/v1/models/flights:predict"
ROW = {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1}
BESIDE = ("--workers", "2")


def asked(server: Running, times: int) -> None:
    """Over a connection each, which any worker may take."""
    for _ in range(times):
        answer = httpx.post(
            f"{server.client.base_url}{PATH}",
            json={"instances": [ROW]},
            headers={"Authorization": f"Bearer {TOKEN}"},
            trust_env=False,
        )
        assert answer.status_code == 200


def counted(server: Running) -> int:
    found = re.search(r"^cellops_request_rows_count{.*} (\d+)\.0$", server.client.get("/metrics").text, re.MULTILINE)
    return int(found[1]) if found else 0


def test_workers_count_together_are_replaced_and_log_to_one_folder(
    flights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(flights, tmp_path, *BESIDE, log_flush_seconds="0.05", server_log_format="json") as server:
        first = children(server.process.pid)
        assert len(first) == 2
        asked(server, 20)
        until(lambda: counted(server) == 20)
        (shared,) = (crew.parent for crew in tmp_path.glob("cellops-*/crew"))
        until(lambda: total(shared, "cellops_request_rows_count") == 20)

        killed = min(first)
        os.kill(killed, signal.SIGKILL)
        (other,) = until(lambda: children(server.process.pid) - first)
        asked(server, 10)
        # What the killed one has counted is not forgotten.
        until(lambda: counted(server) == 30)
        assert children(server.process.pid) == {*first, other} - {killed}

        assert server.stop() == 0
        assert "answered 30 requests with 30 rows" in server.process.stdout.read()
    # Every line is JSON, also those of the process that watches the others.
    told = [json.loads(line).get("message") for line in (tmp_path / "errors").read_text().splitlines()]
    assert f"worker-{sorted(first).index(killed)} has ended (exit code -9) and is started again" in told
    frame = prediction_log.read(tmp_path / "log")
    assert len(frame) == 30
    assert frame["prediction_id"].is_unique


def test_no_worker_outlives_the_process_that_watches_it(flights: Path, tmp_path: Path) -> None:
    with running(flights, tmp_path, *BESIDE) as server:
        workers = children(server.process.pid)
        server.process.kill()
        until(lambda: not any(map(is_there, workers)))


def test_requests_under_way_are_answered_when_all_are_told_to_stop(flights: Path, tmp_path: Path) -> None:
    with running(flights, tmp_path, *BESIDE, log_flush_seconds="0.05") as server:
        answers: list[int] = []
        stopped = threading.Event()

        def ask_on() -> None:
            with httpx.Client(base_url=server.client.base_url, headers=server.client.headers, trust_env=False) as http:
                while not stopped.is_set():
                    try:
                        answers.append(http.post(PATH, json={"instances": [ROW] * 50}).status_code)
                    except httpx.TransportError:
                        return  # the connection was closed between two requests

        clients = [threading.Thread(target=ask_on) for _ in range(4)]
        for client in clients:
            client.start()
        until(lambda: len(answers) > 20)
        assert server.stop() == 0
        stopped.set()
        for client in clients:
            client.join()
        assert set(answers) == {200}
    assert len(prediction_log.read(tmp_path / "log")) == 50 * len(answers)


def test_workers_that_would_count_clients_each_by_itself_are_refused(flights: Path, tmp_path: Path) -> None:
    process = start(flights, tmp_path, *PORT, *BESIDE, server_rate="10/second")
    assert process.communicate(timeout=60)[0] == ""
    assert process.returncode == 2
    message = (tmp_path / "errors").read_text()
    assert "would count the requests of a client by itself" in message
    assert message.count("\n") == 1


def test_the_reason_for_which_no_worker_can_start_is_told_once(flights: Path, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no folder")
    process = start(flights, tmp_path, *PORT, *BESIDE)
    assert process.communicate(timeout=60)[0] == ""
    assert process.returncode == 2
    message = (tmp_path / "errors").read_text()
    assert "cannot be written to" in message
    assert message.count("\n") == 1


def test_metrics_of_workers_are_added_up(tmp_path: Path) -> None:
    def worker(name: str, answered: int, under_way: int) -> tuple[Exchange, Callable[[], object]]:
        registry = CollectorRegistry()
        Counter("asked", "Requests", ["model"], registry=registry).labels("flights").inc(answered)
        Gauge("cellops_requests_in_progress", "Now", ["model"], registry=registry).labels("flights").set(under_way)
        return Exchange(tmp_path, name), registry.collect

    (one, of_one), (two, of_two) = worker("one", 3, 1), worker("two", 4, 2)
    two.write(of_two())
    (tmp_path / "three.json").write_text("torn")

    def said() -> dict[str, float]:
        return {sample.name: sample.value for metric in one.with_others(of_one()) for sample in metric.samples}

    assert (said()["asked_total"], said()["cellops_requests_in_progress"]) == (7, 3)
    settle(tmp_path, "two")
    assert (said()["asked_total"], said()["cellops_requests_in_progress"]) == (7, 1)
    one.write(of_one())
    assert total(tmp_path, "asked_total") == 7


def test_counting_began_with_the_first_worker(tmp_path: Path) -> None:
    def worker() -> CollectorRegistry:
        registry = CollectorRegistry()
        Counter("asked", "Requests", registry=registry)
        return registry

    def began(metrics: Iterable[Metric]) -> float:
        return next(sample.value for metric in metrics for sample in metric.samples if sample.name == "asked_created")

    first, second = worker(), worker()
    Exchange(tmp_path, "one").write(first.collect())
    assert began(Exchange(tmp_path, "two").with_others(second.collect())) == began(first.collect())
    assert began(first.collect()) < began(second.collect())
