"""What the user's estimator prints while its evidence is gathered is not output of the cell."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any


class _Muted:
    """A stream that passes on what other threads print."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        return len(text) if threading.get_ident() == self._thread else int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what this thread prints to itself."""
    with contextlib.redirect_stdout(_Muted(sys.stdout)), contextlib.redirect_stderr(_Muted(sys.stderr)):
        yield
