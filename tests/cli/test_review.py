"""A person at a terminal labels what waits."""

import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from support.logs import until
from support.processes import started
from support.reviews import labels_in, write_log
from support.served import build

PROMPT = b"[q]uit"


@pytest.fixture(scope="module")
def cancer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("cancer", tmp_path_factory.mktemp("package"))


def typed(command: list[str], keys: list[bytes], folder: Path) -> tuple[int, str]:
    """Press a key at each prompt; exit code and all that the terminal was sent."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    with started(command, stdin=follower, stdout=follower, stderr=follower, env=environment, cwd=folder) as process:
        os.close(follower)
        sent, pressed = b"", 0
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            sent += part
            if pressed < len(keys) and sent.count(PROMPT) > pressed:
                # What is pressed before a key is waited for is thrown away: nobody labels a row unseen.
                until(lambda: not termios.tcgetattr(leader)[3] & termios.ICANON)
                os.write(leader, keys[pressed])
                pressed += 1
        code = process.wait()
    os.close(leader)
    return code, sent.decode()


def command(package: Path, log: Path) -> list[str]:
    words = ["review", str(package), "--log", str(log), "--reviewer", "Ada", "--sample", "0"]
    return [sys.executable, "-m", "cellops", *words]


def test_a_person_goes_through_the_queue_by_keys(cancer: Path, tmp_path: Path) -> None:
    log = write_log(cancer, tmp_path / "log", (0.52, 0.55, 0.57, 0.99))
    code, sent = typed(command(cancer, log), [b"1", b"u", b"2", b"x", b"s", b"1"], tmp_path)
    assert code == 0, sent
    assert labels_in(log) == [("p:0", "malignant", "Ada"), ("p:2", "benign", "Ada")]
    for said in ("mean radius", "confidence 0.52, below 0.6", "Taken back", "There is no such key", "1 skipped"):
        assert said in sent
    assert "2 labels by Ada" in sent


def test_an_interrupt_keeps_what_was_labelled(cancer: Path, tmp_path: Path) -> None:
    log = write_log(cancer, tmp_path / "log", (0.52, 0.55))
    code, sent = typed(command(cancer, log), [b"1", b"\x03"], tmp_path)
    assert code == 130, sent
    assert labels_in(log) == [("p:0", "benign", "Ada")]


def test_without_a_terminal_there_are_files(cancer: Path, tmp_path: Path) -> None:
    log = write_log(cancer, tmp_path / "log", (0.52,))
    done = subprocess.run(command(cancer, log), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Use --list, or --export" in done.stderr


def test_a_list_that_is_not_all_says_how_many_more_there_are(cancer: Path, tmp_path: Path) -> None:
    log = write_log(cancer, tmp_path / "log", (0.52, 0.55, 0.57))
    for limit, more in (("2", ["and 1 more: --limit says how many are listed"]), ("3", [])):
        words = [*command(cancer, log), "--list", "--limit", limit]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert [line for line in done.stdout.splitlines() if " more: " in line] == more
