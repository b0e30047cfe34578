"""Names, slices and hidden state in real kernels, one order of execution each."""

import os
import signal
from pathlib import Path

import pytest

from cellops.records.cell import CellRecord
from cellops.records.slice import Slice
from support import notebooks
from support.kernel import Kernel

HIDDEN = {"cell-edited", "cell-deleted", "out-of-order"}


def _slice(kernel: Kernel) -> Slice:
    found = kernel.closed()[-1].slice
    assert found is not None
    return found


def _hidden(kernel: Kernel) -> list[tuple[str, str]]:
    """The findings of hidden state on the last run, each with what was seen up to the comma."""
    return [(f.code, f.seen.partition(",")[0]) for f in kernel.closed()[-1].findings if f.code in HIDDEN]


def _cell(kernel: Kernel, order: int) -> CellRecord:
    return next(cell for cell in kernel.cells() if cell.order == order)


@pytest.fixture
def notebook(kernel: Kernel) -> Path:
    """The notebook that a front end says the kernel belongs to; cellops is loaded."""
    path = notebooks.write(kernel.project / "work.ipynb", "x = 1")
    kernel.run(f"import os\nos.environ['JPY_SESSION_NAME'] = {str(path)!r}")
    assert kernel.run("%load_ext cellops").status == "ok"
    return path


def test_cells_that_a_run_does_not_use_are_not_in_its_slice(loaded: Kernel) -> None:
    loaded.run("import pandas as pd\nframe = pd.DataFrame({'a': [1, 2, 3]})")
    loaded.run("frame.head()\nprint(len(frame))\nframe.describe()")
    loaded.run("other = 7")
    loaded.run("frame['b'] = frame['a'] * 2")
    loaded.run("%%mlops run\ntotal = int(frame['b'].sum())")
    assert _slice(loaded) == Slice(cells=(1, 4, 5))
    assert _cell(loaded, 4).reads == ("frame",)
    assert _cell(loaded, 4).writes == ("frame",)
    assert _hidden(loaded) == []


def test_models_fitted_on_the_same_table_do_not_depend_on_each_other(loaded: Kernel) -> None:
    loaded.run(
        "import numpy as np\nfrom sklearn.linear_model import Ridge\nfrom sklearn.metrics import r2_score\n"
        "X = np.array([[1.0], [2.0], [4.0]])\ny = np.array([1.0, 2.0, 3.0])"
    )
    loaded.run("first = Ridge().fit(X, y)")
    loaded.run("second = Ridge()\nsecond.fit(X, y)")
    loaded.run("%%mlops run\nscore = r2_score(y, second.predict(X))")
    assert _slice(loaded) == Slice(cells=(1, 3, 4))


def test_cells_run_out_of_order(kernel: Kernel, notebook: Path) -> None:
    notebooks.write(notebook, "%%mlops run\ntotal = price * 2", "price = 4")
    kernel.run("price = 4", cell_id="cell-1")
    kernel.run("%%mlops run\ntotal = price * 2", cell_id="cell-0")
    assert _slice(kernel) == Slice(cells=(1, 2))
    assert _hidden(kernel) == [("out-of-order", "price was bound by In [3]")]


def test_a_cell_edited_and_executed_again_between(loaded: Kernel) -> None:
    loaded.run("rate = 3\nlimit = 5", cell_id="cell-a")
    loaded.run("limit = 6", cell_id="cell-a")
    loaded.run("%%mlops run\ntotal = rate * limit", cell_id="cell-b")
    assert _slice(loaded) == Slice(cells=(1, 2, 3))
    assert _hidden(loaded) == [("cell-edited", "rate was bound by In [2]")]
    assert "rate was bound by In [2], which has been edited since" in loaded.run("%mlops status").streams


def test_a_cell_edited_and_not_executed_again(kernel: Kernel, notebook: Path) -> None:
    kernel.run("rate = 3", cell_id="cell-0")
    notebooks.write(notebook, "rate = 4", "%%mlops run\ntotal = rate * 2")
    kernel.run("%%mlops run\ntotal = rate * 2", cell_id="cell-1")
    assert _slice(kernel) == Slice(cells=(1, 2))
    assert _hidden(kernel) == [("cell-edited", "rate was bound by In [3]")]
    kernel.run("rate = 4", cell_id="cell-0")
    kernel.run("%%mlops run\ntotal = rate * 2", cell_id="cell-1")
    assert _hidden(kernel) == []


def test_a_cell_deleted_from_the_notebook(kernel: Kernel, notebook: Path) -> None:
    kernel.run("rate = 3", cell_id="gone")
    notebooks.write(notebook, "%%mlops run\ntotal = rate * 2")
    kernel.run("%%mlops run\ntotal = rate * 2", cell_id="cell-0")
    assert _hidden(kernel) == [("cell-deleted", "rate was bound by In [3]")]


def test_a_notebook_that_was_saved_before_says_nothing_of_what_ran_since(kernel: Kernel, notebook: Path) -> None:
    os.utime(notebook, (1, 1))
    kernel.run("rate = 3", cell_id="new")
    kernel.run("%%mlops run\ntotal = rate * 2", cell_id="newer")
    assert _hidden(kernel) == []


def test_a_damaged_notebook_is_as_good_as_none(kernel: Kernel, notebook: Path) -> None:
    notebook.write_text('{"cells": [')
    kernel.run("rate = 3", cell_id="cell-0")
    assert kernel.run("%%mlops run\ntotal = rate * 2", cell_id="cell-1").status == "ok"
    assert (_slice(kernel), _hidden(kernel)) == (Slice(cells=(1, 2)), [])


def test_an_interrupted_cell_that_a_run_uses(loaded: Kernel) -> None:
    sent = loaded.send("steps = [1]\nprint('on the way', flush=True)\nwhile True: steps.append(1)")
    loaded.wait_for_output("on the way")
    loaded.manager.interrupt_kernel()
    loaded.wait(sent)
    loaded.run("%%mlops run\ntotal = len(steps) > 0")
    found = _slice(loaded)
    assert found.cells == (1, 2)
    assert found.widened == ("In [2] was interrupted: it does not end in the same place again",)


def test_a_cell_that_failed_half_way(loaded: Kernel) -> None:
    loaded.run("first, second = 1, 1")
    loaded.run("first = 10\n1 / 0\nsecond = 20")
    loaded.run("%%mlops run\ntotal = first + second")
    assert loaded.closed()[-1].metrics == {"total": 11.0}
    assert _slice(loaded) == Slice(cells=(1, 2, 3))
    loaded.run("%%mlops run\ntotal = second * 2")
    assert _slice(loaded) == Slice(cells=(1, 4))


def test_a_killed_kernel_leaves_the_names_of_its_cells(loaded: Kernel) -> None:
    loaded.run("values = [1]")
    loaded.run("again = values\nagain.append(2)")
    loaded.send("%%mlops run\nprint('begun', flush=True)\nwhile True: pass")
    loaded.wait_for_output("begun")
    loaded.manager.provisioner.process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]
    loaded.manager.provisioner.process.wait()  # type: ignore[union-attr]
    assert [(cell.reads, cell.writes) for cell in loaded.cells()] == [
        ((), ("values",)),
        (("values", "again"), ("again",)),
    ]
    assert _cell(loaded, 2).effects.aliases == {"again": ("values",)}  # type: ignore[union-attr]


def test_a_cell_that_executes_another(loaded: Kernel) -> None:
    loaded.run("base = 2")
    loaded.run("_ = get_ipython().run_cell('made = base * 3', store_history=True)")
    loaded.run("%%mlops run\ntotal = made / 2")
    assert _cell(loaded, 2).changed == ("made",)
    found = _slice(loaded)
    assert found.cells == (1, 2, 4)
    assert found.widened == ("In [3] may have used and changed anything: get_ipython().run_cell",)


def test_a_script_that_is_run(loaded: Kernel) -> None:
    (loaded.project / "script.py").write_text("size = 3\ndef grow(): return size + 1\n")
    loaded.run("unused = 1")
    loaded.run("%run script.py")
    loaded.run("%%mlops run\ntotal = grow() / size")
    assert set(_cell(loaded, 2).changed) == {"size", "grow"}
    assert _slice(loaded).cells == (2, 3)


def test_a_star_import(loaded: Kernel) -> None:
    loaded.run("pi = 3")
    loaded.run("from math import *")
    loaded.run("%%mlops run\narea = pi * 2")
    record = _cell(loaded, 2)
    assert "pi" in record.changed
    assert record.uncertain == ("star import",)
    assert _slice(loaded) == Slice(cells=(2, 3))


def test_code_in_a_text(loaded: Kernel) -> None:
    loaded.run("base, name = 2, 'made'")
    loaded.run("exec(f'{name} = base * 3')\nexec('known = 1')")
    loaded.run("%%mlops run\ntotal = made + known")
    record = _cell(loaded, 2)
    assert (record.changed, record.writes, record.uncertain) == (("made",), ("known",), ("exec",))
    assert _slice(loaded) == Slice(cells=(1, 2, 3), widened=("In [3] may have used and changed anything: exec",))


def test_a_name_that_was_deleted(loaded: Kernel) -> None:
    loaded.run("kept, lost = 1, 2")
    loaded.run("del lost")
    loaded.run("%%mlops run\ntotal = kept + ('lost' in dir())")
    assert _cell(loaded, 2).deleted == ("lost",)
    loaded.run("%%mlops run\ntry:\n    total = lost\nexcept NameError:\n    total = kept")
    assert _slice(loaded) == Slice(cells=(1, 2, 4))


def test_a_table_changed_under_another_name(loaded: Kernel) -> None:
    loaded.run("import numpy as np\nvalues = np.zeros(3)")
    loaded.run("held = {'part': values[:2]}")
    loaded.run("held['part'][0] = 5.0")
    loaded.run("def fill(given): given[1] = 7.0")
    loaded.run("fill(held['part'])")
    loaded.run("%%mlops run\ntotal = float(values.sum()) / 1")
    assert loaded.closed()[-1].metrics == {"total": 12.0}
    found = _slice(loaded)
    assert found.cells == (1, 2, 3, 4, 5, 6)
    assert "In [6] may have changed held" in found.widened


def test_a_function_reads_names_where_it_is_called(loaded: Kernel) -> None:
    loaded.run("def price(): return base * rate")
    loaded.run("base = 2")
    loaded.run("rate = 3")
    loaded.run("unused = price()")
    loaded.run("rate = 4")
    loaded.run("%%mlops run\ntotal = price() / 2")
    assert _slice(loaded) == Slice(cells=(1, 2, 5, 6))


def test_a_cell_that_awaits(loaded: Kernel) -> None:
    loaded.run("import asyncio\nresults = []")
    loaded.run("async def work(n):\n    await asyncio.sleep(0)\n    results.append(n)")
    loaded.run("task = asyncio.create_task(work(1))")
    loaded.run("await task\nawait work(2)")
    loaded.run("%%mlops run\ntotal = len(results) / 1")
    assert loaded.closed()[-1].metrics == {"total": 2.0}
    assert _slice(loaded).cells == (1, 2, 3, 4, 5)


def test_a_name_that_no_cell_has_changed(loaded: Kernel) -> None:
    loaded.run("import asyncio\nseen = 0")
    loaded.run("other = 1")
    loaded.run("def note():\n    global seen\n    seen = 9\n_ = asyncio.get_running_loop().call_soon(note)")
    loaded.client.kernel_info()
    loaded.run("%%mlops run\ntotal = seen / 2")
    assert loaded.closed()[-1].metrics == {"total": 4.5}
    assert _slice(loaded).cells[-2:] == (3, 4)


def test_what_all_cells_share_stands_in_every_slice(loaded: Kernel) -> None:
    loaded.run("import os, warnings\nunused = 1")
    loaded.run("os.environ['PLACE'] = 'here'")
    loaded.run("warnings.filterwarnings('ignore')")
    loaded.run("import json\njson.dumps_twice = lambda given: json.dumps(json.dumps(given))")
    loaded.run("%%mlops run\ntotal = 1 + 1")
    assert _slice(loaded).cells == (1, 2, 3, 4, 5)


def test_random_draws_depend_on_those_before_them(loaded: Kernel) -> None:
    loaded.run("import random\nrandom.seed(3)")
    loaded.run("first = random.random()")
    loaded.run("none = 1")
    loaded.run("%%mlops run\ntotal = random.random() * 2")
    assert _slice(loaded).cells == (1, 2, 4)
    loaded.run("%%mlops run --seed 5\ntotal = random.random() * 2")
    assert 2 not in _slice(loaded).cells


def test_files_that_a_cell_has_written(loaded: Kernel) -> None:
    loaded.run("import pandas as pd\nframe = pd.DataFrame({'a': [1, 2]})")
    loaded.run("frame.to_csv('kept.csv', index=False)")
    loaded.run("unused = 1")
    loaded.run("%%mlops run\ntotal = float(pd.read_csv('kept.csv')['a'].sum()) * 1")
    assert _slice(loaded) == Slice(cells=(1, 2, 4))


def test_results_of_cells_are_names_too(loaded: Kernel) -> None:
    done = loaded.run("[1, 2, 3]")
    loaded.run("unused = 1")
    loaded.run(f"%%mlops run\ntotal = sum(_{done.execution_count}) / 2")
    assert _slice(loaded) == Slice(cells=(1, 3))


def test_commands_and_expectations_read_names(loaded: Kernel) -> None:
    loaded.run("import pandas as pd\nplace, frame = 'here', pd.DataFrame({'a': [1]})")
    loaded.run("!echo $place {frame.shape}")
    loaded.run("%%mlops expect frame\nexpect_column_values_to_not_be_null a")
    loaded.run("%time doubled = frame * 2")
    assert [_cell(loaded, order).reads for order in (2, 3, 4)] == [("place", "frame"), ("frame",), ("frame",)]
    assert _cell(loaded, 4).writes == ("doubled",)


def test_names_from_before_capture_are_said_to_be_so(kernel: Kernel) -> None:
    kernel.run("old = 3")
    kernel.run("%load_ext cellops")
    kernel.run("%%mlops run\ntotal = old / 2")
    assert _slice(kernel) == Slice(cells=(1,), widened=("In [3] used old, bound before capturing began",))


DIFFICULT = """
class Difficult:
    def _refuse(self, *_args, **_named):
        print('touched')
        raise RuntimeError('do not touch')
    __repr__ = __eq__ = __len__ = __bool__ = __getattr__ = __iter__ = __hash__ = __reduce_ex__ = __getitem__ = _refuse
    __class__ = property(_refuse)
thing = Difficult()
held = {'inside': [thing]}
"""


def test_objects_that_refuse_everything_are_never_touched(loaded: Kernel) -> None:
    for cell in (DIFFICULT, "other = thing", "rest = [thing, held]", "%%mlops run\nlast = held"):
        done = loaded.run(cell)
        assert (done.status, done.streams.count("touched")) == ("ok", 0), done
    assert _slice(loaded).cells == (1, 2, 3, 4)  # what looks at them may change them
    assert "capture failed" not in loaded.run("%mlops status").streams


def test_older_results_stand_for_what_they_were(loaded: Kernel) -> None:
    for cell in (
        "import pandas as pd\nframe = pd.DataFrame({'a': [1, 2]})",
        "frame",
        "other = [1]\nother",
        "__['b'] = 3",
    ):
        loaded.run(cell)
    loaded.run("other", "again")
    loaded.run("frame", "again")
    loaded.run("___.append(5)")
    loaded.run("%%mlops run\ntotal = int(frame['b'].sum())")
    assert {1, 4} < set(_slice(loaded).cells)
    loaded.run("%%mlops run\ncount = len(other)")
    assert {3, 7} < set(_slice(loaded).cells)


def test_a_drawing_changes_no_table_that_was_shown(loaded: Kernel) -> None:
    loaded.run("import pandas as pd\nframe = pd.DataFrame({'a': [1, 2, 3]})")
    for cell in ("frame.describe()", "frame['a'].hist()", "frame.groupby('a').size()", "frame.a.plot()"):
        loaded.run(cell)
    loaded.run("%%mlops run\ntotal = int(frame['a'].sum())")
    assert _slice(loaded) == Slice(cells=(1, 6))


def test_a_comment_is_no_edit(loaded: Kernel) -> None:
    loaded.run("x = 1", "a")
    loaded.run("y = 2", "b")
    loaded.run("x = 1  # the first", "a")
    loaded.run("y = 3", "b")
    loaded.run("z = x + y", "c")
    loaded.run("z = x + y + 1", "c")
    loaded.run("%%mlops run\ntotal = z / 2", "d")
    assert _hidden(loaded) == []
    loaded.run("%%mlops run\nother = x / 2", "e")
    loaded.run("# not run again\nx = 1", "a")
    assert "edited" not in loaded.run("%mlops status").streams
    loaded.run("def x(): pass", "f")
    loaded.run("print(x)\nx = 5", "f")
    loaded.run("w = 1", "f")
    assert "x was bound by In [13], which has been edited since" in loaded.run("%mlops status").streams


NESTED = "import pandas as pd\nframe = pd.DataFrame({'a': [1, 2, 3], 't': [['x'], ['y'], None]})"


def test_a_table_with_the_content_that_it_had_was_not_changed(loaded: Kernel) -> None:
    looks = ("frame.groupby('a').size()", "frame.a.mean()", "frame[frame.a > 1].head()", "print(frame.isna().sum())")
    for cell in (NESTED, *looks, "def look(table): return len(table)\nlook(frame)"):
        loaded.run(cell)
    loaded.run("%%mlops run\ntotal = int(frame['a'].sum())")
    assert _slice(loaded) == Slice(cells=(1, 7))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("def f(t): t['t'][0].append('z')", "f(frame)"), (1, 2, 3)),
        (("held = frame['t'][0]", "held.append('z')", "def f(t): t['t'][0].pop()", "f(frame)"), (1, 2, 3, 4, 5)),
        (("def f(t): t.attrs['n'] = 1", "f(frame)"), (1, 2, 3)),
        (("def f(t): object.__setattr__(t, 'more', [1])", "f(frame)"), (1, 2, 3)),
        (("def f(t): t.index.name = 'n'", "f(frame)"), (1, 2, 3)),
        (("def f(t): t.flags.allows_duplicate_labels = False", "f(frame)"), (1, 2, 3)),
    ],
)
def test_a_table_that_was_changed_or_changed_back_has_its_cells(
    loaded: Kernel, cells: tuple[str, ...], expected: tuple[int, ...]
) -> None:
    for cell in (NESTED, *cells):
        loaded.run(cell)
    loaded.run("%%mlops run\ntotal = int(frame['a'].sum())")
    assert _slice(loaded).cells == (*expected, len(cells) + 2)
