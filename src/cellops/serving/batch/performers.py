"""Who scores the chunks of a batch on this machine: this process, or several beside it."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any

from cellops.capture.environment.machine import usable_cores
from cellops.data.batch.chunk import Chunk
from cellops.errors import InputError
from cellops.serving.batch.part import PackedPart
from cellops.serving.batch.scorer import Scorer

Made = Callable[[], Scorer]
"""Makes a scorer: in another process, what this holds is sent there."""
UNDER_WAY = 3
"""Chunks in memory: one with each step."""
AHEAD = 1
"""Chunks that wait for each process while it scores one."""
SILENCE = 3.0
"""Seconds without any part after which it is asked whether anybody is still there."""


def alone(scorer: Scorer, chunks: Iterator[Chunk]) -> Iterator[PackedPart]:
    """Score chunks in this process.

    While the model answers one, the next is read and held against the contract, and the last is written down: these
    leave the interpreter to the model for most of their time. Each step has a thread, so that chunks keep their order.
    """
    reader, model, writer = (ThreadPoolExecutor(1, f"cellops-score-{step}") for step in ("reader", "model", "writer"))
    under_way: deque[Future[PackedPart | None]] = deque()

    def begin() -> None:
        asked = reader.submit(lambda: None if (chunk := next(chunks, None)) is None else scorer.asked(chunk))
        answered = model.submit(lambda: None if (one := asked.result()) is None else scorer.answered(one))
        under_way.append(
            writer.submit(lambda: None if (one := answered.result()) is None else PackedPart.of(scorer.part(one)))
        )

    try:
        for _ in range(UNDER_WAY):
            begin()
        while (part := under_way.popleft().result()) is not None:
            begin()
            yield part
    finally:
        for pool in (reader, model, writer):
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in (reader, model, writer):
            pool.shutdown()


def beside(made: Made, jobs: int, chunks: Iterator[Chunk]) -> Iterator[PackedPart]:
    """Score chunks in several processes, which end with this one.

    Raises
    ------
    InputError
        When a process dies.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(made, max(1, usable_cores() // jobs)))
    try:
        yield from in_order_of_ending(lambda chunk: pool.submit(_score, chunk.packed()), jobs * (1 + AHEAD), chunks)
    except BrokenProcessPool as error:
        fact = "A process that scores rows has died, perhaps for want of memory"
        raise InputError(fact, remedy="Go on with --resume and fewer --jobs") from error
    finally:
        _end(pool)


def _nothing() -> None:
    pass


def in_order_of_ending(
    submit: Callable[[Chunk], Future[bytes]],
    most: int,
    chunks: Iterator[Chunk],
    on_silence: Callable[[], None] = _nothing,
) -> Iterator[PackedPart]:
    """The parts of chunks as they come; of several errors that of the first chunk is raised.

    Parameters
    ----------
    submit
        Has a chunk scored elsewhere.
    most
        Chunks that are under way at once.
    chunks
        All of them.
    on_silence
        Called where nothing has come for some seconds; what it raises ends the work.
    """
    under_way: dict[Future[bytes], int] = {}
    errors: dict[int, BaseException] = {}
    coming: Chunk | None = None
    is_read = False
    while under_way or not is_read:
        while not is_read and not errors and len(under_way) < most:
            try:
                coming = next(chunks, None)
            except Exception as error:  # noqa: BLE001 - raised below, once what is under way has come
                errors[max([*under_way.values(), 0]) + 1] = error
                coming = None
            is_read = coming is None
            if coming is not None:
                under_way[submit(coming)] = coming.number
        is_read = is_read or bool(errors)
        done, _ = wait(under_way, timeout=SILENCE, return_when=FIRST_COMPLETED)
        if under_way and not done:
            on_silence()
        for future in sorted(done, key=under_way.__getitem__):
            number = under_way.pop(future)
            failed = future.exception()
            if failed is not None:
                errors[number] = failed
            elif (part := PackedPart.from_bytes(future.result())) is not None:
                yield part
    if errors:
        raise errors[min(errors)]


_HELD: list[Scorer] = []
"""The scorer of a process that was started to score: a pool has no other place for it."""


def _begin(made: Made, threads: int) -> None:
    """Make the scorer of this process, which ends with the one that started it, and leaves Ctrl-C to that."""
    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _HELD[:] = [made()]
    threadpool_limits(threads)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _score(packed: tuple[Any, ...]) -> bytes:
    return _HELD[0].score(Chunk.unpacked(packed)).to_bytes()


def _end(pool: ProcessPoolExecutor) -> None:
    """Let nothing go on that nobody waits for."""
    processes = list((getattr(pool, "_processes", None) or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        with suppress(OSError, ValueError):
            process.terminate()
