"""Wrong tokens: after so many from an address no other is looked at, and nobody else is shut out with it."""

import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cellops.packaging.load import load_package
from cellops.serving.app import App
from cellops.serving.auth import Access
from cellops.serving.errors import RateError
from cellops.serving.limits import Limits
from cellops.serving.server import build_app
from cellops.serving.strangers import Strangers
from cellops.serving.tokens import TokenScope, add_token
from support.served import TOKEN

LIMITS = Limits(1000, 10)
PATH = "/v2/models/flights"
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


@pytest.fixture
def app(flights: Path, tokens: Path) -> Iterator[App]:
    inner = build_app(load_package(flights), LIMITS, TOKEN, None)
    made = App(inner.table, access=Access(TOKEN, tokens), limits=LIMITS, strangers=Strangers(3))
    yield made
    made.close()
    inner.close()


def asked(app: App, *asking: tuple[str, str | None], path: str = PATH) -> list[httpx.Response]:
    """The answers to some addresses with some tokens, one after another."""

    async def ask(address: str, token: str | None) -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(address, 1))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://server", headers=headers) as http:
            return await http.get(path)

    async def all_of_them() -> list[httpx.Response]:
        return [await ask(address, token) for address, token in asking]

    return asyncio.run(all_of_them())


def statuses(answers: list[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_after_so_many_wrong_tokens_no_other_is_looked_at(app: App, caplog: pytest.LogCaptureFixture) -> None:
    guesses = [(HERE, f"guess {number}") for number in range(5)]
    with caplog.at_level(logging.WARNING):
        answers = asked(app, *guesses, (HERE, TOKEN), (THERE, TOKEN), (THERE, "guess"), (HERE, None))
    # The right token is not told from wrong ones there, and one that has none is told what it lacks.
    assert statuses(answers) == [403, 403, 403, 429, 429, 429, 200, 403, 401]
    assert answers[4].headers["retry-after"].isdigit()
    assert "has sent 3 wrong tokens in a minute" in answers[4].json()["error"]
    assert [record.args for record in caplog.records] == [(HERE, 3)]
    (metrics,) = asked(app, (THERE, TOKEN), path="/metrics")
    # Of those that were not looked at nobody knows whether they are wrong.
    assert re.findall(r"^cellops_wrong_tokens_total{.*} (.*)$", metrics.text, re.MULTILINE) == ["5.0"]


def test_a_client_whose_token_was_right_from_there_goes_on(app: App) -> None:
    guesses = [(HERE, f"guess {number}") for number in range(4)]
    assert statuses(asked(app, (HERE, TOKEN), *guesses, (HERE, TOKEN), (HERE, "guess"))) == [
        200,
        *[403] * 3,
        429,
        200,
        429,
    ]


def test_a_token_that_does_not_allow_this_is_no_wrong_one(app: App, tokens: Path) -> None:
    token = add_token(tokens, "shop", [TokenScope.PREDICT])
    app._access._look()
    assert statuses(asked(app, *[(HERE, token)] * 5, path="/metrics")) == [403] * 5
    assert statuses(asked(app, (HERE, token))) == [200]


def test_whoever_has_one_address_of_ipv6_has_all_that_begin_so() -> None:
    async def guess() -> None:
        strangers = Strangers(1)
        await strangers.count("2001:db8:0:1::1")
        with pytest.raises(RateError):
            await strangers.count("2001:db8:0:1:2::2")
        with pytest.raises(RateError):
            strangers.look("2001:db8:0:1::3", b"Bearer guess")
        strangers.look("2001:db8:0:2::1", b"Bearer guess")

    asyncio.run(guess())
