"""What would break a capture that is not careful: each has a stated behaviour, and the cell is never hurt."""

import pytest

from cellops.capture.files.watcher import completed
from cellops.records.cell import Outcome
from cellops.records.run import RunStatus
from cellops.records.slice import Slice
from support.kernel import Kernel
from support.permissions import OBEY_PERMISSIONS


@pytest.fixture
def plain_user(kernel: Kernel) -> Kernel:
    """A kernel for which the permissions of files hold, whoever runs the tests."""
    assert kernel.run(OBEY_PERMISSIONS).status == "ok"
    return kernel


def test_a_read_only_folder_is_said_once_and_the_cells_run_as_ever(plain_user: Kernel) -> None:
    folder = plain_user.project / ".cellops"
    (folder / "kept").touch()
    folder.chmod(0o500)
    done = plain_user.run("%load_ext cellops")
    assert (done.status, len(done.traceback.splitlines())) == ("error", 1)
    assert f"cellops cannot keep its files in {folder}: Permission denied" in done.traceback
    assert plain_user.run("6 * 7").results == ["42"]
    assert [path.name for path in folder.iterdir()] == ["kept"]


def test_a_folder_that_becomes_read_only_costs_the_model_and_not_the_run(plain_user: Kernel) -> None:
    assert plain_user.run("%load_ext cellops").status == "ok"
    folder = plain_user.project / ".cellops"
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        path.chmod(0o500)
    done = plain_user.run(
        "%%mlops run\nimport pandas as pd\nfrom sklearn.linear_model import Ridge\ndepth = 3\n"
        "X, y = pd.DataFrame({'a': [1.0, 2.0, 4.0]}), pd.Series([1.0, 2.0, 3.0])\nmodel = Ridge().fit(X, y)\n"
        "score = model.score(X, y) / 1"
    )
    assert (done.status, done.errors) == ("ok", [])
    run = plain_user.closed()[-1]
    assert (run.status, run.parameters["depth"], list(run.metrics), run.models) == (
        RunStatus.FINISHED,
        3,
        ["score"],
        (),
    )
    lost = [finding for finding in run.findings if finding.code == "incomplete-evidence"]
    assert [(finding.where, "Permission denied" in finding.seen) for finding in lost] == [("model model", True)]


def test_a_file_that_may_not_be_read_says_so(plain_user: Kernel) -> None:
    assert plain_user.run("%load_ext cellops").status == "ok"
    path = plain_user.project / "closed.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    done = plain_user.run("import polars as pl\npl.read_csv('closed.csv')")
    assert done.errors[0]["ename"] == "PermissionError"
    record = plain_user.cells()[-1]
    assert record.outcome is Outcome.ERROR
    assert [(file.path, file.method, file.reason) for file in record.files] == [
        ("closed.csv", "metadata-only", "it could not be read: Permission denied")
    ]


def test_an_enormous_file_is_never_read_in_front_of_a_cell(loaded: Kernel) -> None:
    with (loaded.project / "huge.bin").open("wb") as file:
        file.truncate(100 * 2**30)
    assert loaded.run("begin = open('huge.bin', 'rb').read(4)\nbegin").results == [r"b'\x00\x00\x00\x00'"]
    (use,) = loaded.cells()[-1].files
    assert (use.path, use.size, use.method) == ("huge.bin", 100 * 2**30, "deferred")
    assert loaded.run("%%mlops run\nlength = len(begin) / 1").status == "ok"
    assert [file.path for file in loaded.closed()[-1].files] == ["huge.bin"]
    whole = completed(use, loaded.project)
    assert (whole.method, whole.reason) == (
        "sampled",
        "1024 blocks of 1048576 bytes were hashed: the file is too large",
    )


@pytest.mark.parametrize(
    ("lines", "widened"),
    [(10_000, ()), (30_000, ("In [3] may have used and changed anything: it is very long",))],
)
def test_a_very_long_cell_is_recorded_and_stands_in_the_slice(
    loaded: Kernel, lines: int, widened: tuple[str, ...]
) -> None:
    loaded.run("begin = 1")
    done = loaded.run("\n".join(["x0 = begin", *(f"x{n} = x{n - 1} + 1" for n in range(1, lines)), f"x{lines - 1}"]))
    assert done.results == [str(lines)]
    record = loaded.cells()[-1]
    assert record.reads == ("begin", *(f"x{n}" for n in range(lines)))
    assert record.writes == tuple(f"x{n}" for n in range(lines))
    loaded.run(f"%%mlops run\ntotal = x{lines - 1} / {lines}")
    assert loaded.closed()[-1].metrics == {"total": 1.0}
    assert loaded.closed()[-1].slice == Slice(cells=(1, 2, 3), widened=widened)


ENDLESS = """
import time
import numpy as np, pandas as pd
METHODS = ("repr", "str", "len", "eq", "ne", "bool", "iter", "hash", "getitem", "contains", "float", "int", "index",
    "reduce_ex", "getstate", "copy", "deepcopy", "array", "array_ufunc", "format", "sizeof", "dir", "getattr", "call")
def endless(*given, **named): time.sleep(10**6)
def slowed(*bases): return type("Slow", bases, {f"__{name}__": endless for name in METHODS})
slow = slowed(object)()
values = [slow, slowed(list)([1]), slowed(dict)(a=1), slowed(str)("text"), slowed(float)(2.0), slowed(int)(3)]
values += [slowed(tuple)()]
values += [np.zeros(2).view(slowed(np.ndarray)), object.__new__(slowed(pd.DataFrame))]
of_class, of_list, of_dict, of_text, of_float, of_int, of_tuple, of_array, of_frame = values
METHODS = [name for name in METHODS if name not in ("hash", "eq", "ne")]  # classes are keys of dictionaries
of_type = slowed(type)("Of", (), {})
error, kind, of_kind = slowed(ValueError)(), slowed(Exception), object.__new__(of_type)
"""


def test_objects_that_never_answer_are_never_asked(loaded: Kernel) -> None:
    cells = (
        ENDLESS,
        "other, rest = of_list, [of_frame, {'inside': of_array}]",
        "def give(value): return value\nmade = give(of_float)",
        "%%mlops run\nheld = {'a': of_int, 'b': of_text}\nlast = of_float\nresult = made\nmodel = of_kind\nn = 2 / 4",
    )
    for cell in cells:
        done = loaded.run(cell)
        assert (done.status, done.errors) == ("ok", []), done
    run = loaded.closed()[-1]
    assert (run.metrics, [f.code for f in run.findings]) == (
        {"held.a": 3.0, "last": 2.0, "result": 2.0, "n": 0.5},
        ["no-repository"],
    )
    assert run.slice is not None
    assert run.slice.cells == (1, 3, 4)
    assert "capture failed" not in loaded.run("%mlops status").streams


FORKS = """
import os, multiprocessing
def child(queue): queue.put(os.getpid())
_pid = os.fork()
if _pid == 0:
    inside = 1
    os._exit(7)
ended = os.waitstatus_to_exitcode(os.waitpid(_pid, 0)[1])
queue = multiprocessing.get_context("fork").SimpleQueue()
process = multiprocessing.get_context("fork").Process(target=child, args=(queue,))
process.start()
process.join()
ended, queue.get() == process.pid, process.exitcode
"""


def test_what_a_forked_child_does_is_in_nobodys_record(loaded: Kernel) -> None:
    done = loaded.run(f"%%mlops run\n{FORKS}")
    assert done.results == ["(7, True, 0)"]
    assert [type(event).__name__ for event in loaded.events()] == [
        "SessionOpened",
        "RunOpened",
        "CellRecord",
        "RunClosed",
    ]
    (record,) = loaded.cells()
    assert (record.outcome, record.changed, loaded.closed()[-1].metrics) == (Outcome.OK, (), {"ended": 7.0})


def test_two_kernels_of_one_project_write_two_journals(loaded: Kernel) -> None:
    other = Kernel(loaded.project, {"CELLOPS_WRITER": "false"})
    try:
        assert other.run("%load_ext cellops").status == "ok"
        for number in range(5):
            sent = [(kernel, kernel.send(f"value = {number}")) for kernel in (loaded, other)]
            assert [kernel.wait(cell).status for kernel, cell in sent] == ["ok", "ok"]
        journals = sorted((loaded.project / ".cellops" / "journal").glob("*.jsonl"))
        assert len(journals) == 2
        sessions = [{cell.session for cell in loaded.cells() if cell.session == path.stem} for path in journals]
        assert sessions == [{path.stem} for path in journals]
        assert [cell.order for cell in loaded.cells()] == [1, 2, 3, 4, 5] * 2
    finally:
        other.stop()
