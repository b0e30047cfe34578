"""Clients that send more than they may: refused with the time when they may again, and nobody else with them."""

import asyncio
import socket
import time
from pathlib import Path

import pytest

from cellops.errors import SettingsError
from cellops.serving.errors import RateError
from cellops.serving.throttle import PATIENCE, Throttle
from cellops.serving.tokens import TokenScope, add_token
from support.served import running

PATH = "/v1/models/flights:predict"


async def admitted(throttle: Throttle, client: str, times: int) -> int:
    """How many of some requests at once are admitted."""
    outcomes = await asyncio.gather(*(throttle.admit(client) for _ in range(times)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes if outcome} <= {RateError}
    return outcomes.count(None)


def test_as_many_as_may_are_admitted_of_each_client() -> None:
    async def ask() -> list[int]:
        throttle = Throttle("5/day")
        return [await admitted(throttle, client, 9) for client in ("a", "b", "a")]

    assert asyncio.run(ask()) == [5, 5, 0]


def test_every_rate_holds() -> None:
    async def ask() -> int:
        return await admitted(Throttle("100/hour; 3/day"), "a", 9)

    assert asyncio.run(ask()) == 3


def test_it_says_when_the_next_may_come() -> None:
    async def ask() -> RateError:
        throttle = Throttle("1 per 2 hours")
        await throttle.admit("a")
        with pytest.raises(RateError, match="its 1 requests per 2 hours") as caught:
            await throttle.admit("a")
        return caught.value

    assert 1 <= asyncio.run(ask()).data["retry_after"] <= 7200


@pytest.mark.parametrize("rates", ["", ";", "ten", "10", "10/fortnight", "-1/second", "0/second", "10/second;"])
def test_what_is_no_rate_is_refused(rates: str) -> None:
    with pytest.raises(SettingsError, match="CELLOPS_SERVER_RATE"):
        Throttle(rates)


def test_a_store_that_is_none_is_refused_without_its_password() -> None:
    with pytest.raises(SettingsError) as caught:
        Throttle("1/day", "memcached://user:secret@host")
    assert "secret" not in str(caught.value)


def test_while_redis_is_away_nobody_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> int:
        return await admitted(Throttle("1/day", "redis://user:secret@127.0.0.1:1"), "a", 3)

    assert asyncio.run(ask()) == 3
    assert caplog.text.count("not counted") == 1
    assert "secret" not in caplog.text


def test_a_redis_that_says_nothing_holds_up_one_request_shortly() -> None:
    async def ask(port: int) -> float:
        throttle, began = Throttle("1/day", f"redis://127.0.0.1:{port}"), time.monotonic()
        for _ in range(20):
            await throttle.admit("a")
        return time.monotonic() - began

    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert PATIENCE <= asyncio.run(ask(silent.getsockname()[1])) < 10 * PATIENCE


def test_a_server_counts_by_tokens_and_lets_probes_through(flights: Path, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    tokens = [add_token(file, name, [TokenScope.PREDICT]) for name in ("one", "two")]
    with running(flights, tmp_path, server_tokens=str(file), server_rate="2/day") as server:
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            answers = [server.client.post(PATH, content=b"{}", headers=headers) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [400, 400, 429]
            assert int(answers[2].headers["Retry-After"]) > 0
            assert answers[2].json()["code"] == "rate"
        assert [server.client.get("/v2/health/ready").status_code for _ in range(5)] == [200] * 5
        said = [{"X-Forwarded-For": f"192.0.2.{number}"} for number in range(3)]
        assert [server.client.get("/v2", headers=each).status_code for each in said] == [200, 200, 429]
