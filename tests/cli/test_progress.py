"""At a terminal the cell that is executed stands below those that have ended; what stays is what a file gets."""

import os
import pty
import re
import subprocess
import sys

import pytest
from rich.cells import cell_len

from support.processes import started

SHOWN = """
from cellops import screens
from cellops.records.execution import CellProgress, CellState

def cell(index, state):
    return CellProgress(index=index, total=2, title=f"title {index} [b]", seconds=0.5, state=state)

with screens.watching() as watch:
    watch.stage("Starting the kernel")
    for index in (0, 1):
        watch.cell(cell(index, CellState.RUNNING))
        watch.cell(cell(index, CellState.DONE if index == 0 else CellState.FAILED))
print("last")
"""
STAYS = [
    "Starting the kernel …",
    "✓ cell  1 of 2     0.5 s  title 0 [b]",
    "✗ cell  2 of 2     0.5 s  title 1 [b]",
    "last",
]
OF_STEPS = """
from cellops import screens
from cellops.records.execution import CellProgress, CellState
from cellops.records.step_progress import StepProgress, StepState

def cell(index, step, state):
    title = "日本語の幅広い題名 [b] and on and on"
    return CellProgress(index=index, total=12, title=title, seconds=0.5, state=state, step=step)

with screens.watching() as watch:
    for name in ("load", "[i]look"):
        watch.step(StepProgress(step=name, state=StepState.RUNNING))
    for state in (CellState.RUNNING, CellState.FAILED):
        watch.cell(cell(0, "load", state))
    watch.step(StepProgress(step="load", state=StepState.AGAIN, reasons=("it failed",)))
    for name in ("[i]look", "load"):
        watch.step(StepProgress(step=name, state=StepState.DONE, seconds=1.0))
    watch.stage("Carrying the runs")
"""
OF_A_SWEEP = """
from cellops import screens
from cellops.records.sweep import SweepBegun, SweepPlan, Trial, TrialState

nasty = "[/bold]日本語\\x1b[2Jname"
begun = SweepBegun(
    sweep="s", name="n", notebook="n.ipynb", project=".", started=0.0, cells=(), metric=nasty, maximize=True,
    space={nasty: nasty + ",b"}, fixed={"rows": "7"}, sampler="random", seed=1, experiment="e",
)

def trial(number, state, **more):
    return Trial(number=number, values={nasty: nasty}, state=state, seconds=1.5, **more)

with screens.sweeping() as watch:
    watch.plan(SweepPlan(begun=begun, planned=3, notes=("Something was decided.",)))
    for number in (0, 1):
        watch.trial(trial(number, TrialState.RUNNING))
    watch.trial(trial(1, TrialState.COMPLETED, value=0.25))
    watch.trial(trial(0, TrialState.FAILED, error="it " + nasty))
    watch.stage("Carrying the runs to MLflow")
print("last")
"""


def at_a_terminal(code: str, columns: int = 100, **variables: str) -> str:
    """What a terminal is sent."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "LINES": "40", **variables}
    command = [sys.executable, "-c", code]
    with started(command, stdout=follower, stderr=follower, stdin=follower, env=environment) as process:
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


def lines(sent: str) -> list[str]:
    """The lines that a terminal was sent, those that were taken away again among them."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent).replace("\r", "\n").split("\n")


def test_a_pipe_gets_plain_lines() -> None:
    done = subprocess.run([sys.executable, "-c", SHOWN], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == STAYS


def test_a_terminal_that_cannot_go_back_gets_plain_lines() -> None:
    assert [line for line in lines(at_a_terminal(SHOWN, TERM="dumb")) if line] == STAYS


def test_a_terminal_shows_what_goes_on_and_keeps_what_a_pipe_gets() -> None:
    sent = at_a_terminal(SHOWN)
    shown = lines(sent)
    assert [line for line in STAYS if line in shown] == STAYS
    assert any(re.search(r"cell  2 of 2\s+title 1 \[b\] 0:00:0", line) for line in shown)
    assert sent.count("\x1b[?25l") == sent.count("\x1b[?25h") > 0, "the cursor is shown again"


@pytest.mark.parametrize("columns", [100, 40])
def test_steps_that_are_executed_at_once_have_a_line_each(columns: int) -> None:
    shown = lines(at_a_terminal(OF_STEPS, columns))
    going_on = [line for line in shown if re.search(r" 0:00:0\d$", line)]
    assert any("step load  the kernel starts" in line for line in going_on)
    assert any(re.search(r"step \[i\]look  the kernel st", line) for line in going_on)
    assert any("step load  waits until" in line for line in going_on)
    assert any(re.search("step load  cell  1 of 12 .* 0:00:0", line) for line in going_on)
    # The terminal would break a longer one, and only its last part could be taken away.
    assert max(map(cell_len, going_on)) <= columns
    assert shown.count("▸ step load begins") == shown.count("✓ step load is done after 1.0 s") == 1


@pytest.mark.parametrize("columns", [100, 40])
def test_trials_of_a_sweep_have_a_line_each(columns: int) -> None:
    piped = subprocess.run([sys.executable, "-c", OF_A_SWEEP], capture_output=True, text=True, check=True)
    stays = piped.stdout.splitlines()
    assert stays[0] == r"[/bold]日本語\x1b[2Jname in [/bold]日本語\x1b[2Jname,b"
    assert stays[1:3] == ["rows = 7 (fixed)", "Something was decided."]
    assert stays[4].startswith("✓ trial   1     1.5 s  [/bold]")
    assert stays[5].startswith("✗ trial   0     1.5 s")
    shown = lines(at_a_terminal(OF_A_SWEEP, columns))
    assert [line for line in stays if line in shown] == stays
    going_on = [line for line in shown if re.search(r" 0:00:0\d$", line)]
    assert any(re.search(r"trials +.* 2/3 0:00:0", line) for line in going_on)
    assert any("trial 1" in line for line in going_on)
    assert max(map(cell_len, going_on)) <= columns
