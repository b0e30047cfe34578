"""What is waited for has the same time each, and one timer for all of it."""

import asyncio

from cellops.serving.awaited import Awaited, told_at_once
from cellops.serving.deadlines import Deadlines

SHORT, LONG = 0.05, 60.0


class Told(list[object]):
    """What was heard, and when there is so much of it."""

    def __init__(self, enough: int) -> None:
        super().__init__()
        self._enough = enough
        self.has_enough = asyncio.Event()

    def hear(self, told: object) -> None:
        self.append(told)
        if len(self) >= self._enough:
            self.has_enough.set()


def late() -> TimeoutError:
    return TimeoutError("late")


def test_what_is_told_in_time_is_given_and_what_is_not_is_late() -> None:
    async def ask() -> list[str]:
        deadlines, told = Deadlines(SHORT, late), Told(3)
        waited_for = [Awaited(told.hear) for _ in range(3)]
        for each in waited_for:
            deadlines.watch(each)
        deadlines.forget(waited_for[1])
        waited_for[1].tell(2)
        await asyncio.wait_for(told.has_enough.wait(), LONG)
        # The timer of the first has gone by now: later ones need another.
        again = Told(1)
        deadlines.watch(Awaited(again.hear))
        await asyncio.wait_for(again.has_enough.wait(), LONG)
        return [str(each) for each in (*told, *again)]

    assert asyncio.run(ask()) == ["2", "late", "late", "late"]


def test_in_another_event_loop_there_is_a_timer_too() -> None:
    deadlines = Deadlines(SHORT, late)

    async def ask() -> int:
        told = Told(1)
        deadlines.watch(Awaited(told.hear))
        await asyncio.wait_for(told.has_enough.wait(), LONG)
        return len(told)

    assert [asyncio.run(ask()) for _ in range(2)] == [1, 1]


def test_nothing_is_told_twice_and_work_that_is_given_up_is_stopped_once_it_was_told() -> None:
    said: list[object] = []
    awaited = Awaited(said.append)
    awaited.stop = lambda: said.append("stopped")
    awaited.give_up(late())
    awaited.tell("an answer")
    awaited.give_up(late())
    assert [str(each) for each in said] == ["late", "stopped"]
    assert awaited.is_over
    assert told_at_once(said.append, "at once").is_over
    assert said[-1] == "at once"
