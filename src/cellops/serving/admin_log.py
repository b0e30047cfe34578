"""What administrators have done: one line of JSON for each action, on the disk before the action is answered."""

import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from cellops.serving.errors import LoadError

FILE = "admin.jsonl"
PRIVATE = 0o600


class AdminLog:
    """An append-only file; it is opened anew for each line, so that it may be moved away at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()

    def check(self) -> None:
        """Refuse an action of which nothing could be written down.

        Raises
        ------
        LoadError
            When the file cannot be written.
        """
        self._append(b"")

    def write(self, action: Mapping[str, Any]) -> None:
        """Write down an action with the time, and wait until that is on the disk.

        Raises
        ------
        LoadError
            When the file cannot be written; the action was done all the same.
        """
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **action}
        self._append(orjson.dumps(line) + b"\n")

    def _append(self, line: bytes) -> None:
        try:
            with self._writing:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, PRIVATE)
                with open(descriptor, "rb+", buffering=0) as file:  # noqa: PTH123 - private from the start
                    if line:
                        # A line that a crash has cut short must not take this one with it.
                        file.write(line if _is_whole(file.fileno()) else b"\n" + line)
                        os.fsync(file.fileno())
        except OSError as error:
            fact = f"The log of admin actions {self.path} cannot be written: {error.strerror}"
            raise LoadError(fact, remedy="See that the disk has room and the server may write there") from error


def _is_whole(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return not size or os.pread(descriptor, 1, size - 1) == b"\n"
