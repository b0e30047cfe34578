"""Tasks that wait have the same time each, and one timer for all of them."""

import asyncio

import pytest

from cellops.serving.deadlines import Deadlines, LateError

SHORT, LONG = 0.05, 60.0


async def never() -> None:
    await asyncio.get_running_loop().create_future()


async def soon(value: int) -> int:
    await asyncio.sleep(0)
    return value


def test_what_comes_in_time_is_given_and_what_does_not_is_late() -> None:
    async def ask() -> list[object]:
        deadlines = Deadlines(SHORT)
        asked = [
            deadlines.within(soon(1)),
            deadlines.within(never()),
            deadlines.within(soon(2)),
            deadlines.within(never()),
        ]
        given = await asyncio.gather(*asked, return_exceptions=True)
        # The timer of the first has gone by now: later ones need another.
        return [*given, *await asyncio.gather(deadlines.within(never()), return_exceptions=True)]

    one, late, two, later, last = asyncio.run(ask())
    assert (one, two) == (1, 2)
    assert all(isinstance(each, LateError) for each in (late, later, last))


def test_in_another_event_loop_there_is_a_timer_too() -> None:
    deadlines = Deadlines(SHORT)
    for _ in range(2):
        assert asyncio.run(deadlines.within(soon(1))) == 1
    with pytest.raises(LateError):
        asyncio.run(deadlines.within(never()))


def test_a_task_that_is_ended_by_others_is_not_late() -> None:
    async def ask() -> None:
        deadlines = Deadlines(LONG)
        task = asyncio.create_task(deadlines.within(never()))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(ask())


def test_a_task_goes_on_after_it_was_late() -> None:
    async def ask() -> int:
        deadlines = Deadlines(SHORT)
        with pytest.raises(LateError):
            await deadlines.within(never())
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()
        return await deadlines.within(soon(3))

    assert asyncio.run(ask()) == 3
