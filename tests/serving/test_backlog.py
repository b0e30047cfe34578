"""Requests that would wait too long for a slow model are refused at once, and those that were let in are answered."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from cellops.errors import NotReadyError
from cellops.packaging.load import load_package
from cellops.serving.app import App
from cellops.serving.auth import Access
from cellops.serving.backlog import LEAST, MEMORY, Backlog
from cellops.serving.business_rules import BusinessRules
from cellops.serving.limits import Limits
from cellops.serving.metrics import Metrics
from cellops.serving.model import Model
from cellops.serving.models import Models
from cellops.serving.policies import Declared
from support.served import TOKEN

LIMITS = Limits(100_000, 100)
PATH = "/v1/models/flights:predict"
ROW = {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1}
SLOW = 0.5


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Slow:
    """A model that takes half a second by its clock, and is held up where the test says so."""

    clock: Clock = field(default_factory=Clock)
    gate: threading.Event = field(default_factory=threading.Event)

    def adjust(self, _proposal: Any) -> None:
        # Longer than what is answered on the event loop.
        time.sleep(0.005)
        self.gate.wait()
        self.clock.now += SLOW


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def app(flights: Path, slow: Slow) -> Iterator[App]:
    model = Model(load_package(flights), LIMITS, Metrics(), None, declared=Declared(rules=BusinessRules(slow.adjust)))
    model.backlog = Backlog(slow.clock)
    made = App(Models([model], Metrics()), access=Access(TOKEN), limits=LIMITS)
    yield made
    slow.gate.set()
    made.close()
    model.close()


async def asked(http: httpx.AsyncClient, answers: "asyncio.Queue[httpx.Response]") -> None:
    await answers.put(await http.post(PATH, json={"instances": [ROW]}))


def test_what_would_wait_too_long_is_refused_and_what_was_let_in_is_answered(app: App, slow: Slow) -> None:
    async def ask() -> None:
        transport, headers = httpx.ASGITransport(app), {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://server", headers=headers, timeout=60
        ) as http:
            # Before anything is known of the model all are let in.
            slow.gate.set()
            first = await http.post(PATH, json={"instances": [ROW]})
            assert first.status_code == 200
            slow.gate.clear()
            answers: asyncio.Queue[httpx.Response] = asyncio.Queue()
            asking = [asyncio.create_task(asked(http, answers)) for _ in range(LEAST + 3)]
            refused = [await answers.get() for _ in range(3)]
            assert {answer.status_code for answer in refused} == {503}
            assert {answer.headers["retry-after"] for answer in refused} == {f"{LEAST * SLOW - 1:.0f}"}
            assert "would answer this request in about 8.0 s, as 16 wait before it" in refused[0].json()["error"]
            # What is not asked of the model is answered all the same.
            assert (await http.get("/v2/health/live")).status_code == 200
            slow.gate.set()
            assert [(await answers.get()).status_code for _ in range(LEAST)] == [200] * LEAST
            await asyncio.gather(*asking)
            assert (await http.post(PATH, json={"instances": [ROW]})).status_code == 200

    asyncio.run(ask())


def test_calls_that_answer_many_are_counted_in() -> None:
    clock = Clock()
    backlog = Backlog(clock)
    for _ in range(64):
        backlog.begin()
    clock.now += 0.1
    for _ in range(60):
        backlog.end(answered=True)
    assert backlog.expected() == pytest.approx(4 * 0.1 / 60)


def test_time_without_requests_and_refused_requests_say_nothing() -> None:
    clock = Clock()
    backlog = Backlog(clock)
    for _ in range(5):
        backlog.begin()
        clock.now += 0.2
        backlog.end(answered=True)
        clock.now += 100
    for _ in range(1000):
        backlog.begin()
        backlog.end(answered=False)
    backlog.begin()
    clock.now += 0.2
    assert backlog.expected() == pytest.approx(0.2)


def test_a_model_that_is_stuck_lets_few_in() -> None:
    clock = Clock()
    backlog = Backlog(clock)
    for _ in range(1000):
        backlog.begin()
        clock.now += 0.001
        backlog.end(answered=True)
    for _ in range(LEAST):
        backlog.begin()
    backlog.admit(1)
    clock.now += 5 * MEMORY
    with pytest.raises(NotReadyError):
        backlog.admit(1)
    backlog.end(answered=False)
    backlog.admit(1)
