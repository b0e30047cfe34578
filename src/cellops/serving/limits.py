"""How much a request may ask for: bytes, rows, columns, nesting and time."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, MutableMapping
from dataclasses import dataclass
from types import coroutine
from typing import Any, TypeAlias, TypeVar

from cellops.errors import DeadlineError, LimitError
from cellops.serving.errors import SlowError

Result = TypeVar("Result")
MOST_HEAD_BYTES = 65_536
MOST_COLUMNS = 10_000
MOST_TIMES = 20
"""How many times the largest body a table may be when it is unpacked."""
NUMBER_BYTES = 8
LONG = 131_072
"""Bytes from which a body is read by itself, if it has not come with its head."""
NESTING = 1000
"""Deepest nesting of JSON; the parser refuses more than 1024."""
LOOKED_AT = 1_000_000
"""Bytes of a body that cannot be parsed in which its nesting is counted."""
LONGEST_LENGTH = 20
"""Digits of a length in a header."""
TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""Strings and brackets. A string without an end takes all that follows: each quote in it would else be a new start."""

Content: TypeAlias = bytes | memoryview
"""A body; a long one may be memory into which it was read."""
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Rest: TypeAlias = Callable[[bytes, int, int], Awaitable[Content | None]]


@dataclass(frozen=True)
class Limits:
    max_bytes: int
    max_rows: int
    seconds: float = 30.0
    """Longest time in which a body must have come, and then its answer must be there."""
    wait_seconds: float = 1.0
    """Longest time that a request may be expected to wait for its model when it comes."""
    explained_rows: int = 10
    explain_evaluations: int = 102_400
    """Rows that the model may answer to explain one."""
    explain_seconds: float = 10.0

    def check_rows(self, rows: int) -> None:
        """Refuse too many rows before any of them is decoded."""
        if rows > self.max_rows:
            fact = f"The request has {rows} rows, and the server takes {self.max_rows}"
            raise LimitError(fact, remedy="Send fewer rows at a time, or raise CELLOPS_SERVER_MAX_ROWS")

    def check_cells(self, rows: int, inputs: int) -> None:
        """Refuse so many inputs of so many rows: few bytes suffice for rows that name none of them."""
        self.check_unpacked(rows * inputs * NUMBER_BYTES)

    def check_unpacked(self, size: int) -> None:
        """Refuse a table of so many bytes in memory."""
        if size > MOST_TIMES * self.max_bytes:
            fact = "The table is far larger when it is unpacked"
            raise LimitError(fact, remedy="Send fewer rows at a time, or raise CELLOPS_SERVER_MAX_BYTES")

    @staticmethod
    def check_columns(columns: int) -> None:
        """Refuse too many columns before any of them is decoded."""
        if columns > MOST_COLUMNS:
            fact = f"The table has {columns} columns, and the server takes {MOST_COLUMNS}"
            raise LimitError(fact, remedy="Send the inputs of the model only")

    @property
    def body_seconds(self) -> float:
        """Longest time in which a body must have come."""
        return self.seconds

    def too_late(self) -> DeadlineError:
        fact = f"The answer was not there within {self.seconds:g} s"
        return DeadlineError(fact, remedy="Send fewer rows at a time, or raise CELLOPS_SERVER_REQUEST_SECONDS")

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive, rest: Rest | None = None) -> Content | None:
        """The body of a request, or None when the client has gone.

        Parameters
        ----------
        rest
            Reads the whole of a long body of which a piece has come, given that, the bytes of the whole, and how many
            of these come before tensors.

        Raises
        ------
        LimitError
            As soon as the body is known to be too large: by its announced length, or by what has come of it.
        SlowError
            When it does not come in time.
        """
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self.max_bytes:
            raise self._too_large()
        try:
            reading = self._received(headers, receive, rest)
            try:
                waited_for = reading.send(None)
            except StopIteration as whole:
                # It had come with the head, as most do: a clock for it would take longer than the rest of this.
                content: Content | None = whole.value
                return content
            async with asyncio.timeout(self.body_seconds):
                return await resumed(reading, waited_for)
        except TimeoutError as error:
            fact = f"The body did not come within {self.body_seconds:g} s"
            remedy = "Send fewer rows at a time, or raise CELLOPS_SERVER_REQUEST_SECONDS"
            raise SlowError(fact, remedy=remedy) from error

    async def _received(self, headers: Mapping[bytes, bytes], receive: Receive, rest: Rest | None) -> Content | None:
        parts, size = list[bytes](), 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            if rest is not None and not parts and message.get("more_body", False):
                announced = _announced(headers)
                if announced >= LONG:
                    return await rest(part, announced, _before_tensors(headers))
            size += len(part)
            if size > self.max_bytes:
                raise self._too_large()
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def _too_large(self) -> LimitError:
        fact = f"The body is larger than {self.max_bytes} bytes"
        return LimitError(fact, remedy="Send fewer rows at a time, or raise CELLOPS_SERVER_MAX_BYTES")


def _announced(headers: Mapping[bytes, bytes]) -> int:
    """Bytes of a body, as its head says; 0 where it does not."""
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() and b"transfer-encoding" not in headers else 0


def _before_tensors(headers: Mapping[bytes, bytes]) -> int:
    """Bytes of a body that come before numbers which lie there as in memory, as far as that is known."""
    length = headers.get(b"inference-header-content-length", b"")
    return int(length) if length.isdigit() and len(length) <= LONGEST_LENGTH else 0


@dataclass(frozen=True)
class AdminLimits(Limits):
    """Those of administrators: their orders may take long, and are carried out whoever waits for them."""

    reading_seconds: float = 30.0
    """Longest time in which a body must have come; `seconds` is for what is done then."""

    @property
    def body_seconds(self) -> float:
        return self.reading_seconds

    def too_late(self) -> DeadlineError:
        fact = f"The order is not done after {self.seconds:g} s, and goes on"
        remedy = "The admin log says how it ends; wait longer with CELLOPS_SERVER_ADMIN_SECONDS"
        return DeadlineError(fact, remedy=remedy)


@coroutine
def resumed(begun: Coroutine[Any, Any, Result], waited_for: object) -> Generator[Any, Any, Result]:
    """The rest of a coroutine that has begun, and waits for something."""
    try:
        yield waited_for
        rest: Result = yield from begun
        return rest
    finally:
        begun.close()


def check_nesting(body: bytes) -> None:
    """Tell JSON that is too deep from JSON that is broken.

    Raises
    ------
    LimitError
        When it is nested too deeply.
    """
    depth = 0
    for token in TOKENS.finditer(body[:LOOKED_AT]):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token[0], 0)
        if depth > NESTING:
            fact = f"The body is nested more than {NESTING} levels deep"
            raise LimitError(fact, remedy="A table needs three levels")
