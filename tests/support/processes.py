"""Processes of tests that a failing test does not wait for."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def started(command: list[Any], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """A process that the test waits for, and that is killed where the test fails or takes too long."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def children(process: int) -> set[int]:
    """Those that a process has started."""
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def is_there(process: int) -> bool:
    """Whether it has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
