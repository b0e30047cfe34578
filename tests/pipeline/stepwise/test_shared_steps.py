"""Two machines that share what is kept of steps: the second executes nothing that the first has executed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cellops.pipeline.cache.shared import SharedSteps
from cellops.pipeline.stepwise.options import Reuse
from support.ftp import PASSWORD, ftp_server
from support.stepwise import Project

KEY = "a long key for these tests only"
CELLS = (
    "import os",
    "%%mlops step read\nrows = [line.split(',') for line in open('data.csv')]",
    "%%mlops step tell\nprint(len(rows), os.environ.get('CELLOPS_STEP_STORE_KEY'))",
    "%%mlops step place\nhere = os.getcwd()",
)


def machine(folder: Path, *cells: str) -> Project:
    (folder / ".cellops").mkdir(parents=True)
    (folder / "data.csv").write_text("1,2\n3,4\n")
    made = Project(folder)
    made.write(*cells)
    return made


def test_the_second_machine_executes_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "served").mkdir()
    monkeypatch.setenv("CELLOPS_STEP_STORE_KEY", KEY)
    with ftp_server(tmp_path / "served") as address:
        first, second = machine(tmp_path / "first", *CELLS), machine(tmp_path / "second", *CELLS)
        first.execute(shared=SharedSteps(address, KEY))
        assert first.printed() == "2 None\n"
        second.execute(shared=SharedSteps(address, KEY), jobs=2)
        assert sorted(second.reused) == ["read", "tell"]
        assert second.executed == ["place"]
        assert second.printed() == "2 None\n"
        (second.folder / "data.csv").write_text("1,2\n")
        assert second.explain(shared=SharedSteps(address, KEY))["read"] == ("data.csv has changed",)
        stored = [path for path in (tmp_path / "served").rglob("*") if path.is_file()]
        assert not any(PASSWORD.encode() in path.read_bytes() or KEY.encode() in path.read_bytes() for path in stored)

        damaged = [path for path in stored if path.suffix == ".pickle"]
        for path in damaged:
            path.write_bytes(bytes(reversed(path.read_bytes())))
        third = machine(tmp_path / "third", *CELLS[:3])
        third.execute(shared=SharedSteps(address, KEY))
        assert damaged
        assert third.executed == ["read"]
        assert "is not what was written" in third.reasons["read"]


def test_what_is_resumed_was_finished_here_and_its_files_may_be_there(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    with ftp_server(tmp_path / "served") as address:
        first, second = (machine(tmp_path / name, *CELLS) for name in ("first", "second"))
        first.execute(shared=SharedSteps(address, KEY))
        for path in (first.folder / ".cellops" / "steps" / "values").rglob("*.pickle"):
            path.unlink()
        for project, reused in ((first, ["place", "read", "tell"]), (second, [])):
            project.execute(Reuse.LAST, shared=SharedSteps(address, KEY))
            assert sorted(project.reused) == reused
            (said,) = (text for text in project.stages if "on this machine" in text)
            assert "its files where they are gone from ftp://" in said
            assert PASSWORD not in said


def test_a_store_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    with ftp_server(tmp_path / "served") as address:
        shared = SharedSteps(address, KEY)
    project = machine(tmp_path / "project", "%%mlops step one\nprint('one')")
    project.execute(Reuse.ANYTHING, shared=shared)
    assert project.printed() == "one\n"
    assert "other machines will not find it: ftp://127.0.0.1" in project.reasons["one"]
    assert PASSWORD not in project.reasons["one"]


def test_a_store_without_a_key_is_refused_before_a_kernel_starts(tmp_path: Path) -> None:
    project = machine(tmp_path / "project", "%%mlops step one\nprint('one')")
    command = [
        sys.executable,
        "-m",
        "cellops",
        "execute",
        str(project.path),
        "--store",
        "ftp://me:secret-word@host/steps",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "CELLOPS_STEP_STORE_KEY"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 1
    assert "CELLOPS_STEP_STORE_KEY" in done.stderr
    assert "secret-word" not in done.stderr + done.stdout
