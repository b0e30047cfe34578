"""A real server from its start to its end: what it refuses to start with, and what its logs hold afterwards."""

import os
import queue
import re
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pandas as pd
import pytest

from cellops.errors import InputError, UsageError
from cellops.flows.drift import drift
from cellops.monitoring import prediction_log
from cellops.monitoring.answered import Answered
from cellops.packaging.load import load_package
from cellops.packaging.manifest import write
from cellops.packaging.parity import Parity
from cellops.serving import server as server_module
from cellops.serving.logs import LogPlace
from cellops.settings import BUILT_IN_TRUSTED_TYPES, load
from support.served import PORT, TOKEN, Running, build, running, start

PATH = "/v1/models/flights:predict"
ROW = {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1}
QUICK = {"log_flush_seconds": "0.05"}
WAIT = 60


def ask(client: httpx.Client, request_id: str) -> int:
    return client.post(PATH, json={"instances": [ROW]}, headers={"X-Request-Id": request_id}).status_code


def failed(process: object, folder: Path) -> tuple[int, str]:
    """The exit code of a server that must not start, and its one line."""
    output, _ = process.communicate(timeout=WAIT)
    assert output == ""
    message = (folder / "errors").read_text()
    assert message.count("\n") == 1, message
    return process.returncode, message


def test_labels_that_come_later_join_their_predictions(flights: Path, tmp_path: Path) -> None:
    with running(flights, tmp_path) as server:
        headers = {"X-Request-Id": "april", "X-Event-Time": "2013-04-01T05:00:00+02:00"}
        rows = [ROW, ROW | {"wind_gust": None, "carrier": "new"}]
        answer = server.client.post(PATH, json={"instances": rows}, headers=headers)
        answers, prediction = answer.json()["predictions"], answer.headers["X-Prediction-Id"]
        given = [
            {"prediction_id": f"{prediction}:1", "label": 0},
            {"prediction_id": f"{prediction}:1", "label": 1, "observed": "2013-04-01T09:00:00Z"},
            {"prediction_id": "never-asked:0", "label": 1},
        ]
        refused = server.client.post("/feedback", json={"labels": given})
        assert refused.status_code == 400
        assert "row 2: no prediction of this model" in refused.text
        taken = server.client.post("/feedback", json={"labels": given, "foreign": True})
        assert taken.json() == {"accepted": 3, "unknown": 1}
        counted = server.client.get("/metrics").text
        assert re.search(r"^cellops_unknown_labels_total{.*} 1\.0$", counted, re.MULTILINE)
        assert server.stop() == 0
    joined = prediction_log.joined(tmp_path / "log")
    frame = joined.predictions.set_index("prediction_id")
    assert list(frame.index) == [f"{prediction}:0", f"{prediction}:1"]
    assert set(frame["request_id"]) == {"april"}
    assert frame["label"].tolist() == answers
    assert set(frame["time"]) == {pd.Timestamp("2013-04-01T03:00:00Z")}
    assert set(frame["protocol"]) == {"kserve-v1"}
    assert (pd.isna(frame["truth"].iloc[0]), frame["truth"].iloc[1]) == (True, 1)
    assert frame["observed"].iloc[1] == pd.Timestamp("2013-04-01T09:00:00Z")
    assert joined.unknown["prediction_id"].tolist() == ["never-asked:0"]
    table = prediction_log.inputs(joined.predictions)
    assert table["carrier"].tolist() == ["UA", "new"]
    assert pd.isna(table["wind_gust"][1])


def test_a_server_that_is_killed_loses_only_the_last_answers(flights: Path, tmp_path: Path) -> None:
    answered: list[str] = []
    with running(flights, tmp_path, **QUICK) as server:

        def load() -> None:
            try:
                while ask(server.client, f"r{len(answered)}") == 200:
                    answered.append(f"r{len(answered)}")
            except httpx.TransportError:
                pass

        sender = threading.Thread(target=load)
        sender.start()
        seen = 0
        while seen < 30:
            seen = len(prediction_log.read(server.log))
        server.stop(signal.SIGKILL)
        sender.join(timeout=WAIT)
    kept = prediction_log.read(tmp_path / "log")["request_id"].tolist()
    assert len(kept) >= seen
    # The request on its way may have been logged and not answered; all others that are missing came last.
    assert kept[: len(answered)] == answered[: len(kept)]

    with running(flights, tmp_path, **QUICK) as server:
        assert ask(server.client, "again") == 200
        assert server.stop() == 0
    assert prediction_log.read(tmp_path / "log")["request_id"].tolist() == [*kept, "again"]
    assert list((tmp_path / "log").rglob("*.frames")) == []


def begun(server: Running) -> int:
    text = server.client.get("/metrics").text
    return int(float(re.search(r"^cellops_requests_in_progress{.*} (.*)$", text, re.MULTILINE)[1]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_requests_under_way_finish(flights: Path, tmp_path: Path, number: int) -> None:
    parts: queue.Queue[bytes | None] = queue.Queue()

    def body() -> Iterator[bytes]:
        while (part := parts.get(timeout=WAIT)) is not None:
            yield part

    with running(flights, tmp_path, "--admin-port", "0") as server, ThreadPoolExecutor(1) as pool:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "X-Request-Id": "slow"}
        url = str(server.client.base_url.join(PATH))
        answer = pool.submit(httpx.post, url, content=body(), headers=headers, timeout=WAIT, trust_env=False)
        parts.put(b'{"instances": [')
        while begun(server) < 2:
            pass
        server.process.send_signal(number)
        host, port = server.client.base_url.host, server.client.base_url.port
        while listening(host, port):
            pass
        ready = httpx.get(f"{server.admin}/v2/health/ready", trust_env=False)
        assert (ready.status_code, "being stopped" in ready.text) == (503, True)
        assert httpx.get(f"{server.admin}/v2/health/live", trust_env=False).status_code == 200
        parts.put(b'["UA", "EWR", 1400, 5, 20.1]]}')
        parts.put(None)
        assert answer.result(timeout=WAIT).status_code == 200
        assert server.process.wait(timeout=WAIT) == 0
    assert prediction_log.read(tmp_path / "log")["request_id"].tolist() == ["slow"]


def test_a_server_whose_terminal_is_closed_stops_as_when_it_is_told_to(flights: Path, tmp_path: Path) -> None:
    terminal, its_end = os.openpty()
    process = start(flights, tmp_path, *PORT, stdin=its_end)
    assert process.stdout is not None
    try:
        os.close(its_end)
        while "Ctrl-C" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGHUP)
        assert process.stdout.readline().startswith("flights is the same as before")
        os.close(terminal)
        process.send_signal(signal.SIGHUP)
        assert process.stdout.readline().startswith("Stopped: answered 0 requests")
        assert process.wait(WAIT) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_server_that_is_stopped_tells_what_it_has_done(flights: Path, tmp_path: Path) -> None:
    with running(flights, tmp_path) as server:
        answer = server.client.post(PATH, json={"instances": [ROW, ROW]})
        prediction = answer.headers["X-Prediction-Id"]
        labels = [{"prediction_id": f"{prediction}:{row}", "label": 1} for row in range(2)]
        assert server.client.post("/feedback", json={"labels": labels}).json() == {"accepted": 2, "unknown": 0}
        assert ask(server.client, "second") == 200
        assert server.client.post(PATH, json={}).status_code == 400
        assert server.stop(signal.SIGINT) == 0
        last = server.process.stdout.read().splitlines()[-1]
    assert last == "Stopped: answered 2 requests with 3 rows, took 2 labels"


def test_request_ids_may_repeat_and_labels_still_mean_one_prediction(flights: Path, tmp_path: Path) -> None:
    with running(flights, tmp_path) as server:
        answers = [
            server.client.post(PATH, json={"instances": [ROW]}, headers={"X-Request-Id": "twice"}) for _ in range(2)
        ]
        predictions = [answer.headers["X-Prediction-Id"] for answer in answers]
        labels = [{"prediction_id": f"{name}:0", "label": label} for label, name in enumerate(predictions)]
        assert server.client.post("/feedback", json={"labels": labels}).json() == {"accepted": 2, "unknown": 0}
        assert server.stop() == 0
    frame = prediction_log.joined(tmp_path / "log").predictions
    assert frame["request_id"].tolist() == ["twice", "twice"]
    assert dict(zip(frame["prediction_id"], frame["truth"], strict=True)) == {
        f"{name}:0": label for label, name in enumerate(predictions)
    }


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits are changed, as only Linux lets one")
def test_a_full_disk_costs_no_answer_and_is_told(flights: Path, tmp_path: Path) -> None:
    import resource

    with running(flights, tmp_path, **QUICK) as server:
        hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (20_000, hard))
        while not lost(server):
            assert server.client.post(PATH, json={"instances": [ROW] * 100}).status_code == 200
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert ask(server.client, "room-again") == 200
        assert server.stop() == 0
        last = server.process.stdout.read().splitlines()[-1]
    assert "rows were not logged: File too large" in last
    assert prediction_log.read(tmp_path / "log")["request_id"].tolist()[-1] == "room-again"


def lost(server: Running) -> float:
    text = server.client.get("/metrics").text
    return float(re.search(r'^cellops_log_lost_rows{log="predictions".*} (.*)$', text, re.MULTILINE)[1])


def listening(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=WAIT).close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        # The socket was closed while this connection waited in its queue.
        return True
    return True


def test_a_model_that_fails_tells_an_error_id_that_the_server_has_logged(tmp_path: Path) -> None:
    with running(build("strict", tmp_path), tmp_path) as server:
        for path in ("/v1/models/strict:predict", "/invocations"):
            answer = server.client.post(path, json={"instances": [ROW | {"carrier": "a secret"}]})
            assert answer.status_code == 500
            assert answer.json()["error_id"] in (tmp_path / "errors").read_text()
            assert "secret" not in answer.text
            assert "Traceback" not in answer.text
        assert ask_strict(server) == 200


def ask_strict(server: Running) -> int:
    return server.client.post("/invocations", json={"instances": [ROW]}).status_code


def test_a_token_that_nobody_chose_is_told_at_the_start(flights: Path, tmp_path: Path) -> None:
    process = start(flights, tmp_path, token=None)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().partition(" on ")[2].split()[0]
        token = process.stdout.readline().rpartition(" ")[2].strip()
        with httpx.Client(base_url=url, trust_env=False) as client:
            assert client.get("/v1/models", headers={"Authorization": f"Bearer {token}"}).status_code == 200
            assert client.get("/v1/models", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 403
    finally:
        process.terminate()
        process.communicate(timeout=WAIT)


def test_a_limit_on_rows_below_the_parity_rows_is_no_obstacle(flights: Path, tmp_path: Path) -> None:
    with running(flights, tmp_path, server_max_rows="1", server_max_bytes="300") as server:
        assert ask(server.client, "one") == 200


def test_a_port_in_use_is_named(flights: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = str(held.getsockname()[1])
        code, message = failed(start(flights, tmp_path, "--port", port), tmp_path)
    assert code == 2
    assert f"port {port}" in message


def test_a_port_that_does_not_exist_is_not_taken_for_another(flights: Path, tmp_path: Path) -> None:
    code, message = failed(start(flights, tmp_path, "--port", "70000"), tmp_path)
    assert code == 2
    assert "70000" in message


def test_of_two_servers_that_start_together_one_says_that_the_port_is_taken(
    flights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        monkeypatch.setattr(server_module, "_prove", lambda *_, **__: other.listen())
        with pytest.raises(UsageError, match=f"port {port}"):
            server_module.serve(
                [flights],
                load=load_package,
                place=server_module.Place("127.0.0.1", port),
                token=TOKEN,
                token_was_chosen=True,
                kept=server_module.Kept(lambda name: LogPlace(tmp_path / "log" / name), tmp_path / "admin.jsonl"),
                settings=load(tmp_path),
                on_ready=pytest.fail,
                on_change=pytest.fail,
            )


def test_other_machines_are_served_with_a_chosen_token_only(flights: Path, tmp_path: Path) -> None:
    code, message = failed(start(flights, tmp_path, "--port", "0", "--host", "0.0.0.0", token=None), tmp_path)
    assert code == 2
    assert "CELLOPS_SERVER_TOKEN" in message


@pytest.mark.parametrize(
    ("words", "token", "said"),
    [
        (("--host", "0.0.0.0"), "secret", "the token has only 6 characters. Choose a random one of 16 or more"),
        (("--host", "192.0.2.1"), TOKEN, "Give an address of this machine with --host"),
        (("--models", "."), TOKEN, "Give --admin-port, too"),
    ],
)
def test_what_would_be_open_or_of_no_use_is_refused(
    flights: Path, tmp_path: Path, words: tuple[str, ...], token: str, said: str
) -> None:
    code, message = failed(start(flights, tmp_path, "--port", "0", *words, token=token), tmp_path)
    assert code == 2
    assert said in message


def test_a_package_that_answers_otherwise_than_in_training_is_not_served(flights: Path, tmp_path: Path) -> None:
    changed = tmp_path / "flights"
    shutil.copytree(flights, changed)
    file = changed / "contract" / "parity.json"
    parity = Parity.from_json(file.read_bytes())
    file.write_bytes(parity.replace(labels=[1 - label for label in parity.labels]).to_json())
    write(changed, "flights", "3f2a91c0")
    code, message = failed(start(changed, tmp_path), tmp_path)
    assert code == 1
    assert "parity row 0" in message
    assert not (tmp_path / "log").exists()


def test_drift_on_a_log_tells_what_of_it_is_missing(flights: Path, tmp_path: Path) -> None:
    with running(flights, tmp_path) as server:
        answer = server.client.post(PATH, json={"instances": [ROW] * 200})
        bare = [{"prediction_id": answer.headers["x-prediction-id"], "label": 1}]
        refused = server.client.post("/feedback", json={"labels": bare})
        assert (refused.status_code, "ANSWER:ROW" in refused.text) == (400, True)
        server.stop()
    package = load_package(flights, trusted_types=BUILT_IN_TRUSTED_TYPES)
    logged = prediction_log.read(server.log)
    entry = Answered(
        prediction_id="far",
        request_id="far",
        time=-(2**63) + 10**9,
        received=0,
        protocol="v1",
        package=package.digest,
        columns={name: column.to_numpy() for name, column in prediction_log.inputs(logged[:1]).items()},
        labels=logged["label"][:1].to_numpy(),
        probabilities=prediction_log.probabilities(logged[:1]).to_numpy(),
    )
    writer = prediction_log.open_writer(server.log, package.contract.schema, flush_seconds=0.01, segment_rows=10)
    writer.append(entry, 1)
    writer.close()
    (server.log / "labels" / "0-gone.damaged").touch()
    settings = load(tmp_path)
    done = drift(flights, log=server.log, output=tmp_path / "report", settings=settings)
    assert {"log-rows-left-out", "log-damaged"} <= {finding.code for finding in done.findings}
    with pytest.raises(UsageError, match="its own times and labels"):
        drift(flights, log=server.log, time="time", settings=settings)
    (tmp_path / "logs" / "flights").mkdir(parents=True)
    with pytest.raises(InputError, match=r"Give .*logs/flights, its own"):
        drift(flights, log=tmp_path / "logs", settings=settings)
