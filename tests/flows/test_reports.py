"""What CI gets of an execution, and what it never gets; by the command that CI types."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from cellops.errors import NotebookError, UsageError
from cellops.flows.execute import execute
from cellops.flows.reports import Places
from cellops.flows.runs import runs
from cellops.records.report import ExecutionReport
from cellops.records.run import RunStatus
from support.notebooks import LOAD, write
from support.processes import started

SECRET = "hunter2-and-more"
SCORED = "%%mlops run --name scored\ndepth = 3\nauc = 704 / 1000"
PLOT = "%matplotlib inline\nfrom matplotlib import pyplot\n_ = pyplot.plot([1, 2])"


def cellops(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CELLOPS_WRITER": "false", **variables}
    command = [sys.executable, "-m", "cellops", *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def cases(path: Path) -> list[tuple[str | None, list[str]]]:
    return [(case.get("name"), [part.tag for part in case]) for case in ET.parse(path).iter("testcase")]


def test_the_exit_code_says_whether_gates_were_passed(project: Path) -> None:
    write(project / "n.ipynb", LOAD, SCORED)
    passed = cellops(project, "execute", "n.ipynb", "--gate", "auc >= 0.7")
    assert passed.returncode == 0, passed.stderr
    assert "✓ gate auc >= 0.7: 0.704 >= 0.7 (scored)" in passed.stdout
    missed = cellops(project, "execute", "n.ipynb", "--gate", "auc >= 0.7", "--gate", "auc >= 0.72")
    assert missed.returncode == 3
    assert "The gate auc >= 0.72 failed, run scored" in missed.stderr
    assert "0.704 >= 0.72 missed by 0.016" in missed.stderr
    assert "Traceback" not in missed.stderr
    unread = cellops(project, "execute", "n.ipynb", "--gate", "auc >=")
    assert (unread.returncode, unread.stdout) == (2, "")
    shown = cellops(project, "show", "last")
    assert "✗ gate auc >= 0.72: 0.704 >= 0.72 missed by 0.016" in shown.stdout
    assert re.search(r"✗ 1 of 2 .*\n.*✓ 1 ", cellops(project, "runs").stdout)


def test_a_failed_cell_is_reported_everywhere(project: Path) -> None:
    write(project / "n.ipynb", LOAD, SCORED, "def broken():\n    return 1 / 0\nbroken()", "never = 1")
    page = project / "summary.md"
    page.write_text("Of an earlier step.\n")
    done = cellops(
        project,
        "execute",
        "n.ipynb",
        "--gate",
        "auc > 0.9",
        "--junit",
        "out/report.xml",
        GITHUB_ACTIONS="true",
        GITHUB_WORKSPACE=str(project),
        GITHUB_STEP_SUMMARY=str(page),
    )
    assert done.returncode == 1
    assert cases(project / "out" / "report.xml") == [
        ("cell 1: %load_ext cellops", []),
        ("cell 2: run --name scored", []),
        ("cell 3: def broken():", ["failure"]),
        ("cell 4: never = 1", ["skipped"]),
        ("auc > 0.9, run scored", ["failure"]),
    ]
    failure = ET.parse(project / "out" / "report.xml").find(".//failure")
    assert failure is not None
    assert "return 1 / 0" in (failure.text or "")
    commands = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert [re.split("::", line)[1] for line in commands] == [
        "error file=n.ipynb,title=n.ipynb%3A cell 3 of 4",
        "error file=n.ipynb,title=n.ipynb%3A gate missed",
    ]
    text = page.read_text()
    assert text.startswith("Of an earlier step.\n## ❌ n.ipynb")
    assert "ZeroDivisionError: division by zero" in text


def test_the_summary_says_what_has_changed_since_the_last_good_run(project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD, SCORED)
    good = execute(notebook, gates=["auc > 0.7"]).runs[0]
    write(notebook, LOAD, SCORED.replace("704", "600"))
    execute(notebook, gates=["auc > 0.7"])
    write(notebook, LOAD, SCORED.replace("704", "710").replace("depth = 3", "depth = 5"), PLOT)
    page = project / "pages" / "of (this) month.md"
    execute(notebook, summary=page)
    text = page.read_text()
    assert f"the last good run of this notebook, `{good.run[:8]}`" in text
    assert "| auc | 0.704 | 0.71 | +0.006 |" in text
    assert "| depth | 3 | 5 |" in text
    link = re.search(r"!\[plot of cell 3\]\((.*)\)", text)
    assert link is not None
    assert (page.parent / unquote(link[1])).read_bytes().startswith(b"\x89PNG")


def test_no_report_holds_a_secret(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    declared = "%%mlops parameters\nfrom cellops import Secret\ntoken: Secret\nlimit = 1"
    failing = f"print(str(token))\npassword = '{SECRET}2'\nraise ValueError('refused: ' + token, password)"
    notebook = write(project / "n.ipynb", LOAD, declared, failing)
    seen: list[ExecutionReport] = []
    with pytest.raises(NotebookError):
        execute(
            notebook,
            {"token": "env:TOKEN"},
            junit=project / "r.xml",
            summary=project / "s.md",
            on_report=seen.append,
        )
    assert "refused" in (project / "r.xml").read_text()
    assert "ValueError" in (project / "s.md").read_text()
    for text in ((project / "r.xml").read_text(), (project / "s.md").read_text(), str(seen[0])):
        assert SECRET not in text


def test_a_kernel_that_does_not_start_is_reported(project: Path) -> None:
    kernel = project / "kernels" / "kernels" / "dead"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["false"], "display_name": "dead", "language": "python"}')
    import nbformat

    path = write(project / "n.ipynb", "x = 1")
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["kernelspec"] = {"name": "dead", "display_name": "dead", "language": "python"}
    nbformat.write(notebook, path)
    done = cellops(project, "execute", "n.ipynb", "--junit", "r.xml", JUPYTER_PATH=str(project / "kernels"))
    assert done.returncode == 1
    assert cases(project / "r.xml") == [("execution", ["error"])]


def test_runs_that_are_not_in_the_store_are_reported_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_TRACKING_URI", "http://127.0.0.1:9")
    execute(write(project / "n.ipynb", LOAD, SCORED), summary=project / "s.md")
    text = (project / "s.md").read_text()
    assert "| auc | 0.704 |" in text
    assert "The runs are not in the tracking store yet" in text
    assert "not compared with earlier ones: this one is not in the tracking store yet" in text
    assert "no good run before it" not in text


def test_the_page_of_the_step_is_appended_to_however_it_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = project / "page.md"
    page.write_text("Of an earlier step.\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    report = ExecutionReport(notebook="n.ipynb", status=RunStatus.FINISHED, started=0.0, seconds=1.0)
    Places(None, Path("page.md")).write(report)
    Places(None, None).write(report)
    assert page.read_text().startswith("Of an earlier step.\n## ✅ n.ipynb")
    assert page.read_text().count("## ✅ n.ipynb") == 2
    Places(None, Path("other.md")).write(report)
    Places(None, Path("other.md")).write(report)
    assert (project / "other.md").read_text().count("## ✅ n.ipynb") == 1
    assert page.read_text().count("## ✅ n.ipynb") == 2


def test_a_report_that_cannot_be_written_is_refused_before_a_kernel_starts(project: Path) -> None:
    notebook = write(project / "n.ipynb", LOAD)
    (project / "file").write_text("")
    stages: list[str] = []
    for wrong in (project, project / "file" / "r.xml"):
        with pytest.raises(UsageError, match="The report"):
            execute(notebook, junit=wrong, on_stage=stages.append)
    assert stages == []


def test_what_is_stopped_is_reported_and_says_what_is_kept(project: Path) -> None:
    slow = "print('now', flush=True)\nimport pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(600)"
    write(project / "n.ipynb", LOAD, SCORED, slow)
    environment = {**os.environ, "CELLOPS_WRITER": "false"}
    command = [sys.executable, "-m", "cellops", "execute", "n.ipynb", "--junit", "r.xml", "--gate", "auc > 0.7"]
    with started(
        command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (project / "begun").exists():
            assert process.poll() is None
            os.sched_yield()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130
    assert "The notebook as far as it came" in errors
    assert "The run scored is kept as finished" in errors
    assert [tags for _, tags in cases(project / "r.xml")] == [[], [], ["failure"], []]
    (failure,) = ET.parse(project / "r.xml").iter("failure")
    assert (failure.get("type"), failure.get("message")) == ("KeyboardInterrupt", "the cell was interrupted")
    assert [(run.name, [gate.passed for gate in run.gates]) for run in runs()] == [("scored", [True])]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--timeout", "1"), "the cell took longer than 1 s"),
        (("--jobs", "1"), "step late took longer than 1 s, and was stopped at cell 3 of 4"),
    ],
)
def test_a_cell_that_took_too_long_is_an_error(project: Path, options: tuple[str, str], said: str) -> None:
    slow = "%%mlops step late --timeout 1\nimport threading\nthreading.Event().wait()"
    write(project / "n.ipynb", LOAD, "%%mlops step first\nx = 1", slow, "last = 1")
    done = cellops(project, "execute", "n.ipynb", "--junit", "r.xml", *options)
    assert done.returncode == 1
    assert [tags for _, tags in cases(project / "r.xml")] == [[], [], ["error"], ["skipped"]]
    assert said in (project / "r.xml").read_text(encoding="utf-8")


def test_who_stops_an_execution_has_the_reports_before_a_store_that_does_not_answer(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as store, socket.create_server(("127.0.0.1", 0)) as begun:
        place = begun.getsockname()
        waiting = f"%%mlops run --name endless\nimport socket\nsocket.create_connection({place}).recv(1)"
        write(project / "n.ipynb", LOAD, waiting)
        command = [sys.executable, "-m", "cellops", "execute", "n.ipynb", "--summary", "s.md", "--junit", "j.xml"]
        environment = {
            **os.environ,
            "CELLOPS_WRITER": "false",
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{store.getsockname()[1]}",
        }
        with started(
            command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            connection, _ = begun.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                asked, _ = store.accept()
            with asked:
                assert "Stopped after 2 of 2 code cells" in (project / "s.md").read_text()
                assert cases(project / "j.xml")[0] == ("cell 1: %load_ext cellops", [])
                process.send_signal(signal.SIGTERM)
                shown, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Stopped" not in shown  # it is told once, at the end
    assert told.strip().startswith("cellops: Stopped. The notebook as far as it came: ")
    assert "The runs are carried to MLflow by: cellops sync" in told
