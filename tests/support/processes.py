"""Processes of tests that a failing test does not wait for."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
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
