"""At a terminal the cell that is executed stands below those that have ended; what stays is what a file gets."""

import os
import pty
import re
import subprocess
import sys

SHOWN = """
from cellops import screens
from cellops.records.execution import CellProgress, CellState

def cell(index, state):
    return CellProgress(index=index, total=2, title=f"title {index} [b]", seconds=0.5, state=state)

with screens.watching() as (progress, stage):
    stage("Starting the kernel")
    for index in (0, 1):
        progress(cell(index, CellState.RUNNING))
        progress(cell(index, CellState.DONE if index == 0 else CellState.FAILED))
print("last")
"""
STAYS = [
    "Starting the kernel …",
    "✓ cell  1 of 2     0.5 s  title 0 [b]",
    "✗ cell  2 of 2     0.5 s  title 1 [b]",
    "last",
]
COMMAND = [sys.executable, "-c", SHOWN]


def at_a_terminal() -> str:
    """What a terminal is sent."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    with subprocess.Popen(COMMAND, stdout=follower, stderr=follower, stdin=follower, env=environment) as process:
        os.close(follower)
        sent = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            sent += part
        assert process.wait() == 0
    os.close(leader)
    return sent.decode()


def test_a_pipe_gets_plain_lines() -> None:
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == STAYS


def test_a_terminal_shows_what_goes_on_and_keeps_what_a_pipe_gets() -> None:
    sent = at_a_terminal()
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent).replace("\r", "\n").split("\n")
    assert [line for line in STAYS if line in lines] == STAYS
    assert any(re.search(r"cell  2 of 2\s+title 1 \[b\] 0:00:0", line) for line in lines)
    assert sent.count("\x1b[?25l") == sent.count("\x1b[?25h") > 0, "the cursor is shown again"
