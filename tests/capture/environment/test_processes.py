"""Processes that are started for a while: none is left behind, whatever ends the one that has started it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cellops.capture.environment.processes import started

# Both say it in one piece, and so not in the midst of each other.
STARTED = "import os, subprocess, time; subprocess.Popen(['sleep', '600']); os.write(1, b'ready\\n'); time.sleep(600)"
STARTING = f"""
import os, sys
from pathlib import Path
from cellops.capture.environment.processes import started
with started([sys.executable, "-c", {STARTED!r}], cwd=Path(), env=dict(os.environ)):
    os.write(1, b'known\\n')
    sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows ends no other process then")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_and_what_it_has_started_end_with_one_that_is_killed(number: int) -> None:
    """All of them hold the pipe, so that its end is theirs."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", STARTING], text=True, **pipes) as starter:
        assert starter.stdout is not None
        assert {starter.stdout.readline() for _ in range(2)} == {"ready\n", "known\n"}
        starter.send_signal(number)
        assert starter.stdout.read() == ""
    assert starter.returncode == -number


def test_a_process_that_has_ended_by_itself_is_left_alone(tmp_path: Path) -> None:
    with started([sys.executable, "-c", "print('done')"], cwd=tmp_path, env={}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read() == "done\n"
    assert process.returncode == 0
