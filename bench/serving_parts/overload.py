"""More connections than a server lets wait: how long those take that it admits, and how soon the rest is refused."""

import asyncio
import time
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np

from serving_parts.load import Load, LoadError, Question

ADMITTED, REFUSED = 200, 503


class Answered(NamedTuple):
    admitted: Load
    refused: Load


def overload(question: Question, seconds: float, connections: int) -> Answered:
    """Each connection asks again when it has its answer, or after the time that a refusal names in Retry-After."""
    times: dict[int, list[float]] = {ADMITTED: [], REFUSED: []}
    asyncio.run(_ask(question, seconds, connections, times))
    return Answered(*(_load(times[status], seconds) for status in (ADMITTED, REFUSED)))


def _load(times: list[float], seconds: float) -> Load:
    median, tail = np.quantile(times, (0.5, 0.99)) * 1e3 if times else (float("nan"), float("nan"))
    return Load(len(times) / seconds, median, tail)


async def _ask(question: Question, seconds: float, connections: int, times: dict[int, list[float]]) -> None:
    begun = time.perf_counter()
    # The first second warms up, and lets all of them connect.
    counted, until = begun + 1, begun + 1 + seconds
    await asyncio.gather(*(_one(question, counted, until, times) for _ in range(connections)))


async def _one(question: Question, counted: float, until: float, times: dict[int, list[float]]) -> None:
    address = urlsplit(question.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = {"Host": address.netloc, "Content-Length": str(len(question.content)), **question.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    request = f"POST {address.path} HTTP/1.1\r\n{lines}\r\n".encode() + question.content
    try:
        while (sent := time.perf_counter()) < until:
            writer.write(request)
            status, wait = await _answer(reader)
            if sent >= counted:
                times[status].append(time.perf_counter() - sent)
            if wait:
                await asyncio.sleep(wait)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, float]:
    """The status of an answer, and the seconds for which its sender shall wait."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    await reader.readexactly(int(headers["content-length"]))
    status = int(head[0].split()[1])
    if status not in (ADMITTED, REFUSED):
        raise LoadError(head[0])
    return status, float(headers.get("retry-after", 0))
