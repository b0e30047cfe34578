"""The command line as a person types it, wrong on purpose."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cellops.cli import verbs
from support.kernel import Kernel
from support.notebooks import LOAD, PARAMETERS, TRAIN, write
from support.permissions import OBEY_PERMISSIONS


def cellops(*words: str, **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cellops", *words], capture_output=True, text=True, check=False, timeout=300, **options
    )  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["exceute", "n.ipynb"], 2, "There is no verb exceute. Did you mean execute?"),
        (["execute"], 2, "Missing argument 'NOTEBOOK'. See: cellops execute --help"),
        (["execute", "n.ipynb", "--ouput", "x"], 2, "No such option '--ouput'. (Did you mean one of: '--output'"),
        (["execute", "nowhere.ipynb"], 2, "There is no notebook nowhere.ipynb. Give the path of an .ipynb file"),
        (["execute", "nowhere.ipynb", "--help"], 2, "There is no notebook nowhere.ipynb"),
        (["execute", "gone/n.ipynb"], 2, "There is no notebook gone/n.ipynb. There is no folder gone"),
        (["execute", "."], 2, ". is a folder, no notebook"),
        (["runs", "--limit"], 2, "Option '--limit' requires an argument. See: cellops runs --help"),
        (["show", "nothing"], 1, "There is no run nothing"),
        (["show", ""], 1, "No run is named. Give the start of its key, its name, or last"),
        (["verify", " "], 1, "No run is named"),
        (["compare", "last"], 2, "Missing argument 'RUN'"),
        (["compare", "last", "nothing"], 1, "There is no run last"),
        (["restore", "nothing"], 1, "There is no run nothing"),
        (["package", "last"], 1, "There is no run last"),
        (["serve", "nowhere"], 1, "nowhere"),
        (["drift", "nowhere", "data.csv"], 1, "nowhere"),
        (["drift", "nowhere"], 2, "Give either a file with data or --log"),
        (["drift", "nowhere", "data.csv", "--window", "year"], 2, "Invalid value for '--window'"),
        (["runs", "--limit", "many"], 2, "Invalid value for '-n' / '--limit'"),
        (["runs", "-n", "0"], 2, "0 is not in the range x>=1"),
        (["runs", "-n", "-3"], 2, "-3 is not in the range x>=1"),
        (["runs", "more"], 2, "Got unexpected extra argument (more). See: cellops runs --help"),
        (["--verison"], 2, "No such option '--verison'. Did you mean '--version'?"),
        (["serve", "model", "--port", "70000"], 2, "70000 is not in the range 0<=x<=65535"),
        (
            ["execute", "n.ipynb", "-p"],
            2,
            "-p has neither a name nor a value. Write -p NAME VALUE. See: cellops execute",
        ),
        (
            ["execute", "n.ipynb", "-p", "seed"],
            2,
            "-p seed has no value. Write -p seed VALUE. See: cellops execute --help",
        ),
        (
            ["execute", "n.ipynb", "-p", "a", "--gate", "b > 1"],
            2,
            "Write -p a VALUE, or -p a=--gate if that is the value",
        ),
        (["execute", "n.ipynb", "--timeout", "0"], 2, "0.0 is not in the range x>0"),
        (["execute", "n.ipynb", "--timeout", "nan"], 2, "nan is no number of seconds to wait"),
        (["execute", "n.ipynb", "--total-timeout", "inf"], 2, "inf is no number of seconds to wait"),
        (["verify", "--tolerance", "nan"], 2, "nan is no number"),
        (["show", "\x1b[31mred\nred"], 1, r"There is no run \x1b[31mred red"),
    ],
)
def test_what_is_typed_wrong_gets_one_clear_line(project: Path, words: list[str], code: int, said: str) -> None:
    done = cellops(*words)
    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("carried", [True, False])
def test_who_may_only_read_a_project_sees_its_runs(loaded: Kernel, carried: bool) -> None:
    loaded.run("%%mlops run --name held\nscore = 1 / 2")
    if carried:
        assert cellops("sync").returncode == 0
    folders = [loaded.project, *(path for path in loaded.project.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o500)
    try:
        for words in (["runs"], ["show", "held"], ["show", "last"]):
            script = f"{OBEY_PERMISSIONS}\nfrom cellops.cli import main\nmain({words})"
            done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
            assert "finished" in done.stdout
    finally:
        for path in folders:
            path.chmod(0o700)


def test_a_wrong_setting_is_one_clear_line(project: Path) -> None:
    done = cellops("runs", env={**os.environ, "CELLOPS_WRITR": "no"})
    assert (done.returncode, "Did you mean CELLOPS_WRITER?" in done.stderr) == (2, True)
    (project / "pyproject.toml").write_text("[tool.cellops]\npatch_limit = 'much'\n")
    done = cellops("runs")
    assert (done.returncode, "patch_limit has a value that does not fit" in done.stderr) == (2, True)


def test_a_folder_that_cannot_be_used_is_one_clear_line(project: Path) -> None:
    (project / ".cellops").rmdir()
    (project / ".cellops").touch()
    done = cellops("runs")
    assert (done.returncode, "cellops cannot keep its files in" in done.stderr) == (2, True)
    assert len(done.stderr.splitlines()) == 1


BROKEN = """
from pathlib import Path
from cellops.cli import verbs
@verbs.terminal.command()
def wrong():
    {}
verbs.main(["wrong"])
"""


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise KeyError('nobody\\nknew')", r"KeyError: 'nobody\nknew'"),
        ("Path('pyproject.toml').read_text()", "No such file or directory: pyproject.toml"),
    ],
)
def test_what_nobody_expected_is_one_line_unless_the_traceback_is_asked_for(
    project: Path, fault: str, said: str
) -> None:
    command = [sys.executable, "-c", BROKEN.format(fault)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        f"cellops: {said}. To see where it happened, set CELLOPS_DEBUG=true\n",
    )
    environment = {**os.environ, "CELLOPS_DEBUG": "true"}
    asked = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert asked.returncode == 1
    assert "Traceback" in asked.stderr


def test_a_library_that_was_stopped_while_it_was_imported_is_stopped_and_not_broken(project: Path) -> None:
    fault = """from cellops.errors import PackageError
    try:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as stopped:
            raise ImportError("initialization failed") from stopped
    except ImportError as error:
        raise PackageError("The model cannot be read", remedy="Package it again") from error"""
    command = [sys.executable, "-c", BROKEN.format(fault)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (130, "cellops: Stopped")


def test_a_reader_that_leaves_is_no_error(project: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "cellops", "--help"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_output_that_cannot_hold_every_sign_gets_it_written_out(project: Path) -> None:
    write(project / "n.ipynb", "1")
    done = cellops("execute", "n.ipynb", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert r"\u2713 cell  1 of 1" in done.stdout


def test_without_a_verb_the_help_is_shown(project: Path) -> None:
    done = cellops()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == cellops("--help").stdout


def test_parameters_may_be_written_with_an_equals_sign(project: Path) -> None:
    source = "%%mlops parameters\nseed: int = 3\nnote: str = ''\nother: str = ''"
    write(project / "n.ipynb", LOAD, source, "print('given', seed, note, other)")
    words = ["-p", "seed=8", "--parameter", "note=a=b -p", "-p", "other", "x=y"]
    done = cellops("execute", *words, "n.ipynb", "-o", "out.ipynb")
    assert done.returncode == 0, done.stderr
    assert "given 8 a=b -p x=y" in (project / "out.ipynb").read_text()


@pytest.mark.parametrize("verb", ["", *verbs.terminal.commands])
def test_help_teaches_quickly(project: Path, verb: str) -> None:
    done = cellops(*([verb] if verb else []), "--help")
    assert done.returncode == 0
    assert "Usage: cellops" in done.stdout
    assert not list((project / ".cellops").iterdir())


def test_help_imports_nothing_heavy() -> None:
    heavy = ("mlflow", "pandas", "numpy", "sklearn", "papermill", "starlette")
    script = f"import sys, cellops.cli, cellops.magics; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_runs_in_an_empty_project_teach(project: Path) -> None:
    assert "%load_ext cellops" in cellops("runs").stdout
    assert "All is in the tracking store" in cellops("sync").stdout


def test_the_usual_way(project: Path) -> None:
    write(project / "train.ipynb", LOAD, PARAMETERS, TRAIN)
    done = cellops("execute", "train.ipynb", "-p", "seed", "8", "-o", "out.ipynb")
    assert done.returncode == 0, done.stderr
    waited = re.search(r"Executed 4 cells in ([\d.]+) s \(([\d.]+) s until the notebook was done\)", done.stdout)
    assert waited is not None
    assert float(waited[1]) > float(waited[2])
    assert "run trained finished" in done.stdout
    assert "trained" in cellops("runs").stdout
    shown = cellops("show", "trained").stdout
    assert "seed" in shown
    assert "auc" in shown
    assert "model.logisticregression__C" not in shown
    assert "model.logisticregression__C" in cellops("show", "trained", "--all").stdout
    assert f"cellops show {shown.split()[1][:8]}" in done.stdout
    assert "%mlops show" not in done.stdout + shown
    built = cellops("package", "trained", "-o", "model")
    assert built.returncode == 0, built.stderr
    assert "Serve it with: cellops serve model" in built.stdout
    again = cellops("package", "trained", "-o", "model")
    assert again.returncode == 0
    cleaned = cellops("clean", "--yes")
    assert cleaned.returncode == 0
    assert "trained" in cellops("runs").stdout


def test_a_failing_notebook_and_a_wrong_parameter_have_their_exit_codes(project: Path) -> None:
    write(project / "n.ipynb", LOAD, PARAMETERS, "1 / 0")
    done = cellops("execute", "n.ipynb")
    assert done.returncode == 1
    assert "failed in cell 3 of 3, In [3], line 1: ZeroDivisionError" in done.stderr
    done = cellops("execute", "n.ipynb", "-p", "sed", "1", "-p", "rows", "x")
    assert done.returncode == 2
    assert "did you mean seed?" in done.stderr
    assert "rows" in done.stderr


def test_ctrl_c_saves_the_notebook_and_ends_the_run_as_killed(project: Path) -> None:
    write(project / "n.ipynb", LOAD, "%%mlops run --name endless\nprint('begun', flush=True)\nwhile True: pass")
    process = subprocess.Popen(
        [sys.executable, "-m", "cellops", "execute", "n.ipynb", "-o", "out.ipynb"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "Starting the kernel" in process.stdout.readline()
    assert "cell  1 of 2" in process.stdout.readline()
    journal = project / ".cellops" / "journal"
    while not any(b"run-opened" in path.read_bytes() for path in journal.glob("*.jsonl")):
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert re.fullmatch(
        r"cellops: Stopped\. The notebook as far as it came: .*/out\.ipynb\. "
        r"The run endless is kept as killed: cellops show [0-9a-f]{8}",
        errors.strip(),
    )
    assert (project / "out.ipynb").exists()
    assert "killed" in cellops("runs").stdout


def test_ctrl_c_while_runs_are_carried_says_where_everything_is(project: Path) -> None:
    write(project / "n.ipynb", LOAD, "%%mlops run --name held\nscore = 1 / 2")
    process = subprocess.Popen(
        [sys.executable, "-m", "cellops", "execute", "n.ipynb", "-o", "out.ipynb"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert any("Carrying the runs" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode in (130, -signal.SIGINT)  # the latter where it came while Python executed a text
    assert re.fullmatch(
        r"cellops: Stopped\. All cells were executed: .*/out\.ipynb\. "
        r"The runs are carried to MLflow by: cellops sync",
        errors.strip(),
    )
    assert cellops("sync").returncode == 0
    assert "held" in cellops("runs").stdout


def test_nothing_but_the_verbs_is_offered_from_python() -> None:
    import cellops

    assert "runs" in dir(cellops)
    assert callable(cellops.runs)
    with pytest.raises(AttributeError, match="its verbs are"):
        cellops.exceute  # noqa: B018


def test_clean_that_is_declined_deletes_nothing_and_says_nothing_of_it(project: Path) -> None:
    report = project / ".cellops" / "drift" / "model" / "drift.html"
    report.parent.mkdir(parents=True)
    report.write_text("report")
    done = cellops("clean", input="n\n")
    assert (done.returncode, report.exists()) == (0, True)
    assert "Freed" not in done.stdout


STOPPED_EARLY = """
import sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "cellops.cli.verbs":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from cellops.cli import main
main(["runs"])
"""


def test_who_stops_a_command_while_it_is_imported_sees_no_traceback() -> None:
    stopped = subprocess.run([sys.executable, "-c", STOPPED_EARLY], capture_output=True, text=True, check=False)

    assert (stopped.returncode, stopped.stderr) == (130, "cellops: Stopped\n")
