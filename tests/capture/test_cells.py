"""A cell under a header is the plain cell that it would be without one, in a real kernel."""

import json
import re
import signal

import pytest

from cellops.records.cell import Outcome
from cellops.records.run import RunStatus
from support.kernel import Kernel


def test_result_history_and_underscore_are_those_of_a_plain_cell(loaded: Kernel) -> None:
    done = loaded.run("%%mlops run\nanswer = 6 * 7\nanswer")
    assert (done.status, done.results) == ("ok", ["42"])
    assert loaded.run("_").results == ["42"]
    assert loaded.run(f"Out[{done.execution_count}]").results == ["42"]
    assert loaded.run(f"In[{done.execution_count}]").results == ["'# %%mlops run\\nanswer = 6 * 7\\nanswer'"]


def test_top_level_await_works_below_a_header(loaded: Kernel) -> None:
    done = loaded.run("%%mlops run\nimport asyncio\nvalue = await asyncio.sleep(0, 7)\nvalue")
    assert done.results == ["7"]
    assert loaded.cells()[-1].outcome is Outcome.OK


def test_an_exception_has_the_traceback_of_a_plain_cell(kernel: Kernel) -> None:
    plain = kernel.run("# %%mlops run\nzero = 0\n1 / zero")
    kernel.run("%load_ext cellops")
    done = kernel.run("%%mlops run\nzero = 0\n1 / zero")
    assert done.status == plain.status == "error"
    assert _without_count(done.traceback) == _without_count(plain.traceback)
    record = kernel.cells()[-1]
    assert (record.outcome, record.error and record.error.type, record.error and record.error.line) == (
        Outcome.ERROR,
        "ZeroDivisionError",
        3,
    )
    assert kernel.closed()[-1].status is RunStatus.FAILED


def _without_count(traceback: str) -> list[str]:
    """A traceback without the execution count in `Cell In[3]`."""
    return ["" if "Cell" in line and "In[" in line else line for line in traceback.splitlines()]


@pytest.mark.parametrize("header", ["%%mlops run\n%%time\n", "%%time\n%%mlops run\n", "%%capture held\n%%mlops run\n"])
def test_a_run_is_recorded_once_when_headers_are_stacked(loaded: Kernel, header: str) -> None:
    done = loaded.run(f"{header}import math\nroot = math.sqrt(2)")
    assert done.status == "ok"
    assert [run.metrics for run in loaded.closed()] == [{"root": pytest.approx(2**0.5)}]
    assert len([cell for cell in loaded.cells() if cell.run]) == 1
    if "%%time" in header:
        assert "Wall time" in done.streams


PRINT = "print('on the way', flush=True)"


@pytest.mark.parametrize(
    "body",
    [
        f"{PRINT}\nwhile True: pass",
        # printed by the loop, once the cell waits
        f"import asyncio\nasyncio.get_running_loop().call_soon(lambda: {PRINT})\nawait asyncio.sleep(1000)",
    ],
    ids=["plain", "awaiting"],
)
def test_an_interrupt_stops_the_cell_and_kills_the_run(loaded: Kernel, body: str) -> None:
    sent = loaded.send(f"%%mlops run\n{body}")
    loaded.wait_for_output("on the way")
    loaded.manager.interrupt_kernel()
    loaded.client.kernel_info()  # a waiting event loop sees the signal with its next message
    assert loaded.wait(sent).status == "error"
    assert loaded.cells()[-1].outcome is Outcome.INTERRUPTED
    assert loaded.closed()[-1].status is RunStatus.KILLED
    assert loaded.run("1 + 1").results == ["2"]
    assert loaded.cells()[-1].outcome is Outcome.OK


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%mlops rnu\nran = True", "There is no verb rnu. Did you mean run?"),
        ("%%mlops run --sed 3\nran = True", "No such option '--sed'. Did you mean '--seed'?"),
        ("%%mlops run --seed many\nran = True", "Invalid value for '--seed'"),
        ("%%mlops run 'half\nran = True", "Close the quotation mark"),
        ("%%mlops run --name x \\\nran = True", "Take the backslash at its end away"),
        ("%%mlops run --train X\nran = True", "does not name two tables"),
        ("%%mlops run --train X,\nran = True", "does not name two tables"),
        ("%%mlops run --train 'X[['\nran = True", "does not name two tables"),
        ("%%mlops run --train X y\nran = True", "no blank between them"),
        ("get_ipython().run_cell_magic('mlops', 'run', 'ran = True')", "stands where cellops cannot see it"),
        ("%mlops rns", "There is no verb rns. Did you mean runs?"),
        ("%%mlops expect nothing_here\nexpect_column_to_exist('a')", "There is no DataFrame nothing_here"),
    ],
)
def test_a_wrong_header_is_one_clear_line_and_the_body_does_not_run(loaded: Kernel, cell: str, said: str) -> None:
    done = loaded.run(cell)
    assert done.status == "error"
    assert said in done.traceback
    assert len(done.traceback.splitlines()) == 1
    assert loaded.run("'ran' in dir()").results == ["False"]
    assert loaded.opened() == []
    assert "No findings" in loaded.run("%mlops status").streams


@pytest.mark.parametrize("cell", ["%%mlops run --help\nran = True", "%%mlops\nran = True", "%mlops", "%mlops --help"])
def test_help_is_shown_once_and_nothing_runs(loaded: Kernel, cell: str) -> None:
    done = loaded.run(cell)
    assert done.status == "ok"
    assert done.streams.count("Usage:") == 1
    assert loaded.run("'ran' in dir()").results == ["False"]
    assert loaded.opened() == []


@pytest.mark.parametrize(
    "cell",
    ["    %%mlops run\n    depth = 3", "\n\n%%mlops run\ndepth = 3", "%%mlops run\n\n# timed\n%%time\ndepth = 3"],
    ids=["indented", "below blank lines", "above another magic"],
)
def test_a_header_is_recorded_wherever_it_is_taken_off(loaded: Kernel, cell: str) -> None:
    assert loaded.run(cell).status == "ok"
    assert [run.parameters for run in loaded.closed()] == [{"depth": 3}]


def test_a_cell_that_runs_another_cell_stays_open(loaded: Kernel) -> None:
    loaded.run("%%mlops run --name outer\n_ = get_ipython().run_cell('inner = 1', store_history=True)\nscore = 2 / 4")
    assert [(run.status, run.metrics) for run in loaded.closed()] == [(RunStatus.FINISHED, {"score": 0.5})]
    assert [(cell.order, cell.outcome) for cell in loaded.cells()] == [(2, Outcome.OK), (1, Outcome.OK)]


def test_a_session_that_cannot_be_opened_leaves_no_magic_that_would_lose_a_cell(kernel: Kernel) -> None:
    (kernel.project / ".cellops").mkdir(exist_ok=True)
    (kernel.project / ".cellops" / "journal").write_text("in the way")
    said = kernel.run("%load_ext cellops").traceback
    assert said == (
        f"SettingsError: cellops cannot keep its files in {kernel.project / '.cellops' / 'journal'}: File exists. "
        "Make it a folder that you can write, or name another with CELLOPS_FOLDER"
    )
    assert "not found" in kernel.run("%%mlops run\nran = True").streams


def test_a_header_of_a_magic_that_takes_text_is_left_alone(loaded: Kernel) -> None:
    done = loaded.run("%%writefile note.txt\n%%mlops run\nkept as text")
    assert done.status == "ok"
    assert (loaded.project / "note.txt").read_text() == "%%mlops run\nkept as text\n"


def test_a_notebook_that_knows_nothing_of_cellops_gives_the_same_outputs(kernel: Kernel) -> None:
    cells = [
        "x = 1\nx",
        "print('out')\nx + 1",
        "def f():\n    return _\nf()",
        "%time y = 2",
        "!echo shell",
        "x +",
        "zz",
    ]
    before = [kernel.run(cell) for cell in cells]
    kernel.run("%reset -f")
    kernel.run("%load_ext cellops")
    after = [kernel.run(cell) for cell in cells]
    for was, now in zip(before, after, strict=True):
        assert (now.status, now.results) == (was.status, was.results)
        assert now.streams.partition("CPU")[0] == was.streams.partition("CPU")[0]
        assert [e["ename"] for e in now.errors] == [e["ename"] for e in was.errors]


def test_the_record_is_on_disk_before_the_next_cell_and_survives_a_kill(loaded: Kernel) -> None:
    loaded.run("kept = 1", cell_id="cell-a")
    loaded.run("%%mlops run --name lost\nprint('begun', flush=True)")
    sent = loaded.send("%%mlops run --name open\nprint('begun', flush=True)\nwhile True: pass")
    assert sent
    loaded.wait_for_output("begun")
    loaded.manager.provisioner.process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]
    loaded.manager.provisioner.process.wait()  # type: ignore[union-attr]
    assert [cell.source for cell in loaded.cells()][:1] == ["kept = 1"]
    assert loaded.cells()[0].cell_id == "cell-a"
    assert [run.name for run in loaded.opened()] == ["lost", "open"]
    assert len(loaded.closed()) == 1


FILL_THE_DISK = (
    "import os\njournal = get_ipython().cellops._session.journal._journal._descriptor\nkept = os.dup(journal)\n"
    "_ = os.dup2(os.open('/dev/full', os.O_WRONLY), journal)"
)
FREE_THE_DISK = "_ = os.dup2(kept, journal)"


def test_a_full_disk_is_a_finding_and_the_cell_is_not_hurt(loaded: Kernel) -> None:
    loaded.run(FILL_THE_DISK)
    done = loaded.run("2 + 2")
    assert (done.status, done.results, done.errors) == ("ok", ["4"], [])
    assert "capture failed: OSError" in loaded.run("%mlops status").streams


def test_records_that_a_full_disk_refused_are_written_when_there_is_room(loaded: Kernel) -> None:
    loaded.run(FILL_THE_DISK)
    done = loaded.run("%%mlops run --name squeezed\ndepth = 3")
    assert done.status == "ok"
    assert "No space left on device" in done.streams
    assert loaded.closed() == []
    loaded.run(FREE_THE_DISK)
    assert [cell.order for cell in loaded.cells()] == [1, 2, 3]
    assert [run.parameters for run in loaded.closed()] == [{"depth": 3}]
    assert [type(event).__name__ for event in loaded.events()[1:4]] == ["CellRecord", "RunOpened", "CellRecord"]


def test_names_randomness_and_paths_are_recorded(loaded: Kernel) -> None:
    loaded.run("import random\nlimit = 10")
    loaded.run("values = [random.random() for _ in range(limit)]\npath = '/home/someone/data.csv'")
    record = loaded.cells()[-1]
    assert sorted(record.reads) == ["limit", "random"]
    assert record.writes == ("values", "path")
    assert {finding.code for finding in record.findings} == {"unseeded-randomness", "hard-coded-path"}
    loaded.run("random.seed(1)")
    loaded.run("random.random()")
    assert loaded.cells()[-1].findings == ()


def test_secrets_do_not_reach_the_journal(loaded: Kernel) -> None:
    token = "ghp_" + "a1B2" * 10
    loaded.run(f"token = {token!r}\npassword = 'hunter2222'")
    loaded.run(f"%%mlops run\nused = {token!r}\nraise ValueError(used)")
    text = b"".join(path.read_bytes() for path in (loaded.project / ".cellops").rglob("*.jsonl")).decode()
    assert "[redacted]" in text
    assert token not in text
    assert "hunter2222" not in text


def test_seed_makes_a_run_repeatable(loaded: Kernel) -> None:
    loaded.run("import random\nimport numpy as np")
    cell = "%%mlops run --seed 11\ndrawn = random.random() + np.random.rand()\ndrawn"
    assert loaded.run(cell).results == loaded.run(cell).results
    assert [f.code for f in loaded.cells()[-1].findings if f.code == "unseeded-randomness"] == []


def test_importing_a_library_is_no_randomness_of_the_cell(loaded: Kernel) -> None:
    loaded.run("import sklearn.ensemble\nimport scipy.stats\ndepth = 3")
    assert loaded.cells()[-1].findings == ()


def test_an_error_that_is_no_text_is_recorded(loaded: Kernel) -> None:
    loaded.run("%%mlops run\nraise OSError('no file b\\udcff')")
    assert loaded.cells()[-1].error.message == "no file b\\udcff"  # type: ignore[union-attr]
    assert loaded.closed()[-1].status is RunStatus.FAILED


def test_unloading_takes_everything_away(loaded: Kernel) -> None:
    loaded.run("%unload_ext cellops")
    count = len(loaded.cells())
    assert loaded.run("3").results == ["3"]
    assert len(loaded.cells()) == count
    assert "not found" in loaded.run("%%mlops run\n1").streams.lower()
    assert loaded.run("%load_ext cellops").status == "ok"
    loaded.run("4")
    assert loaded.cells()[-1].source == "4"


def test_capture_is_switched_off_by_a_setting(kernel: Kernel) -> None:
    kernel.run("%env CELLOPS_CAPTURE=false")
    assert kernel.run("%load_ext cellops").status == "ok"
    assert kernel.run("%%mlops run\n1").results == ["1"]
    assert kernel.cells() == []
    assert "There is no verb rnu" in kernel.run("%%mlops rnu\n1").traceback
    assert "captures nothing" in kernel.run("%mlops status").traceback


def test_parameters_and_literals_are_parameters_and_numbers_are_metrics(loaded: Kernel) -> None:
    loaded.run("%%mlops parameters\nmonths: list[int] = [1, 2]\nseed = 3")
    loaded.run(
        "%%mlops run --name numbers\nrate, note = 0.1, 'tried'\n"
        "losses = {'train': rate * 2, 'test': rate * 3}\n"
        "for step in range(3):\n    loss = 1 / (step + 1)\n_hidden = rate * 2"
    )
    run = loaded.closed()[-1]
    assert run.parameters == {"months": [1, 2], "seed": 3, "rate": 0.1, "note": "tried"}
    assert run.metrics == {
        "losses.train": pytest.approx(0.2),
        "losses.test": pytest.approx(0.3),
        "loss": pytest.approx(1 / 3),
    }
    assert json.loads(run.to_json())["status"] == "FINISHED"


def test_a_generator_that_a_cell_imports_and_uses_is_noticed(loaded: Kernel) -> None:
    loaded.run("import numpy as np\nmean = np.mean([1, 2])")
    assert loaded.cells()[-1].findings == ()
    loaded.run("drawn = np.random.rand()")
    assert [finding.code for finding in loaded.cells()[-1].findings] == ["unseeded-randomness"]


def test_a_metric_that_is_not_finite_is_a_finding_and_the_run_is_whole(loaded: Kernel) -> None:
    loaded.run("%%mlops run\nimport math\nloss = 2 * math.nan\ngrown = math.inf * 2\nok = 1 / 2")
    run = loaded.closed()[-1]
    assert run.metrics == {"ok": 0.5}
    assert sorted(f.seen.split()[0] for f in run.findings if f.code == "metric-not-finite") == ["grown", "loss"]


def test_an_estimator_that_is_fitted_as_it_is_made_shows_its_tables(loaded: Kernel) -> None:
    loaded.run(
        "%%mlops run\nimport pandas as pd\nfrom sklearn.linear_model import LinearRegression\n"
        "X = pd.DataFrame({'a': [1.0, 2.0, 4.0]})\ny = pd.Series([1.0, 2.0, 3.0])\nmodel = LinearRegression().fit(X, y)"
    )
    run = loaded.closed()[-1]
    assert [(table.name, table.role) for table in run.data] == [("X", "training"), ("y", "training")]
    assert run.contract is not None


def test_places_are_named_as_the_notebook_names_them(loaded: Kernel) -> None:
    """`In [n]`, also where the trail counts otherwise: the cell that loaded cellops is not on it."""
    done = loaded.run("path = '/home/someone/a.csv'")
    (cell,) = loaded.cells()
    assert (cell.order, cell.execution_count, done.execution_count) == (1, 2, 2)
    assert [finding.where for finding in cell.findings] == ["In [2], line 1"]
    assert "In [2], line 1: " in loaded.run("%mlops status").streams


def test_status_says_what_capturing_costs_and_how_to_stop_it(loaded: Kernel) -> None:
    loaded.run("x = 1")
    said = loaded.run("%mlops status").streams
    assert re.search(r"1 cell, \d+\.\d\d ms each at the median, 0 runs", said)
    assert "Switch off: %unload_ext cellops" in said
