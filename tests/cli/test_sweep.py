"""The verb `sweep` in a terminal and on a line of a notebook."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.kernel import Kernel
from support.notebooks import LOAD, write
from support.processes import started

CELLS = (LOAD, "%%mlops parameters\nx: int = 1\nkind: str = 'a'", "%%mlops run\nloss = (x - 2) ** 2 + len(kind)")
WAITING = (
    "%%mlops run\nimport pathlib, time\nloss = x\nwhile x > 1:\n    pathlib.Path('begun').touch()\n    time.sleep(0.01)"
)


@pytest.fixture(autouse=True)
def _carried_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_WRITER", "false")


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "cellops", "sweep", *map(str, words)]


def typed(project: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(*words), cwd=project, capture_output=True, text=True, check=False, timeout=120)


def test_a_sweep_in_a_terminal(project: Path) -> None:
    path = write(project / "n.ipynb", *CELLS)
    done = typed(project, path, "-p", "x=1..3", "-p", "kind", "a b,c", "--metric", "loss", "--jobs", 2, "-o", "s.svg")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["x in 1..3", "kind in a b,c"]
    assert "Minimizing loss; --maximize for the other way." in lines
    assert "6 trials, chosen by grid, to minimize loss" in lines
    assert sum(line.startswith("✓ trial ") for line in lines) == 6
    table = next(number for number, line in enumerate(lines) if line.startswith("trial "))
    assert lines[table].split() == ["trial", "loss", "x", "kind", "took", "state"]
    assert lines[table + 1].split()[:4] == ["3", "1", "2", "c"]
    assert "  cellops execute n.ipynb -p x 2 -p kind c" in lines
    assert (project / "s.svg").read_text().startswith("<svg")
    again = typed(project, path, "--resume")
    assert again.returncode == 0
    assert "All trials were done before: this is what they came to" in again.stdout
    assert "  cellops execute n.ipynb -p x 2 -p kind c" in again.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "x", "3..1", "-p", "knid", "a,b"], ["x: it is empty", "did you mean kind?"]),
        (["-p", "x", "1..3", "--sampler", "gird"], ["Did you mean grid?"]),
        (["-p", "x", "1..3", "-p", "x", "1..4"], ["-p x is given twice"]),
    ],
)
def test_what_is_refused_is_exit_code_2(project: Path, words: list[str], said: list[str]) -> None:
    done = typed(project, write(project / "n.ipynb", *CELLS), "--metric", "loss", *words)
    assert done.returncode == 2
    assert all(part in done.stderr for part in said)
    assert not list((project / ".cellops").glob("sweeps/*"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_it_with_what_there_is(project: Path, number: signal.Signals, code: int) -> None:
    path = write(project / "n.ipynb", *CELLS[:2], WAITING)
    with started(command(path, "-p", "x", "1,2", "--metric", "loss"), cwd=project, stdout=-1, stderr=-1) as process:
        while not (project / "begun").exists():
            assert process.poll() is None
        process.send_signal(number)
        output, errors = process.communicate()
    assert process.returncode == code
    assert "1 of 2 trials are done; go on with: cellops sweep n.ipynb --resume" in errors.decode()
    assert "■ stopped" in output.decode()


def test_a_sweep_on_a_line_of_a_notebook(loaded: Kernel, project: Path) -> None:
    write(project / "n.ipynb", *CELLS)
    done = loaded.run("%mlops sweep n.ipynb -p x 1,2 --metric loss")
    assert done.status == "ok", done
    assert "Best: trial 1 with loss 1" in done.streams
    (shown,) = done.displays
    assert "<svg" in shown["text/html"]
    assert "Best: trial 1 with loss 1" in shown["text/plain"]
    done = loaded.run(
        "import cellops\nfound = cellops.sweep('n.ipynb', {'x': [1, 2]}, metric='loss')\n"
        "print(found.best.values)\nfound"
    )
    assert "{'x': 2}" in str(done)
    assert ": 2 completed\nBest: trial 1 with loss 1" in done.results[-1]
