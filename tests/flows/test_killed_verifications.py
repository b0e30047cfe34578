"""What a killed verification has changed is put back by whatever verb comes next; what was written since stays."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from cellops.capture.lease import is_held
from cellops.flows.recovery import recover
from cellops.pipeline.verify.leftovers import GRACE, LOCK
from cellops.records.aside import ALIVE, ASIDE, REPLAYING
from cellops.settings import load
from support.kernel import Kernel

WRITING = """%%mlops run --name slow
for name in ('out.txt', 'other.txt', 'made.txt'):
    with open(name, 'w') as file:
        file.write('of the replay')
import os, time
if os.environ.get('CELLOPS_RESTORING'):
    open('began', 'w').close()
    time.sleep(600)"""
TICK = threading.Event()


@pytest.fixture
def left(loaded: Kernel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which a verification was killed in the middle of a cell, as its replay left it."""
    monkeypatch.setenv("CELLOPS_WRITER", "false")
    folder = loaded.project
    loaded.run(WRITING)
    (folder / "made.txt").unlink()
    for name in ("out.txt", "other.txt"):
        (folder / name).write_text("mine")
    process = _started(folder, "verify", "slow")
    proofs = folder / ".cellops" / "proofs"
    while not (folder / "began").exists() or _time_of(proofs) < (folder / "began").stat().st_ctime:
        assert process.poll() is None, process.communicate()
        TICK.wait(0.05)
    process.kill()
    process.communicate()
    (alive,) = proofs.glob(f"*/{ASIDE}/{ALIVE}")
    while is_held(alive):
        TICK.wait(0.05)
    assert contents(folder) == dict.fromkeys(("out.txt", "other.txt", "made.txt"), "of the replay") | {"began": ""}
    return folder


def _started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "cellops", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _time_of(proofs: Path) -> float:
    return (proofs / REPLAYING).stat().st_mtime


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def edit(path: Path, proofs: Path) -> None:
    """Write to a file when nothing of the killed verification can write any more, with a tool that keeps its time."""
    path.write_text("newest")
    while path.stat().st_ctime <= _time_of(proofs) + GRACE:
        TICK.wait(0.05)
        path.write_text("newest")
    os.utime(path, (0, 0))


def test_the_next_verb_puts_files_back_and_says_so_in_one_line(left: Path) -> None:
    beside = [_started(left, "runs") for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in beside]
    assert [process.returncode for process in beside] == [0, 0]
    (line,) = "".join(said).splitlines()
    assert line.startswith("cellops: Put back as before a verification that was killed: ")
    assert " and 1 more; what stood there is kept in " in line
    assert contents(left) == {"out.txt": "mine", "other.txt": "mine"}
    assert not (left / ".cellops" / "proofs" / REPLAYING).exists()
    assert _started(left, "runs").communicate(timeout=120)[1] == ""


def test_what_was_written_since_stays_and_what_was_before_is_laid_beside(left: Path, loaded: Kernel) -> None:
    proofs = left / ".cellops" / "proofs"
    for name in ("out.txt", "made.txt"):
        edit(left / name, proofs)
    fresh = Kernel(left, {"CELLOPS_WRITER": "false"})
    try:
        done = fresh.run("%load_ext cellops")
        while (proofs / REPLAYING).exists():
            done.streams += fresh.run("pass").streams
    finally:
        fresh.stop()
    assert contents(left) == {
        "out.txt": "newest",
        "out.txt.before-verification": "mine",
        "made.txt": "newest",
        "other.txt": "mine",
    }
    assert "what stood there before is out.txt.before-verification beside it" in done.streams
    assert "made.txt has been written to since and stays as it is; before, nothing was there" in done.streams
    assert loaded.run("%mlops status").streams.count("Put back") == 0


def test_nothing_is_put_back_while_a_verification_goes_on(left: Path) -> None:
    told: list[str] = []
    with FileLock(left / ".cellops" / "proofs" / LOCK):
        recover(load(), told.append)
    assert (told, contents(left)["out.txt"]) == ([], "of the replay")
    recover(load(), told.append)
    assert (len(told), contents(left)["out.txt"]) == (1, "mine")
