"""Whatever ends the runner, no kernel is left behind. A kernel holds a FIFO open: its end of file is the kernel's."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from cellops.pipeline.engine import execute
from cellops.records.execution import CellProgress
from support.processes import started

RUNNER = """
import signal, sys
from pathlib import Path
from cellops.pipeline.engine import execute
signal.signal(signal.SIGINT, signal.default_int_handler)
execute(Path(sys.argv[1]), Path(sys.argv[2]), {})
"""


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def waiting_cell(fifo: Path) -> str:
    return f"""
import threading
pipe = open({str(fifo)!r}, "w")
print("started", file=pipe, flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_saves_the_notebook_and_stops_the_kernel(
    make_notebook, fifo: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    notebook, output = make_notebook("print('done')", waiting_cell(fifo), "print('never')"), tmp_path / "out.ipynb"
    with started([sys.executable, "-c", RUNNER, notebook, output], stderr=subprocess.PIPE) as runner:
        with fifo.open() as kernel:
            assert kernel.readline() == "started\n"
            runner.send_signal(number)
            assert kernel.read() == ""
        assert runner.wait() == code
    cells = nbformat.read(output, as_version=4).cells
    assert cells[0].outputs[0].text == "done\n"
    assert cells[1].outputs[-1].ename == "KeyboardInterrupt"
    assert [cell.metadata.papermill.status for cell in cells] == ["completed", "failed", "pending"]


def test_a_killed_runner_leaves_no_kernel(make_notebook, fifo: Path, tmp_path: Path) -> None:
    notebook = make_notebook(waiting_cell(fifo))
    command = [sys.executable, "-c", RUNNER, notebook, tmp_path / "out.ipynb"]
    with started(command) as runner, fifo.open() as kernel:
        assert kernel.readline() == "started\n"
        runner.kill()
        assert kernel.read() == ""


def test_a_stubborn_cell_is_killed(make_notebook, fifo: Path, tmp_path: Path) -> None:
    stubborn = f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n{waiting_cell(fifo)}"
    notebook, output = make_notebook(stubborn), tmp_path / "out.ipynb"
    with started([sys.executable, "-c", RUNNER, notebook, output], stderr=subprocess.PIPE) as runner:
        with fifo.open() as kernel:
            assert kernel.readline() == "started\n"
            runner.send_signal(signal.SIGINT)
            assert kernel.read() == ""
        assert runner.wait() == -signal.SIGINT
    assert nbformat.read(output, as_version=4).cells[0].metadata.papermill.status == "failed"


def test_a_failing_progress_callback_stops_the_kernel(make_notebook, fifo: Path, tmp_path: Path) -> None:
    def fail(event: CellProgress) -> None:
        with fifo.open() as kernel:
            assert kernel.readline() == "started\n"
        message = f"no room for {event.title}"
        raise LookupError(message)

    with pytest.raises(LookupError, match="no room for import threading"):
        execute(make_notebook(waiting_cell(fifo)), tmp_path / "out.ipynb", {}, on_progress=fail)
    assert (tmp_path / "out.ipynb").exists()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


MISSES = """
import _thread, sys, threading
from cellops.pipeline.worker import run_beside

def work(stop, tell):
    while sys._current_frames()[threading.main_thread().ident].f_code.co_name != "_next":
        pass
    _thread.interrupt_main()  # as a signal does that comes just before the other thread waits: it wakes nobody
    stop.result()
    print("stopped", flush=True)

run_beside(work, print)
"""


def test_a_signal_that_wakes_nobody_is_heard() -> None:
    done = subprocess.run([sys.executable, "-c", MISSES], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "stopped\n", done.stderr
    assert done.returncode == -signal.SIGINT


SAVES = """
import signal, sys
from cellops.pipeline.worker import run_beside

def interrupt(*_):
    print("signal", flush=True)
    raise KeyboardInterrupt

def work(stop, tell):
    print("works", flush=True)
    stop.result()
    print("stops", flush=True)
    sys.stdin.readline()
    print("saved", flush=True)

signal.signal(signal.SIGINT, interrupt)
run_beside(work, print)
"""


def test_a_second_signal_does_not_cut_off_what_is_saved() -> None:
    command = [sys.executable, "-c", SAVES]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with started(command, **pipes) as runner:
        for said in ({"works"}, {"signal", "stops"}, {"signal"}):
            assert {runner.stdout.readline().strip() for _ in said} == said
            runner.send_signal(signal.SIGINT)
        assert runner.stdout.readline() == "signal\n"
        rest, _ = runner.communicate("\n")
    assert rest == "saved\n"
