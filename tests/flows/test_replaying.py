"""What executing a run again does to the world: to files, in other processes too, to programs and to the network."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cellops.errors import VerificationError
from cellops.flows.verify import verify
from cellops.records.proof import Verdict
from cellops.records.value import Covered
from support.kernel import Kernel

MODULE = """
import os, subprocess

def fork(name):
    child = os.fork()
    if not child:
        write(name)
        os._exit(0)
    os.waitpid(child, 0)

def touch():
    open("touched.txt", "a").write("x")

def write(name):
    with open("shared.txt", "a") as file:
        file.write(name)

def start(*command):
    subprocess.run(command, check=True)

def careless(*command):
    try:
        subprocess.run(command, check=True)
    except Exception:
        pass
"""
PLAIN = "%%mlops run\nscore = 0.5"


@pytest.fixture(autouse=True)
def _no_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_WRITER", "false")


@pytest.fixture
def helping(loaded: Kernel) -> Kernel:
    """A kernel with a module of the project."""
    (loaded.project / "helping.py").write_text(MODULE, encoding="utf-8")
    return loaded


IN_OTHER_PROCESSES = {
    "forked": "helping.fork('a')",
    "a pool of forks": (
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n    pool.map(helping.write, ['a', 'b'])"
    ),
    "a pool of new processes": (
        "with multiprocessing.get_context('spawn').Pool(2) as pool:\n    pool.map(helping.write, ['a', 'b'])"
    ),
    "joblib": "joblib.Parallel(n_jobs=2)(joblib.delayed(helping.write)(name) for name in ['a', 'b'])",
}


@pytest.mark.parametrize("writing", IN_OTHER_PROCESSES.values(), ids=IN_OTHER_PROCESSES)
def test_what_other_processes_of_a_cell_do_to_files_is_undone(helping: Kernel, writing: str) -> None:
    shared = helping.project / "shared.txt"
    helping.run(f"%%mlops run\nimport helping, joblib, multiprocessing, os\n{writing}\nscore = 0.5")
    assert shared.read_text(encoding="utf-8")
    shared.write_text("mine", encoding="utf-8")
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert shared.read_text(encoding="utf-8") == "mine"
    assert not [note for note in proof.notes if "was put back" in note], proof.notes


STARTING = {
    "subprocess": "helping.start('touch', 'made.txt')",
    "the shell": "shell = os.system\nshell('touch made.txt')",
    "a thread": "futures.ThreadPoolExecutor().submit(helping.start, 'touch', 'made.txt').result()",
    "asyncio": "await (await asyncio.create_subprocess_exec('touch', 'made.txt')).wait()",
    "caught": "helping.careless('touch', 'made.txt')",
}


@pytest.mark.parametrize("starting", STARTING.values(), ids=STARTING)
def test_programs_are_started_again_only_on_demand(helping: Kernel, starting: str) -> None:
    made = helping.project / "made.txt"
    helping.run(f"%%mlops run\nimport asyncio, os, helping\nfrom concurrent import futures\n{starting}\nscore = 0.5")
    made.unlink()
    with pytest.raises(VerificationError, match=r"has started touch, which was not done again\. Allow it with --com"):
        verify()
    assert not made.exists()
    proof = verify(commands_allowed=True)
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert "the replay started touch" in proof.notes
    made.unlink()


def test_processes_of_python_that_are_allowed_are_guarded_too(helping: Kernel) -> None:
    touched = helping.project / "touched.txt"
    helping.run(
        "%%mlops run\nimport helping, sys\n"
        "helping.start(sys.executable, '-c', 'import helping; helping.touch()')\nscore = 0.5"
    )
    touched.write_text("mine", encoding="utf-8")
    with pytest.raises(VerificationError, match="has started python"):
        verify()
    assert verify(commands_allowed=True).verdict is Verdict.IDENTICAL
    assert touched.read_text(encoding="utf-8") == "mine"


def test_the_environments_own_customization_still_holds(helping: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    (helping.project / "own").mkdir()
    (helping.project / "own" / "sitecustomize.py").write_text("import sys\nsys.own = True\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(helping.project / "own"), prepend=os.pathsep)
    asked = "import sys; assert sys.own and not [path for path in sys.path if path.endswith('site')]"
    helping.run(f"%%mlops run\nimport helping, sys\nhelping.start(sys.executable, '-c', {asked!r})\nscore = 0.5")
    helping.run(f"print({asked!r})")
    proof = verify(commands_allowed=True)
    assert proof.cells[-1].comparisons[0].after == "ok"


def test_libraries_may_ask_the_machine(loaded: Kernel) -> None:
    loaded.run(
        "%%mlops run\nimport os, platform\nhere = platform.processor()\nshell = os.system\n"
        "ended = shell('ls') + 0.0\nscore = 0.5"
    )
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert not [note for note in proof.notes if "the replay" in note]


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """What a server was asked, the first its address."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"42")

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        heard.append(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever).start()
        try:
            yield heard
        finally:
            server.shutdown()


def test_addresses_that_were_reached_are_told(loaded: Kernel, asked: list[str]) -> None:
    loaded.run(f"%%mlops run\nimport urllib.request\nanswer = float(urllib.request.urlopen('{asked[0]}/x').read())")
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert f"the replay reached {asked[0].removeprefix('http://')}" in proof.notes
    assert asked[1:] == ["GET /x"] * 2


@pytest.mark.parametrize(
    "sending",
    [
        "answer = float(requests.Session().post(url + '/x', data='hello').text)",
        "answer = float(urllib.request.urlopen(url + '/x', data=b'hello').read())",
    ],
)
def test_what_is_sent_is_sent_again_only_on_demand(loaded: Kernel, asked: list[str], sending: str) -> None:
    loaded.run(f"url = '{asked[0]}'\nimport requests, urllib.request")
    loaded.run(f"%%mlops run\n{sending}")
    with pytest.raises(VerificationError, match=r"has sent POST to 127\.0\.0\.1, which was not done again"):
        verify()
    assert asked[1:] == ["POST /x"]
    proof = verify(commands_allowed=True)
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert "the replay sent POST to 127.0.0.1" in proof.notes
    assert asked[1:] == ["POST /x"] * 2


def test_what_a_cell_shows_to_send_is_refused_before_a_kernel_starts(loaded: Kernel, asked: list[str]) -> None:
    loaded.run(f"%%mlops run\nimport requests\nanswer = float(requests.post('{asked[0]}/x').text)")
    with pytest.raises(VerificationError, match=r"In \[2\] sends data over the network.*Allow it with --commands"):
        verify()
    assert asked[1:] == ["POST /x"]


def test_what_ipython_numbers_has_its_number_again(kernel: Kernel) -> None:
    for source in ("'before cellops'", "'as well'", "%load_ext cellops", "values = [1, 2, 3]\nvalues"):
        kernel.run(source)
    kernel.run("'between'\nunused = 1")
    kernel.run(
        "%%mlops run\nof_out = float(len(Out[4]))\nof_name = float(len(_4))\n"
        "of_input = float(len(In[4]))\nso_far = float(len(In))\nlast = float(len(_i4))"
    )
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    executed = json.loads((Path(proof.folder) / "executed.ipynb").read_text(encoding="utf-8"))
    numbers = [cell["execution_count"] for cell in executed["cells"] if cell["cell_type"] == "code"]
    assert numbers == [1, *(cell.execution_count for cell in proof.cells)]
    assert numbers[-1] == 6


def test_a_cell_that_loads_cellops_itself_has_its_number_again(kernel: Kernel) -> None:
    kernel.run("%load_ext cellops\nvalues = [1, 2]\nvalues")
    kernel.run("%%mlops run\nsize = float(len(_1))")
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells


def test_values_that_the_run_has_not_read_are_not_read_again(loaded: Kernel) -> None:
    loaded.run("import numpy as np\nlarge = [str(number) for number in range(300_000)]\nsmall = np.arange(3)")
    (held,) = [value for value in loaded.cells()[-1].values if value.name == "large"]
    assert held.covered is Covered.NOTHING
    loaded.run("%%mlops run\nsize = float(len(large) + small.sum())")
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    found = {one.name: one for one in proof.cells[0].comparisons}
    assert found["large"].note == "it is too large to be read in passing"
    assert found["small"].verdict is Verdict.IDENTICAL


CAUSES = {
    "tracking-store": [
        "import mlflow\nnames = [run.info.run_name for run in mlflow.search_runs(output_format='list')]"
    ],
    "environment-variables": ["import os\nnames = dict(os.environ)"],
    "changed-data": [
        "import pathlib\nplace = pathlib.Path('count.txt')",
        "text = open('count.txt').read()\nnames = text + 'x'\nwritten = open('count.txt', 'w').write(names)",
    ],
}


@pytest.mark.parametrize(("cause", "cells"), CAUSES.items(), ids=CAUSES)
def test_what_stands_around_the_cells_is_named_as_the_cause(kernel: Kernel, cause: str, cells: list[str]) -> None:
    (kernel.project / "count.txt").write_text("x", encoding="utf-8")
    earlier = "import mlflow\nwith mlflow.start_run(run_name='earlier'):\n    pass"
    for cell in (earlier, "%load_ext cellops", *cells):
        assert kernel.run(cell).status == "ok"
    kernel.run("%%mlops run\nsize = float(len(names))")
    proof = verify()
    assert proof.verdict is Verdict.DIVERGED
    assert proof.causes[0].code == cause, proof.causes


def test_a_file_that_the_notebook_has_written_since_is_named(loaded: Kernel) -> None:
    (loaded.project / "count.txt").write_text("1", encoding="utf-8")
    loaded.run("count = float(open('count.txt').read())")
    writing = loaded.run("written = open('count.txt', 'w').write(str(count + 1))").execution_count
    loaded.run("%%mlops run\ntwice = count * 2")
    proof = verify()
    assert proof.verdict is Verdict.DIVERGED
    assert proof.causes[0].text == f"count.txt is not what the run has read: In [{writing}] has written to it since"


def test_modules_that_are_imported_again_leave_no_bytecode(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    (project / "late.py").write_text("VALUE = 1\n", encoding="utf-8")
    kernel = Kernel(project, {"CELLOPS_WRITER": "false"})
    try:
        kernel.run("%load_ext cellops")
        behind = "def later(_):\n    if 'score' in globals(): import late\n"
        kernel.run(f"{behind}get_ipython().events.register('post_run_cell', later)")
        kernel.run("%%mlops run\nscore = 0.5 if later else 0.0")
    finally:
        kernel.stop()
    shutil.rmtree(project / "__pycache__")
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert not [note for note in proof.notes if "put back" in note]
    assert not (project / "__pycache__").exists()
    assert not (Path(proof.folder) / "found").exists()
