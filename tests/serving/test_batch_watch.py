"""A watched folder: each file that arrives is scored once, across restarts; bad ones are kept with the reason."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from cellops.data.batch.source import digest
from cellops.errors import NotFoundError, OutputError, UsageError
from cellops.records.batch import Scored, Watched, WatchedFile
from cellops.serving.batch import watch
from cellops.serving.batch.watch import Watch, is_closed
from support.batches import batch, package, table
from support.processes import started


def look(inbox: Path, output: Path, seen: list[WatchedFile] | None = None) -> Watched:
    """Score what is there in this process."""

    def scored(source: Path, place: Path, _on_progress: object) -> Scored:
        return batch(source, place, resume=True)

    watching = Watch(inbox, output, "digest", scored, ([] if seen is None else seen).append)
    return watching.run(every=0.01, once=True, on_progress=lambda _: None)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def outputs(folder: Path) -> list[str]:
    return sorted(path.name.split(".")[0] for path in folder.glob("*.csv"))


def test_each_content_is_scored_once_however_often_the_watch_is_begun(inbox: Path, tmp_path: Path) -> None:
    scored = tmp_path / "scored"
    table(10).to_csv(inbox / "a.csv", index=False)
    table(20).to_csv(inbox / "b.csv", index=False)
    assert look(inbox, scored) == Watched(files=2, rows=30, bad=0)
    assert look(inbox, scored) == Watched(files=0, rows=0, bad=0)
    os.utime(inbox / "a.csv")
    table(30).to_csv(inbox / "b.csv", index=False)
    assert look(inbox, scored) == Watched(files=1, rows=30, bad=0)
    assert outputs(scored) == ["a", "b", "b"]


def test_answers_that_were_written_before_the_ledger_was_are_not_written_again(inbox: Path, tmp_path: Path) -> None:
    scored, seen = tmp_path / "scored", list[WatchedFile]()
    table(10).to_csv(inbox / "a.csv", index=False)
    look(inbox, scored)
    ledger = scored / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:20])
    (answers,) = scored.glob("*.csv")
    before = answers.stat().st_ino
    assert look(inbox, scored, seen).bad == 0
    assert answers.stat().st_ino == before
    assert [one.trouble for one in seen] == [None]
    assert look(inbox, scored).files == 0


def test_what_a_batch_left_that_was_killed_behind_its_end_is_taken_away(inbox: Path, tmp_path: Path) -> None:
    scored = tmp_path / "scored"
    table(10).to_csv(inbox / "a.csv", index=False)
    look(inbox, scored)
    (scored / "ledger.jsonl").unlink()
    (answers,) = scored.glob("*.csv")
    rests = scored / f"{answers.name}.parts"
    rests.mkdir()
    for name in (".lock", "00000003.part"):
        (rests / name).touch()
    assert look(inbox, scored).bad == 0
    assert not rests.exists()


def test_a_bad_file_is_kept_with_the_reason_and_the_others_are_scored(inbox: Path, tmp_path: Path) -> None:
    scored = tmp_path / "scored"
    (inbox / "torn.parquet").write_bytes(b"PAR1 and no more")
    table(10).rename(columns={"hour": "hours"}).to_csv(inbox / "other.csv", index=False)
    table(10).to_csv(inbox / "good.csv", index=False)
    (inbox / ".hidden.csv").write_text("no")
    (inbox / "notes.txt").write_text("no")
    assert look(inbox, scored) == Watched(files=3, rows=10, bad=2)
    reasons = {path.name.split(".")[0]: path.read_text() for path in (scored / "bad").glob("*.reason.txt")}
    assert "torn.parquet cannot be read" in reasons["torn"]
    assert "other.csv has no column hour" in reasons["other"]
    assert outputs(scored) == ["good"]
    assert look(inbox, scored).files == 0


def test_a_file_that_is_being_written_waits(inbox: Path) -> None:
    path = inbox / "a.csv"
    with path.open("w") as file:
        file.write("trip,")
        file.flush()
        assert not is_closed(path) or sys.platform != "linux"
    assert is_closed(path)


OPENED_MEANWHILE = """
import fcntl, os, sys
from contextlib import suppress
from pathlib import Path
from cellops.serving.batch.watch import is_closed

path, control = sys.argv[1], fcntl.fcntl

def meanwhile(file, what, value):
    control(file, what, value)
    if (what, value) == (fcntl.F_SETLEASE, fcntl.F_RDLCK):
        with suppress(BlockingIOError):
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))

fcntl.fcntl = meanwhile
is_closed(Path(path))
print("alive")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="leases are of Linux")
def test_a_file_that_is_opened_while_it_is_looked_at_does_not_end_the_watch(inbox: Path) -> None:
    (inbox / "a.csv").touch()
    done = subprocess.run([sys.executable, "-c", OPENED_MEANWHILE, inbox / "a.csv"], capture_output=True, check=True)
    assert done.stdout == b"alive\n"


def test_a_file_that_goes_while_it_is_looked_at_is_forgotten(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        table(10).to_csv(inbox / f"{name}.csv", index=False)
    entries = list(os.scandir(inbox))
    (inbox / "a.csv").unlink()
    monkeypatch.setattr(Watch, "_entries", lambda _: entries)
    assert look(inbox, tmp_path / "scored") == Watched(files=1, rows=10, bad=0)


def test_a_file_that_cannot_be_opened_is_told_and_looked_at_again_later(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(10).to_csv(inbox / "a.csv", index=False)
    table(10).to_csv(inbox / "b.csv", index=False)
    seen = list[WatchedFile]()

    def closed(path: Path) -> str:
        if path.name == "a.csv":
            raise PermissionError(13, "Permission denied")
        return digest(path)

    monkeypatch.setattr(watch, "digest", closed)
    assert look(inbox, tmp_path / "scored", seen) == Watched(files=2, rows=10, bad=1)
    assert seen[0].trouble == "It cannot be read: Permission denied"
    monkeypatch.undo()
    assert look(inbox, tmp_path / "scored") == Watched(files=1, rows=10, bad=0)


@pytest.mark.parametrize(
    ("name", "rows", "said"),
    [
        (b"\xff.csv", 10, None),
        (b"a::b.csv", 0, "stands for a table of DuckDB"),
        (b"x" * 245 + b".csv", 0, "longer than 200 bytes"),
    ],
)
def test_a_strange_name_ends_no_watch(name: bytes, rows: int, said: str | None, inbox: Path, tmp_path: Path) -> None:
    seen = list[WatchedFile]()
    table(10).to_csv(inbox / "a.csv", index=False)
    os.rename(inbox / "a.csv", os.fsencode(inbox) + b"/" + name)  # noqa: PTH104 - a path of pathlib holds no bytes
    assert look(inbox, tmp_path / "scored", seen).rows == rows
    (one,) = seen
    assert one.trouble is None if said is None else said in (one.trouble or "")
    assert look(inbox, tmp_path / "scored").files == 0


def test_folders_that_cannot_be_watched_are_refused(inbox: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no folder"):
        look(tmp_path / "nowhere", tmp_path / "scored")
    with pytest.raises(UsageError, match="Files cannot arrive in the folder of the answers"):
        look(inbox, inbox)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        look(inbox, tmp_path / "file" / "scored")


def test_files_that_arrive_are_scored_by_the_command_exactly_once_though_it_is_killed(
    inbox: Path, project: Path, tmp_path: Path
) -> None:
    model, scored = package(tmp_path), project / "scored"
    words = ["score", str(model), str(inbox), str(scored), "--watch", "--every", "0.05", "--chunk-rows", "100"]
    run = partial(started, [sys.executable, "-m", "cellops", *words], cwd=project, stdout=subprocess.PIPE, text=True)
    with run() as process:
        for number in range(3):
            part = tmp_path / f"{number}.part"
            table(1000 + number).to_csv(part, index=False)
            part.rename(inbox / f"{number}.csv")
        while len(outputs(scored)) < 2:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    with run() as process:
        table(50).to_csv(inbox / "3.csv", index=False)
        assert process.stdout is not None
        while "3.csv: 50 rows" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 130
    ledger = [WatchedFile.from_json(line) for line in (scored / "ledger.jsonl").read_bytes().splitlines()]
    assert sorted(one.name for one in ledger) == ["0.csv", "1.csv", "2.csv", "3.csv"]
    assert outputs(scored) == ["0", "1", "2", "3"]
    assert not list(scored.glob("*.parts"))
    rows = pd.concat([pd.read_csv(path) for path in scored.glob("*.csv")])
    assert len(rows) == 1000 + 1001 + 1002 + 50
