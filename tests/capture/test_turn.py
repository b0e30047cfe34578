"""Turns: one after the other, in whatever process, and nothing of it stays."""

import subprocess
import sys
from pathlib import Path

import pytest

from cellops.capture.turn import turn
from support.processes import started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")
OTHER = """
import sys
from pathlib import Path
from cellops.capture.turn import turn
print("asks", flush=True)
with turn(Path(sys.argv[1])):
    print("has it" if Path(sys.argv[1], "done").exists() else "too early", flush=True)
    sys.stdin.read()
"""


def test_another_process_waits_and_gives_its_turn_back_when_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OTHER, tmp_path]
    with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        with turn(tmp_path):
            assert other.stdout.readline() == "asks\n"
            (tmp_path / "done").touch()
        assert other.stdout.readline() == "has it\n"
        other.kill()
        with turn(tmp_path):
            assert [path.name for path in tmp_path.iterdir()] == ["done"]


def test_where_nothing_can_be_locked_nobody_waits(tmp_path: Path) -> None:
    with turn(tmp_path / "none"):
        assert not (tmp_path / "none").exists()
