"""The head of a request: read once, and known again where a client sends the same on its connection."""

import re
from collections.abc import Sequence

from cellops.serving.headers import check_head, media_type_of

LENGTH = re.compile(rb"\r\ncontent-length: ?([0-9]{1,7})(?=\r\n)", re.IGNORECASE)
MOST_DIGITS = 7
END = b"\r\n\r\n"


class Head:
    """What stands before a body.

    Parameters
    ----------
    method, path
        What is asked for; the path as ASGI has it.
    pairs
        The headers in their order, names in lower case.
    query
        Bytes of what follows the path.
    """

    __slots__ = ("_is_checked", "_media_type", "headers", "is_owners", "method", "pairs", "path", "query")

    def __init__(self, method: str, path: str, pairs: Sequence[tuple[bytes, bytes]], query: int = 0) -> None:
        self.method, self.path, self.pairs, self.query = method, path, pairs, query
        self.headers = dict(pairs)
        self._is_checked = False
        self.is_owners = False
        """Whether it was admitted with the server's own token: so is each request that has it again."""
        self._media_type: tuple[str | None] | None = None

    def check(self) -> None:
        """Refuse it as `check_head` does."""
        if not self._is_checked:
            check_head(self.pairs, len(self.path) + self.query)
            self._is_checked = True

    @property
    def media_type(self) -> str | None:
        """As `media_type_of` gives it, or raises."""
        if self._media_type is None:
            self._media_type = (media_type_of(self.headers),)
        return self._media_type[0]


class KnownHead:
    """The bytes of a head that was read, of which nothing but the digits of its length may be others.

    The same bytes at the same place, where a request begins, are read in the same way: they need not be read again.

    Parameters
    ----------
    head
        What was read.
    before, after
        The bytes before the digits of its length, and those behind them up to its end.
    """

    __slots__ = ("_after", "_before", "_size", "head")

    def __init__(self, head: Head, before: bytes, after: bytes) -> None:
        self.head = head
        self._before, self._after = before, after
        self._size = len(before)

    @classmethod
    def of(cls, head: Head, content: bytes, size: int) -> "KnownHead | None":
        """That of a request in `content`, whose body is its last `size` bytes; None where its length is not plain."""
        first = content[: len(content) - size]
        found = list(LENGTH.finditer(first))
        if len(found) != 1 or found[0][1] != b"%d" % size or first.find(END) + len(END) != len(first):
            return None
        return cls(head, first[: found[0].start(1)], first[found[0].end(1) :])

    def body(self, content: bytes) -> bytes | None:
        """The body of a request that has this head and is whole; None where it is another, or is not whole."""
        if not content.startswith(self._before):
            return None
        end = content.find(b"\r", self._size, self._size + MOST_DIGITS + 1)
        digits = content[self._size : end]
        if end < 0 or not digits.isdigit() or not content.startswith(self._after, end):
            return None
        begin = end + len(self._after)
        return content[begin:] if len(content) - begin == int(digits) else None
