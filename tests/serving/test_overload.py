"""More requests than a server takes: as many as may wait get their own answers, and the rest is told so at once."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pandas as pd

from cellops.data.decoder import frame_columns
from cellops.monitoring import prediction_log
from cellops.packaging.load import load_package
from cellops.serving.app import WAITING
from support.served import TOKEN, WAIT, Running, running

HELD = """
import time
from pathlib import Path

def adjust(proposal):
    # Longer than what is answered on the event loop.
    time.sleep(0.005)
    if (proposal.columns["distance"] >= 1000).any():
        while not Path("go").exists():
            time.sleep(0.01)
"""
"""An operator's function that holds up every request of the test, until a file says go."""
PATH = "/v1/models/flights:predict"
MORE = 60


def rows(client: int) -> list[dict[str, Any]]:
    """Rows that no other client sends, of which some are late."""
    row = {"carrier": ("UA", "EV", "MQ")[client % 3], "origin": "EWR", "distance": 1000 + client, "hour": 17}
    return [row | {"wind_gust": gust} for gust in (12.5, 30.0, None)[: 1 + client % 3]]


async def ask_all(server: Running, answered: dict[int, httpx.Response], go: Path) -> int:
    """Send all at once, let the model go on when the rest has been refused; gives a probe's status meanwhile."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    limits = httpx.Limits(max_connections=WAITING + MORE + 1)
    async with httpx.AsyncClient(
        base_url=server.client.base_url, headers=headers, limits=limits, timeout=WAIT, trust_env=False
    ) as http:
        told = asyncio.Semaphore(0)

        async def one(client: int) -> None:
            answered[client] = await http.post(PATH, json={"instances": rows(client)})
            told.release()

        asking = [asyncio.create_task(one(client)) for client in range(WAITING + MORE)]
        for _ in range(MORE):
            await told.acquire()
        assert {answer.status_code for answer in answered.values()} == {503}
        probe = await http.get("/v2/health/live")
        go.touch()
        await asyncio.gather(*asking)
        return probe.status_code


def test_beyond_what_may_wait_requests_are_refused_at_once_and_those_that_wait_get_their_own_answers(
    flights: Path, tmp_path: Path
) -> None:
    (tmp_path / "holding.py").write_text(HELD)
    answered: dict[int, httpx.Response] = {}
    with running(flights, tmp_path, "--rules", "holding:adjust") as server:
        assert asyncio.run(ask_all(server, answered, tmp_path / "go")) == 200
        assert server.client.post(PATH, json={"instances": rows(0)}).status_code == 200
        counted = server.client.get("/metrics").text
        assert server.stop() == 0

    refused = [answer for answer in answered.values() if answer.status_code != 200]
    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in refused} == {(503, "1")}
    assert len(refused) == MORE
    (count,) = [
        line
        for line in counted.splitlines()
        if line.startswith("cellops_request_seconds_count") and 'code="503"' in line
    ]
    assert count.endswith(f" {MORE}.0")

    admitted = {client: answer.json()["predictions"] for client, answer in answered.items() if answer.is_success}
    loaded = load_package(flights)
    frame = pd.DataFrame([row for client in admitted for row in rows(client)])
    expected = loaded.predictor.predict(frame_columns(loaded.contract.schema, frame)).labels.tolist()
    assert [label for labels in admitted.values() for label in labels] == expected
    assert set(expected) == {0, 1}
    logged = prediction_log.read(tmp_path / "log")
    assert len(logged) == len(frame) + len(rows(0))
