"""Requests that are answered together get what each gets alone, whatever comes beside them and in whatever order."""

import asyncio
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.data.decoder import decode_columns
from cellops.data.matrix import Matrix
from cellops.packaging.load import load_package
from cellops.packaging.predictor import Array, Predictions
from cellops.serving import batching
from cellops.serving.batching import INTERPRETED, MOST_ROWS, THREADS, Batcher, joined
from cellops.serving.pace import Pace
from cellops.serving.sameness import answers_alike

POISON = 666
Ask = Callable[[Mapping[str, Array], int], Predictions]


class Clock:
    """Stands for the module `time` of the batcher: only the model lets it go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Model:
    """Labels a row by its number; fails where one is poison."""

    def __init__(self, clock: Clock, call: float, row: float) -> None:
        self.calls: list[int] = []
        self.threads: set[str] = set()
        self._clock, self._call, self._row = clock, call, row

    def __call__(self, columns: Mapping[str, Array], rows: int) -> Predictions:
        self.calls.append(rows)
        self.threads.add(threading.current_thread().name)
        self._clock.now += self._call + rows * self._row
        if POISON in columns["number"].tolist():
            raise ValueError(POISON)
        return Predictions(columns["number"] * 2, np.column_stack([columns["number"] / 3, 1 - columns["number"] / 3]))


def table(numbers: list[int], *, as_matrix: bool) -> Mapping[str, Array]:
    if as_matrix:
        return Matrix({"number": 0}, np.array([numbers], dtype=np.float64).T)
    return {"number": np.array(numbers, dtype=np.float64)}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(batching, "time", made)
    return made


async def predict(batcher: Batcher, columns: Mapping[str, Array], rows: int, pool: ThreadPoolExecutor) -> Predictions:
    """The answer, waited for; who ends this gives it up."""
    came: asyncio.Future[Predictions] = asyncio.get_running_loop().create_future()

    def hear(told: Predictions | Exception) -> None:
        if not came.done() and isinstance(told, Exception):
            came.set_exception(told)
        elif not came.done():
            came.set_result(told)

    awaited = batcher.ask(columns, rows, pool, hear)
    try:
        return await came
    except asyncio.CancelledError:
        awaited.give_up(TimeoutError())
        raise


def answered(batcher: Batcher, tables: list[Mapping[str, Array]], waits: list[int] | None = None) -> list[Any]:
    """The answers or errors of requests, each of which comes so many turns of the loop after the start."""

    async def one(columns: Mapping[str, Array], wait: int, pool: ThreadPoolExecutor) -> Predictions:
        for _ in range(wait):
            await asyncio.sleep(0)
        return await predict(batcher, columns, len(columns["number"]), pool)

    async def run() -> list[Any]:
        with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
            asked = zip(tables, waits or [0] * len(tables), strict=True)
            return await asyncio.gather(*(one(*each, pool) for each in asked), return_exceptions=True)

    return asyncio.run(run())


requests = st.lists(
    st.tuples(st.lists(st.integers(0, 9) | st.just(POISON), min_size=1, max_size=4), st.booleans(), st.integers(0, 4)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(requests, st.sampled_from([(1e-5, 1e-7), (2e-3, 1e-7), (1e-5, 1e-3)]), st.booleans())
def test_any_interleaving_gives_each_what_it_gets_alone(asked, seconds, gather):
    with pytest.MonkeyPatch.context() as patched:
        clock = Clock()
        patched.setattr(batching, "time", clock)
        model = Model(clock, *seconds)
        tables = [table(numbers, as_matrix=as_matrix) for numbers, as_matrix, _ in asked]
        answers = answered(Batcher(model, gather=gather), tables, [wait for *_, wait in asked])
    for (numbers, _, _), columns, answer in zip(asked, tables, answers, strict=True):
        if POISON in numbers:
            assert isinstance(answer, ValueError)
            continue
        alone = Model(Clock(), 0, 0)(columns, len(numbers))
        assert np.array_equal(answer.labels, alone.labels)
        assert np.array_equal(answer.probabilities, alone.probabilities)
    assert gather or max(model.calls) <= max(len(numbers) for numbers, _, _ in asked)


def test_what_waits_is_answered_by_one_call_up_to_its_rows(clock: Clock) -> None:
    model = Model(clock, 1e-4, 0)
    batcher = Batcher(model, gather=True)
    long, short = table([1] * (MOST_ROWS - 1), as_matrix=True), table([2, 3], as_matrix=True)
    for columns in (long, short):
        answered(batcher, [columns])
    model.calls.clear()
    answered(batcher, [short] * 10)
    answered(batcher, [long, short, short])
    assert model.calls == [20, MOST_ROWS - 1, 4]


def test_one_by_one_where_a_call_for_all_takes_as_long_as_all_of_them(clock: Clock) -> None:
    model = Model(clock, 1e-6, 1e-3)
    batcher = Batcher(model, gather=True)
    tables = [table([number], as_matrix=False) for number in range(8)]
    for _ in range(6):  # each number of rows is tried once
        model.calls.clear()
        answered(batcher, tables)
    assert set(model.calls) == {1}


def test_short_calls_are_made_on_the_loop_and_long_ones_in_threads(clock: Clock) -> None:
    here = threading.current_thread().name
    quick, slow = Model(clock, 1e-5, 0), Model(clock, 0.1, 0)
    for model in (quick, slow):
        batcher = Batcher(model, gather=True)
        answered(batcher, [table([1], as_matrix=True)])
        model.threads.clear()
        answered(batcher, [table([1], as_matrix=True)] * 3)
    assert quick.threads == {here}
    assert all(name.startswith("pool") for name in slow.threads)


@pytest.mark.parametrize(("seconds", "on_loop"), [(0.8 * INTERPRETED, True), (1.2 * INTERPRETED, False)])
def test_a_model_that_is_mostly_python_holds_the_loop_up_for_longer(
    clock: Clock, seconds: float, on_loop: bool
) -> None:
    model = Model(clock, seconds, 0)
    batcher = Batcher(model, gather=False, quick=INTERPRETED)
    answered(batcher, [table([1], as_matrix=True)])
    model.threads.clear()
    answered(batcher, [table([1], as_matrix=True)])
    assert (model.threads == {threading.current_thread().name}) is on_loop


def test_no_more_calls_are_under_way_than_threads_for_them() -> None:
    free = threading.Event()
    under_way, most = 0, 0
    guard = threading.Lock()

    def ask(columns: Mapping[str, Array], rows: int) -> Predictions:
        nonlocal under_way, most
        with guard:
            under_way += 1
            most = max(most, under_way)
        free.wait(10)
        with guard:
            under_way -= 1
        return Predictions(columns["number"], None)

    async def run() -> list[Predictions]:
        batcher = Batcher(ask, gather=False)
        with ThreadPoolExecutor(8) as pool:
            asked = [asyncio.ensure_future(predict(batcher, table([1], as_matrix=True), 1, pool)) for _ in range(6)]
            while most < THREADS:
                await asyncio.sleep(0)
            free.set()
            return await asyncio.gather(*asked)

    assert len(asyncio.run(run())) == 6
    assert most == THREADS


def test_a_client_that_has_gone_takes_nobody_along(clock: Clock) -> None:
    model = Model(clock, 1e-5, 0)

    async def run() -> list[Any]:
        batcher = Batcher(model, gather=True)
        with ThreadPoolExecutor(1) as pool:
            asked = [
                asyncio.ensure_future(predict(batcher, table([number], as_matrix=True), 1, pool)) for number in range(3)
            ]
            await asyncio.sleep(0)
            asked[1].cancel()
            return await asyncio.gather(*asked, return_exceptions=True)

    first, gone, last = asyncio.run(run())
    assert (first.labels.tolist(), last.labels.tolist()) == ([0], [4])
    assert isinstance(gone, asyncio.CancelledError)


def test_what_calls_take_is_noted_in_threads_while_others_ask_for_it() -> None:
    paces, before = [Pace()], sys.getswitchinterval()

    def note() -> None:
        for _ in range(2000):
            for size in range(40):
                paces[0].note(1 << size, 0.1)
            paces[0] = Pace()

    sys.setswitchinterval(1e-7)
    thread = threading.Thread(target=note)
    try:
        thread.start()
        while thread.is_alive():
            paces[0].expected(3)
    finally:
        sys.setswitchinterval(before)
        thread.join()


def test_columns_of_other_types_are_not_put_together() -> None:
    whole, missing = {"a": np.array([1])}, {"a": np.array([np.nan])}
    assert joined([whole, missing]) is None
    together = joined([whole, whole])
    assert together is not None
    assert together["a"].tolist() == [1, 1]
    assert together["a"].dtype == whole["a"].dtype


def test_trees_answer_alike_and_linear_algebra_may_not(flights: Path) -> None:
    loaded = load_package(flights)
    assert answers_alike(loaded.predictor, decode_columns(loaded.contract.schema, loaded.contract.parity.inputs))

    class Adding:
        """Adds in another order where there are more rows, as some libraries do."""

        def predict(self, columns: Mapping[str, Array]) -> Predictions:
            numbers = columns["number"]
            chances = numbers if len(numbers) == 1 else np.nextafter(numbers, 1)
            return Predictions(np.zeros(len(numbers)), np.column_stack([chances, 1 - chances]))

    assert not answers_alike(Adding(), {"number": np.linspace(0, 1, 8)})
