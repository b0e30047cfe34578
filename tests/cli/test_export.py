"""`cellops export` and `cellops promote` at the terminal: what they show, and their exit codes."""

import os
import subprocess
import sys
from pathlib import Path

from cellops.pipeline.export.schedule import WRITTEN_AS
from support.exported import git
from support.notebooks import LOAD, PARAMETERS, write


def cellops(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cellops", *words]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)


def test_it_shows_what_was_written_what_it_executes_and_what_it_leaves_out(project: Path) -> None:
    git(project, "init", "-q")
    write(project / "train.ipynb", LOAD, PARAMETERS, "%%mlops run\nauc = rows / 500")
    done = cellops("export", "gitlab", "train.ipynb", "-p", "rows=7", "--schedule", "0 6 * * 1", "--gate", "auc > 0.5")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].endswith(".gitlab/cellops-train.yml  train.ipynb for gitlab")
    assert lines[1].strip() == ".gitlab/cellops-train.lock.txt"
    assert lines[3].startswith("  cellops execute train.ipynb -p rows 7 --gate 'auc > 0.5' -o cellops-results/train/")
    assert "GitLab keeps schedules outside of files: enter 0 6 * * 1 under Build, Pipeline schedules" in lines
    assert "train.ipynb has no steps: it is one task, and executed in whole each time" in lines


def test_what_is_wrong_is_told_before_anything_is_written(project: Path) -> None:
    git(project, "init", "-q")
    write(project / "train.ipynb", LOAD, PARAMETERS, "%%mlops run\nauc = rows / 500")
    done = cellops("export", "github", "train.ipynb", "-p", "rws", "7", "--schedule", "daily")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "cellops: There are 2 errors:",
        f"- A schedule has five fields, and 'daily' has 1. {WRITTEN_AS}",
        "- rws: there is no such parameter (did you mean rows?). The notebook declares rows: int, seed: int",
        "Nothing has been executed: correct them and start again",
    ]
    assert not (project / ".github").exists()
    done = cellops("export", "gihub", "train.ipynb")
    assert (done.returncode, "'gihub' is not one of 'github', 'gitlab', 'kfp'" in done.stderr) == (2, True)
    done = cellops("export")
    assert done.stderr == (
        "cellops: Missing argument '{github|gitlab|kfp|airflow|dvc|cron}'. Choose from: github, gitlab, kfp, airflow, "
        "dvc, cron. See: cellops export --help\n"
    )
    done = cellops("promote", "nothing")
    assert (done.returncode, "There is no run nothing" in done.stderr) == (1, True)
    assert "rows: int = 400" in cellops("export", "github", "train.ipynb", "--help").stdout
