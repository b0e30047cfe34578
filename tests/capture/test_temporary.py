"""Temporary folders: gone with their process, whatever ends it."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from cellops.capture.temporary import NEW, OWNER, PREFIX, temporary_folder

LEFT = (
    "import os, signal, cellops.capture.temporary as t\n"
    "with t.temporary_folder() as folder:\n"
    "    (folder / 'held').write_text('x')\n"
    "    print(folder, flush=True)\n"
    "    os.kill(os.getpid(), signal.SIGKILL)"
)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made, here and in other processes."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def aged(folder: Path) -> Path:
    os.utime(folder, (time.time() - 2 * NEW,) * 2)
    return folder


def test_what_a_killed_process_left_is_taken_away_by_the_next(place: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LEFT], stdout=subprocess.PIPE, text=True, check=False)
    left = aged(Path(done.stdout.strip()))
    assert (left / "held").exists()
    with temporary_folder() as mine:
        assert list(place.iterdir()) == [mine]
    assert not list(place.iterdir())


def test_folders_of_others_stay(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / OWNER).touch()
    (place / f"{PREFIX}not-ours").mkdir()
    (place / f"{PREFIX}link").symlink_to(place / "elsewhere")
    new = place / f"{PREFIX}whose-lease-has-yet-to-be-taken"
    new.mkdir()
    (new / OWNER).touch()
    for folder in (place / "elsewhere", place / f"{PREFIX}not-ours"):
        aged(folder)
    with temporary_folder() as one:
        aged(one)
        with temporary_folder() as other:
            held = {one, other, new, *(place / name for name in ("elsewhere", f"{PREFIX}not-ours", f"{PREFIX}link"))}
            assert set(place.iterdir()) == held
    assert (place / "elsewhere" / OWNER).exists()


def test_a_folder_in_a_place_of_its_own_is_hidden_and_taken_away_there_too(place: Path) -> None:
    left = place / f".{PREFIX}left"
    left.mkdir()
    (left / OWNER).touch()
    aged(left)
    with temporary_folder(place) as mine:
        assert list(place.iterdir()) == [mine]
        assert mine.name.startswith(".")
