"""Lines of JSON on the standard error of a server: one a request, none with a payload, and none that holds it up."""

import io
import json
import logging
import os
import re
from pathlib import Path

import pytest

from cellops.serving.request_log import JsonFormatter, Line, RequestLog
from support.served import Running, build, running

ROW = {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1}
MARK = "Ann-Secret"
PREDICT = "/v1/models/strict:predict"


def line(status: int = 200, request_id: str = "r") -> Line:
    return Line(
        1_365_000_000_123_456_789, request_id, "p", "shop", "m", "1", "kserve-v1", "predict", status, 0.5, 2, None
    )


def lines_of(stream: io.BytesIO) -> list[dict]:
    return [json.loads(each) for each in stream.getvalue().splitlines()]


def test_a_request_is_told_in_one_line() -> None:
    stream = io.BytesIO()
    log = RequestLog(stream)
    log.add(line())
    log.close()
    log.close()
    (told,) = lines_of(stream)
    assert told == {
        "time": "2013-04-03T14:40:00.123Z",
        "level": "info",
        "request_id": "r",
        "prediction_id": "p",
        "client": "shop",
        "model": "m",
        "version": "1",
        "protocol": "kserve-v1",
        "route": "predict",
        "status": 200,
        "seconds": 0.5,
        "rows": 2,
    }


def test_a_share_of_the_good_and_all_of_the_bad_have_a_line() -> None:
    stream = io.BytesIO()
    log = RequestLog(stream, share=0.25)
    for number in range(100):
        log.add(line(request_id=str(number)))
        log.add(line(status=500, request_id=f"bad {number}"))
    log.close()
    told = lines_of(stream)
    assert [each["level"] for each in told].count("error") == 100
    assert len(told) == 125


def test_a_reader_that_has_gone_or_is_slow_costs_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as stream:
        log = RequestLog(stream)
        log.add(line())
        log.close()
    monkeypatch.setattr("cellops.serving.request_log.MOST_WAITING", 3)
    kept = io.BytesIO()
    log = RequestLog(kept)
    for number in range(5):
        log.add(line(request_id=str(number)))
    log.close()
    told = lines_of(kept)
    assert "2 requests have no line" in told[-1]["message"]
    assert len(told) == 4


def test_an_exception_is_told_without_its_text() -> None:
    record: logging.LogRecord
    try:
        int(MARK)
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "it failed \ud800", (), (ValueError, error, error.__traceback__)
        )
    told = json.loads(JsonFormatter().format(record))
    assert (told["level"], told["exception"]) == ("error", "ValueError")
    assert "test_an_exception_is_told_without_its_text" in told["frames"][0]
    assert MARK not in json.dumps(told)


def ask(server: Running, path: str = PREDICT, **more: object) -> int:
    return server.client.post(path, **more).status_code


def test_a_server_tells_every_request_and_nothing_of_what_was_sent(tmp_path: Path) -> None:
    package = build("strict", tmp_path)
    with running(package, tmp_path, server_log_format="json") as server:
        good = server.client.post(PREDICT, json={"instances": [ROW, ROW]}, headers={"X-Request-Id": "april-1"})
        assert ask(server, json={"instances": [ROW | {"carrier": MARK}]}) == 500
        assert ask(server, json={"instances": [ROW | {"distance": MARK}]}) == 400
        assert ask(server, json={"instances": [ROW | {MARK: 1}]}) == 400
        assert ask(server, content=MARK.encode()) in {400, 415}
        assert ask(server, f"/{MARK}") == 404
        assert server.client.get(f"/metrics?{MARK}", headers={"Authorization": f"Bearer {MARK}"}).status_code == 403
        assert server.client.get("/v2/health/live").status_code == 200
        assert MARK not in server.client.get("/metrics").text
        assert server.stop() == 0
    content = (tmp_path / "errors").read_text()
    assert MARK not in content
    told = [json.loads(each) for each in content.splitlines()]
    requests = {each["request_id"]: each for each in told if "request_id" in each}
    assert len(requests) == 9
    first = requests["april-1"]
    assert first["prediction_id"] == good.headers["X-Prediction-Id"]
    assert (first["model"], first["client"], first["rows"], first["status"]) == ("strict", "token", 2, 200)
    assert re.fullmatch(r"[0-9a-f]{12}", first["version"])
    assert 0 < first["seconds"] < 60
    (failed,) = [each for each in requests.values() if each["status"] == 500]
    (cause,) = [each for each in told if "exception" in each]
    assert failed["error_id"] in cause["message"]
    assert (failed["level"], cause["exception"], cause["frames"] != []) == ("error", "ValueError", True)
    assert [each["route"] for each in requests.values() if each["status"] == 404] == ["none"]
