"""Requests that would wait too long for a slow model are refused at once, and those that were let in are answered."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cellops.errors import NotReadyError
from cellops.packaging.load import load_package
from cellops.serving.app import App
from cellops.serving.auth import Access
from cellops.serving.backlog import ENOUGH, FEW, LEAST, MEMORY, Backlog
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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backlog(clock: Clock) -> Backlog:
    return Backlog(clock)


@pytest.fixture
def gate() -> threading.Event:
    """Until it is open the model answers nothing."""
    return threading.Event()


@pytest.fixture
def app(flights: Path, backlog: Backlog, gate: threading.Event) -> Iterator[App]:
    def held_up(_proposal: Any) -> None:
        # Longer than what is answered on the event loop.
        time.sleep(0.005)
        gate.wait()

    model = Model(load_package(flights), LIMITS, Metrics(), None, declared=Declared(rules=BusinessRules(held_up)))
    model.backlog = backlog
    made = App(Models([model], Metrics()), access=Access(TOKEN), limits=LIMITS)
    yield made
    gate.set()
    made.close()
    model.close()


async def asked(http: httpx.AsyncClient, answers: "asyncio.Queue[httpx.Response]") -> None:
    await answers.put(await http.post(PATH, json={"instances": [ROW]}))


def worked(backlog: Backlog, clock: Clock, times: int, seconds: float, waiting: int = LEAST) -> None:
    """So many requests were answered one after another while so many waited."""
    for _ in range(waiting):
        backlog.begin()
    for _ in range(times):
        clock.now += seconds
        backlog.end(answered=True)
        backlog.begin()
    for _ in range(waiting):
        backlog.end(answered=False)


def waiting(backlog: Backlog, count: int) -> None:
    for _ in range(count):
        backlog.begin()


def test_what_would_wait_too_long_is_refused_and_what_was_let_in_is_answered(
    app: App, backlog: Backlog, clock: Clock, gate: threading.Event
) -> None:
    worked(backlog, clock, ENOUGH, SLOW)

    async def ask() -> None:
        transport, headers = httpx.ASGITransport(app), {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://server", headers=headers, timeout=60
        ) as http:
            answers: asyncio.Queue[httpx.Response] = asyncio.Queue()
            asking = [asyncio.create_task(asked(http, answers)) for _ in range(LEAST + 3)]
            refused = [await answers.get() for _ in range(3)]
            assert {answer.status_code for answer in refused} == {503}
            assert {answer.headers["retry-after"] for answer in refused} == {"7"}
            assert "would answer this request in about 8.0 s, as 16 wait before it" in refused[0].json()["error"]
            # What is not asked of the model is answered all the same.
            assert (await http.get("/v2/health/live")).status_code == 200
            gate.set()
            assert [(await answers.get()).status_code for _ in range(LEAST)] == [200] * LEAST
            await asyncio.gather(*asking)
            assert (await http.post(PATH, json={"instances": [ROW]})).status_code == 200

    asyncio.run(ask())


def test_calls_that_answer_many_are_counted_in(backlog: Backlog, clock: Clock) -> None:
    waiting(backlog, 64)
    clock.now += 0.1
    for _ in range(40):
        backlog.end(answered=True)
    assert backlog.expected() == pytest.approx(24 * 0.1 / 40)


def test_what_is_answered_while_few_wait_says_nothing(backlog: Backlog, clock: Clock) -> None:
    worked(backlog, clock, 1000, SLOW, waiting=FEW)
    waiting(backlog, 250)
    assert backlog.expected() == 0
    backlog.admit(1)


def test_the_first_answers_say_nothing_yet(backlog: Backlog, clock: Clock) -> None:
    worked(backlog, clock, ENOUGH - 1, SLOW)
    waiting(backlog, 250)
    backlog.admit(1)
    clock.now += SLOW
    backlog.end(answered=True)
    with pytest.raises(NotReadyError, match=r"in about 124\.5 s, as 249 wait before it"):
        backlog.admit(1)


def test_idle_time_and_refused_requests_say_nothing(backlog: Backlog, clock: Clock) -> None:
    worked(backlog, clock, ENOUGH, 0.01)
    clock.now += 100
    waiting(backlog, LEAST)
    for _ in range(1000):
        backlog.begin()
        backlog.end(answered=False)
    assert backlog.expected() == pytest.approx(LEAST * 0.01)


def test_a_model_that_is_stuck_lets_few_in(backlog: Backlog, clock: Clock) -> None:
    worked(backlog, clock, 1000, 0.001)
    waiting(backlog, LEAST)
    backlog.admit(1)
    clock.now += 5 * MEMORY
    with pytest.raises(NotReadyError):
        backlog.admit(1)
    backlog.end(answered=False)
    backlog.admit(1)


def overloaded(most: int, every: float, seconds: float = 20.0) -> tuple[list[float], int]:
    """A model whose calls of 50 ms answer so many each, asked all the time; how long each waited, and the refused."""
    clock = Clock()
    backlog, arrived, waits, refused = Backlog(clock), list[float](), list[float](), 0
    comes, ends = 0.0, 0.05
    group: list[float] = []
    while clock.now < seconds:
        clock.now = min(comes, ends)
        if clock.now == comes:
            comes += every
            try:
                backlog.admit(1)
            except NotReadyError:
                refused += 1
            else:
                backlog.begin()
                arrived.append(clock.now)
            continue
        ends += 0.05
        for came in group:
            waits.append(clock.now - came)
            backlog.end(answered=True)
        group, arrived = arrived[:most], arrived[most:]
    return waits, refused


def test_of_five_times_what_a_slow_model_can_answer_all_that_are_let_in_are_answered_in_time() -> None:
    waits, refused = overloaded(most=1, every=0.01)
    # Before enough is known all are let in.
    late = waits[200:]
    assert max(late) < 1.2
    assert len(late) > 150
    assert refused > 4 * len(late)


def test_a_model_that_answers_many_by_one_call_refuses_nobody() -> None:
    waits, refused = overloaded(most=100, every=0.001)
    assert refused == 0
    assert max(waits) <= 0.1 + 1e-9
