"""Steps in kernels of their own: the same results as in one kernel, nothing executed twice, and nothing old reused."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pytest

from cellops.errors import NotebookError, StepError, UnfitError, UsageError
from cellops.pipeline.engine import execute, explain
from cellops.pipeline.stepwise.options import Reuse
from cellops.records.step_progress import StepState
from support.processes import started
from support.stepwise import Project

HEAD = "import pandas as pd\nimport numpy as np"
PARAMETERS = "%%mlops parameters\nrows: int = 100\ndepth: float = 1.0"
PIPELINE = (
    HEAD,
    PARAMETERS,
    "%load_ext cellops",
    "%%mlops step load\ndf = pd.DataFrame({'a': np.arange(rows, dtype=float)})\ndef half(x):\n    return x / 2",
    "%%mlops step total\ntotal = float(df['a'].to_numpy().sum())",
    "%%mlops step grow\n%%mlops run --name grown\ngrown = half(total) * depth",
    "print(grown)",
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / ".cellops").mkdir()
    return Project(tmp_path)


def test_an_unchanged_step_is_executed_once(project: Project) -> None:
    project.write(*PIPELINE)
    first = project.execute()
    assert project.executed == ["load", "total", "grow"]
    assert first.cells == 7  # three shared ones, each once
    assert project.printed().endswith("2475.0\n")

    again = project.execute()
    assert (project.executed, project.reused) == ([], ["load", "total", "grow"])
    assert again.cells == 0
    assert [run.opened.name for run in again.reused_runs] == ["grown"]
    assert again.reused_runs[0].closed.metrics["grown"] == 2475.0
    assert project.printed().endswith("2475.0\n")
    cells = nbformat.read(project.output, as_version=4).cells  # type: ignore[no-untyped-call]
    assert [cell.metadata.get("cellops", {}).get("step") for cell in cells[3:]] == ["load", "total", "grow", "grow"]

    project.execute(values={"depth": "2"})
    assert (project.executed, project.reused) == (["grow"], ["load", "total"])
    assert project.reasons == {"grow": "parameter depth: 1.0 → 2.0"}
    assert project.printed().endswith("4950.0\n")

    project.write(*[source.replace("rows, dtype=float", "rows,  dtype = float") + "\n# end" for source in PIPELINE])
    project.execute()
    assert project.executed == []

    project.write(*[source.replace("rows, dtype=float)", "rows, dtype=float) + 0") for source in PIPELINE])
    project.execute()
    assert (project.executed, project.reused) == (["load"], ["total", "grow"])
    assert project.reasons == {"load": "cell 4 changed"}

    project.write(*[source.replace("x / 2", "x / 4") for source in PIPELINE])
    told = {event.step: (event.state, event.reasons) for event in explain(project.path, {}, project.asked())}
    assert told["load"] == (StepState.RUNNING, ("cell 4 changed",))
    assert told["total"] == (StepState.PERHAPS, ("if what it takes from load comes out differently",))
    assert told["grow"] == (StepState.RUNNING, ("cell 4 changed",))
    project.execute()
    assert project.printed().endswith("1237.5\n")
    assert "grow" in project.executed


ALIKE = (
    "%load_ext cellops\nx = []\nTH = 3\nregistry = {}\ndef register(f):\n    registry[f.__name__] = f\n    return f",
    "from enum import Enum\nclass Colour(Enum):\n    RED = 1\nclass Holder:\n    pass",
    "%%mlops parameters\nn: int = 1",
    "%%mlops step first\nx.append(TH)\nn = n * 10\nmode, held = Colour.RED, Holder()",
    "@register\ndef five():\n    return 5\nimport os; marks = open('log.txt', 'a').write('ran ')",
    "%%mlops step second\nprint(x, n, mode is Colour.RED, isinstance(held, Holder), sorted(registry), os.sep, marks)",
)
"""Values that shared cells and definitions would bind anew, or that have classes of the notebook."""


def test_steps_give_what_one_kernel_gives(project: Project) -> None:
    project.write(*ALIKE)
    project.execute(Reuse.NOTHING, {"n": "3"})
    stepwise, log = project.printed(), (project.folder / "log.txt").read_text()
    environment = {"CELLOPS_PROJECT": str(project.folder), "CELLOPS_WRITER": "false"}
    execute(project.path, project.output, {"n": "3"}, environment=environment)
    assert stepwise == project.printed()
    assert stepwise.endswith("\n[3] 30 True True ['five'] / 4\n")
    assert log == "ran "


def test_after_a_failure_no_step_is_begun(project: Project) -> None:
    project.write("%%mlops step a\nraise ValueError", "%%mlops step b\nb = 1", "%%mlops step c\nimport sys\nsys.exit()")
    with pytest.raises(NotebookError):
        project.execute(Reuse.NOTHING)
    assert [step for step, _ in project.states] == ["a", "a"]
    with pytest.raises(StepError, match=r"Step c called sys\.exit"):
        project.execute(Reuse.NOTHING, only="c")


def test_what_a_step_reads_decides_too(project: Project) -> None:
    (project.folder / "data.csv").write_text("a\n1\n2\n")
    (project.folder / "helpers.py").write_text("def scaled(x):\n    return x * 10\n")
    project.write(
        "import pandas as pd",
        "%%mlops step load\ndf = pd.read_csv('data.csv')",
        "%%mlops step scale\nfrom helpers import scaled\nprint(scaled(df['a'].to_numpy()).sum())",
        "%%mlops step save\nopen('out.txt', 'w').write('done')",
    )
    project.execute()
    assert project.printed() == "30\n"
    project.execute()
    assert project.executed == []

    (project.folder / "data.csv").write_text("a\n1\n5\n")
    project.execute()
    assert project.executed == ["load", "scale"]
    assert project.reasons == {"load": "data.csv has changed", "scale": "its input df changed"}
    assert project.printed() == "60\n"

    (project.folder / "helpers.py").write_text("def scaled(x):\n    return x * 100\n")
    project.execute()
    assert project.executed == ["scale"]
    assert project.reasons == {"scale": "its module helpers.py has changed"}
    assert project.printed() == "600\n"

    (project.folder / "out.txt").unlink()
    project.execute()
    assert project.executed == ["save"]
    assert project.reasons == {"save": "out.txt is gone"}


def test_what_fails_is_resumed_where_it_failed(project: Project) -> None:
    cells = [
        "%%mlops step first\nvalue = [1, 2]\nprint('first')",
        "%%mlops step second\nassert open('ready').read() == 'yes'\nvalue.append(3)",
        "%%mlops step third\nprint(value)",
    ]
    project.write(*cells)
    (project.folder / "ready").write_text("no")
    with pytest.raises(NotebookError, match="failed in cell 2 of 3") as caught:
        project.execute(Reuse.NOTHING)
    assert caught.value.data["cell_index"] == 1
    assert project.states[-1] == ("second", StepState.FAILED)
    assert "AssertionError" in project.output.read_text()
    (project.folder / "ready").write_text("yes")
    project.execute(Reuse.LAST)
    assert (project.reused, project.executed) == (["first"], ["second", "third"])
    assert project.printed() == "first\n[1, 2, 3]\n"
    project.execute(Reuse.NOTHING)
    assert project.executed == ["first", "second", "third"]


def test_what_an_earlier_execution_finished_is_not_resumed(project: Project) -> None:
    cells = ["%%mlops step first\nassert open('ready').read() == 'yes'", "%%mlops step second\nprint('second')"]
    project.write(*cells)
    (project.folder / "ready").write_text("yes")
    project.execute(Reuse.NOTHING)
    (project.folder / "ready").write_text("no")
    with pytest.raises(NotebookError):
        project.execute(Reuse.NOTHING)
    (project.folder / "ready").write_text("yes")
    project.execute(Reuse.LAST)
    assert (project.reused, project.executed) == ([], ["first", "second"])
    assert project.reasons["second"] == "the last execution did not finish it"


def test_a_killed_runner_is_resumed(project: Project, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        project.write(
            "%%mlops step first\nimport random\nrandom.seed(3)\nvalue = random.random()\nprint(value)",
            "%%mlops step second\nimport socket\n"
            f"socket.create_connection(('127.0.0.1', {port})).recv(1)\ndouble = 2 * value",
            "%%mlops step third\nprint(double)",
        )
        runner = (
            "import sys\nfrom pathlib import Path\nsys.path.insert(0, sys.argv[1])\n"
            "from support.stepwise import Project\nfrom cellops.pipeline.stepwise.options import Reuse\n"
            "Project(Path(sys.argv[2])).execute(Reuse.NOTHING)"
        )
        tests = Path(__file__).parents[2]
        process = subprocess.Popen([sys.executable, "-c", runner, str(tests), str(project.folder)])
        server.settimeout(120)
        connection, _ = server.accept()
        process.kill()
        process.wait()
        connection.close()
        threading.Thread(target=_answer, args=(server,), daemon=True).start()
        project.execute(Reuse.LAST)
        assert (project.reused, project.executed) == (["first"], ["second", "third"])
        resumed = project.printed()
        threading.Thread(target=_answer, args=(server,), daemon=True).start()
        project.execute(Reuse.NOTHING)
        assert project.executed == ["first", "second", "third"]
        assert project.printed() == resumed


def _answer(server: socket.socket) -> None:
    connection, _ = server.accept()
    connection.sendall(b".")
    connection.close()


def test_steps_that_do_not_wait_for_each_other_are_executed_at_once(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(120)
        meets = f"import socket\nsocket.create_connection(('127.0.0.1', {server.getsockname()[1]})).recv(1)"
        project.write(
            f"%%mlops step left\n{meets}\na = 1",
            f"%%mlops step right\n{meets}\nb = 2",
            "%%mlops step sum\nprint(a + b)",
        )

        def meet() -> None:
            both = [server.accept()[0], server.accept()[0]]
            for connection in both:
                connection.sendall(b".")

        threading.Thread(target=meet, daemon=True).start()
        project.execute(Reuse.NOTHING, jobs=2)
    assert sorted(project.executed[:2]) == ["left", "right"]
    assert project.printed() == "3\n"
    project.write("%%mlops step left\na = 1", "%%mlops step right\nb = 2", "%%mlops step sum\nprint(a + b)")
    project.execute(Reuse.NOTHING, only="right")
    assert project.executed == ["right"]


def test_a_step_is_tried_again_as_often_as_it_may(project: Project) -> None:
    flaky = "import os\nif not os.path.exists('seen'):\n    open('seen', 'w').close()\n    raise OSError\nprint('now')"
    project.write(f"%%mlops step flaky --retries 1\n{flaky}")
    project.execute(Reuse.NOTHING)
    assert [state for _, state in project.states] == [StepState.RUNNING, StepState.AGAIN, StepState.DONE]
    assert project.printed() == "now\n"


def test_a_step_over_its_time_is_stopped(project: Project) -> None:
    project.write("%%mlops step slow --timeout 0.5\nimport threading\nthreading.Event().wait()")
    said = r"notebook\.ipynb: step slow took longer than 0\.5 s, and was stopped at cell 1 of 1 \(step slow"
    with pytest.raises(StepError, match=said) as caught:
        project.execute(Reuse.NOTHING)
    assert "%%mlops step slow --timeout SECONDS" in caught.value.remedy
    assert caught.value.data["cells"] == [0]


def test_the_start_of_the_kernel_is_no_part_of_the_time_of_a_step(project: Project) -> None:
    startup = project.folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "slow.py").write_text("import time\ntime.sleep(4)")
    project.write("%%mlops step quick --timeout 3\nprint('now')")
    project.execute(Reuse.NOTHING)
    assert project.printed() == "now\n"


def test_what_cannot_be_handed_on_is_named(project: Project) -> None:
    project.write("%%mlops step open\nimport threading\nlock = threading.Lock()", "%%mlops step use\nlock.acquire()")
    with pytest.raises(StepError, match="Step open: lock cannot be handed to another step: TypeError"):
        project.execute(Reuse.NOTHING)


def test_a_value_that_was_changed_in_the_store_is_not_used(project: Project) -> None:
    project.write("%%mlops step make\nvalue = [1]", "%%mlops step show\nprint(value)")
    project.execute()
    (kept,) = (project.folder / ".cellops" / "steps" / "values").rglob("*.pickle")
    kept.write_bytes(bytes(reversed(kept.read_bytes())))
    project.write("%%mlops step make\nvalue = [1]", "%%mlops step show\nprint(value, 2)")
    with pytest.raises(StepError, match="not what was written"):
        project.execute()
    kept.write_bytes(b"shorter")
    project.execute()
    assert project.executed == ["make", "show"]


@pytest.mark.parametrize(
    ("cells", "only", "said"),
    [
        (["%%mlops step a\nx = y", "%%mlops step b\ny = 1"], None, "do not fit together: cell 1"),
        (["%%mlops step load\nx = 1"], "lod", r"no step lod\. Did you mean load\?"),
    ],
)
def test_steps_that_do_not_fit_are_refused_before_a_kernel_starts(
    project: Project, cells: list[str], only: str | None, said: str
) -> None:
    project.write(*cells)
    with pytest.raises((UnfitError, UsageError), match=said):
        project.execute(Reuse.NOTHING, only=only)
    assert project.states == []


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_a_stop_ends_all_kernels_and_keeps_what_there_is(project: Project) -> None:
    pipe = project.folder / "pipe"
    os.mkfifo(pipe)
    project.write(
        "%%mlops step first\nprint('first')\nvalue = 1",
        f"%%mlops step second\nimport threading\nheld = open({str(pipe)!r}, 'w')\n"
        "print('begun', file=held, flush=True)\nthreading.Event().wait(value * 300)",
    )
    # In a process of its own: a signal that arrives in hypothesis' callback of the garbage collector would be lost.
    command = [sys.executable, "-m", "cellops", "execute", str(project.path), "-o", str(project.output), "--jobs", "1"]
    environment = {**os.environ, "CELLOPS_PROJECT": str(project.folder), "CELLOPS_WRITER": "false"}
    with started(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        with pipe.open() as kernel:
            assert kernel.readline() == "begun\n"
            running.terminate()
            assert kernel.read() == ""  # the end of the file is the kernel's
        _, said = running.communicate()
    assert running.returncode == 128 + signal.SIGTERM, said
    assert "The notebook as far as it came" in said
    assert project.printed() == "first\n"
    kept = nbformat.read(project.output, as_version=4).cells  # type: ignore[no-untyped-call]
    assert [cell.metadata.papermill.status for cell in kept] == ["completed", "failed"]
