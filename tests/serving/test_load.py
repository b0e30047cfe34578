"""Many clients at once: each gets its own answer, and the log holds what was answered, no more and no less."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import httpx

from cellops.monitoring import prediction_log
from cellops.packaging.load import load_package
from support.served import TOKEN, Running, running

V1, V2, MLFLOW = "/v1/models/flights:predict", "/v2/models/flights/infer", "/invocations"
CLIENTS = 200
EACH = 5
LIMITS = httpx.Limits(max_connections=CLIENTS)


def rows_of(client: int, turn: int) -> list[dict[str, Any]]:
    """One to four rows that no other client sends."""
    number = client * EACH + turn
    row = {"carrier": ("UA", "B6", "AA", "DL")[number % 4], "origin": ("EWR", "JFK", "LGA")[number % 3]}
    return [row | {"distance": 100 + number, "hour": 5 + number % 18, "wind_gust": None}] * (1 + number % 4)


def question(client: int, turn: int) -> tuple[str, dict[str, Any]]:
    rows = rows_of(client, turn)
    if client % 3 == 0:
        return V1, {"instances": rows}
    if client % 3 == 1:
        return MLFLOW, {"dataframe_records": rows}
    types = {str: "BYTES", int: "INT64", type(None): "FP64"}
    tensors = [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": types[type(rows[0][name])],
            "data": [row[name] for row in rows],
        }
        for name in rows[0]
    ]
    return V2, {"inputs": tensors}


def labels_in(document: dict[str, Any]) -> list[int]:
    return document["predictions"] if "predictions" in document else document["outputs"][0]["data"]


async def ask_all(server: Running, answered: dict[tuple[int, int], httpx.Response]) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(
        base_url=server.client.base_url, headers=headers, limits=LIMITS, timeout=60, trust_env=False
    ) as http:

        async def one(client: int) -> None:
            for turn in range(EACH):
                path, body = question(client, turn)
                answered[client, turn] = await http.post(path, json=body, headers={"X-Request-Id": f"{client}-{turn}"})

        await asyncio.gather(*(one(client) for client in range(CLIENTS)))


def test_many_clients_in_all_protocols_get_their_own_answers(flights: Path, tmp_path: Path) -> None:
    answered: dict[tuple[int, int], httpx.Response] = {}
    # All of them shall be answered, however slow the machine is.
    settings = {"log_segment_rows": "500", "log_flush_seconds": "0.05", "server_wait_seconds": "60"}
    with running(flights, tmp_path, **settings) as server:
        asyncio.run(ask_all(server, answered))
        assert {answer.status_code for answer in answered.values()} == {200}
        assert server.stop() == 0
    frame = prediction_log.read(tmp_path / "log").set_index("request_id")
    assert len(frame) == sum(len(rows_of(*key)) for key in answered)
    assert frame["prediction_id"].is_unique
    predictor = load_package(flights).predictor
    inputs = prediction_log.inputs(frame)
    columns = {name: inputs[name].to_numpy() for name in inputs}
    columns["wind_gust"] = columns["wind_gust"].astype(float)
    assert frame["label"].tolist() == predictor.predict(columns).labels.tolist()
    for (client, turn), answer in answered.items():
        logged = frame.loc[[f"{client}-{turn}"]]
        assert logged["label"].tolist() == labels_in(answer.json())
        assert logged["input.distance"].tolist() == [row["distance"] for row in rows_of(client, turn)]
        prediction = answer.headers["X-Prediction-Id"]
        assert logged["prediction_id"].tolist() == [f"{prediction}:{row}" for row in range(len(logged))]


def test_a_server_killed_under_load_leaves_a_log_that_can_be_read(flights: Path, tmp_path: Path) -> None:
    answered: dict[tuple[int, int], httpx.Response] = {}

    async def ask_and_kill(server: Running) -> int:
        asking = asyncio.create_task(ask_all(server, answered))
        seen = 0
        while seen < 300:
            seen = len(await asyncio.to_thread(prediction_log.read, server.log))
        server.process.send_signal(signal.SIGKILL)
        (failed,) = await asyncio.gather(asking, return_exceptions=True)
        assert isinstance(failed, httpx.TransportError)
        return seen

    settings = {"log_segment_rows": "100", "log_flush_seconds": "0.05", "server_wait_seconds": "60"}
    with running(flights, tmp_path, **settings) as server:
        seen = asyncio.run(ask_and_kill(server))
    kept = prediction_log.read(tmp_path / "log")
    assert len(kept) >= seen
    assert kept["prediction_id"].is_unique
    rows = kept.groupby("request_id").size()
    assert all(count == len(rows_of(*map(int, key.split("-")))) for key, count in rows.items())

    with running(flights, tmp_path) as server:
        assert server.stop() == 0
    again = prediction_log.read(tmp_path / "log")
    assert again["prediction_id"].tolist() == kept["prediction_id"].tolist()
    assert {path.suffix for path in (tmp_path / "log" / "predictions").iterdir()} == {".parquet"}
