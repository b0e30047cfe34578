"""What differs between two runs is named, and what does not differ is not."""

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from cellops import screens
from cellops.errors import NotFoundError
from cellops.flows.compare import compare
from cellops.flows.execute import execute
from cellops.flows.steps import StepOptions
from cellops.flows.sync import sync
from cellops.records.run_comparison import Change, RunComparison
from support.journals import key, run, session
from support.kernel import Kernel
from support.trails import trained, trained_anew

LOAD = "import pandas as pd, numpy as np\nfrom features import double"
READ = 'rows = pd.read_csv("rows.csv")\nrows["twice"] = double(rows["size"])'
HELPER = "limit = 2"
TRAIN = """%%mlops run --name trained --seed 7
from sklearn.linear_model import LinearRegression
depth = 4
model = LinearRegression().fit(rows[["size", "twice"]], rows["late"])
error = float(((model.predict(rows[["size", "twice"]]) - rows["late"]) ** 2).mean())
draw = float(np.random.normal())
"""


@pytest.fixture
def module(project: Path) -> Path:
    """A project with data and a module."""
    (project / "rows.csv").write_text("size,late\n" + "".join(f"{i},{i * i % 7}\n" for i in range(40)))
    path = project / "features.py"
    path.write_text("def double(values):\n    return values * 2\n")
    return path


def names(found: RunComparison, section: str) -> list[str]:
    return [one.name for one in getattr(found, section)]


def test_a_run_and_its_repetition_do_not_differ(module: Path) -> None:
    found = compare(*(trained_anew(module.parent, LOAD, READ, TRAIN) for _ in range(2)))
    assert not found.differs, found.to_pretty_json().decode()
    assert found.compared["code"] == 4
    assert found.compared["metrics"] == 2
    assert found.notes == ()


def test_each_kind_of_difference_is_found_in_its_place(module: Path) -> None:
    first = trained_anew(module.parent, LOAD, READ, HELPER, TRAIN)
    (module.parent / "rows.csv").write_text("size,late\n" + "".join(f"{i},{i * i % 5}\n" for i in range(40)))
    module.write_text("def double(values):\n    return values + values\n")
    edited = TRAIN.replace("depth = 4", "depth = 5").replace("--seed 7", "--seed 8")
    second = trained_anew(module.parent, LOAD, READ, edited, OMP_NUM_THREADS="1")
    found = compare(first, second)
    cell, source = found.sources
    assert (cell.change, source.change) == (Change.EDITED, Change.EDITED)
    assert {"-depth = 4", "+depth = 5"} <= set(cell.lines)
    assert (source.after, source.lines[-2:]) == (
        "features.py",
        ("-    return values * 2", "+    return values + values"),
    )
    assert names(found, "parameters") == ["depth", "--seed"]
    assert [(one.before, one.after, one.change) for one in found.parameters] == [("4", "5", 1), ("7", "8", None)]
    assert names(found, "data") == ["rows.csv", "rows['late'] (training)"]
    assert "OMP_NUM_THREADS" in names(found, "environment")
    assert {one.kind for one in found.environment} <= {"variable", "threads"}
    assert names(found, "metrics") == ["error", "draw"]
    for one in found.metrics:
        assert one.change == pytest.approx(float(one.after) - float(one.before))


def test_the_columns_that_differ_are_named(project: Path, loaded: Kernel) -> None:
    cells = [
        "import pandas as pd\nrows = pd.DataFrame({'size': range(30), 'kind': 1.5, 'late': [0, 1] * 15})",
        "X, y = rows[['size', 'kind']], rows['late']",
        "%%mlops run\nfrom sklearn.linear_model import LinearRegression\nmodel = LinearRegression().fit(X, y)",
    ]
    first = trained(loaded, *cells)
    second = trained(loaded, cells[0].replace("1.5", "2.5"), *cells[1:])
    found = compare(first, second)
    (table,) = found.data
    assert (table.name, table.parts) == ("X (training)", ("kind",))


def test_a_cell_that_was_added_moved_or_removed_is_told_from_an_edited_one(project: Path) -> None:
    end = "%%mlops run\ntotal = sum(one + other)"
    moving = ("one = [1]  # comes first", "other = [2]\nother.append(len(one))")
    first = trained_anew(project, moving[0], "one.append(3)", moving[1], end)
    second = trained_anew(project, "other = []", *moving[::-1], "other.extend(range(100, 200))", end)
    found = [(one.change, one.lines) for one in compare(first, second).sources]
    assert [change for change, _ in found].count(Change.MOVED) == 1
    assert (Change.REMOVED, ("-one.append(3)",)) in found
    assert (Change.ADDED, ("+other.extend(range(100, 200))",)) in found
    assert (Change.MOVED, ()) in found


def test_a_cell_of_the_notebook_is_the_same_cell_however_much_it_was_edited(project: Path, loaded: Kernel) -> None:
    keys = []
    for source in ("limit = 3", "import math\nvalues = [math.sqrt(9)]\nlimit = int(values[0])"):
        loaded.run(source, "first-cell")
        keys.append(trained(loaded, "%%mlops run\ntotal = limit + 1"))
    (one,) = compare(*keys).sources
    assert (one.change, one.lines[1]) == (Change.EDITED, "-limit = 3")


def test_a_cell_that_was_executed_twice_is_named_without_its_source(project: Path, loaded: Kernel) -> None:
    loaded.run("counts = []")
    cells = ("counts.append(1)", "%%mlops run\ntotal = sum(counts)")
    (again,) = compare(trained(loaded, *cells), trained(loaded, *cells)).sources
    assert (again.change, again.lines) == (Change.ADDED, ())
    assert "more often" in again.note


def test_two_cells_of_one_session_are_not_one_that_was_edited(project: Path, loaded: Kernel) -> None:
    loaded.run("import math")
    loaded.run("sines = [math.sin(i) for i in range(5)]", "a")
    loaded.run("cosines = [math.cos(i) for i in range(5)]", "b")
    first = trained(loaded, "%%mlops run\nlow = min(sines)")
    found = compare(first, trained(loaded, "%%mlops run\nhigh = max(cosines)"))
    changes = [(one.change, one.before, one.after) for one in found.sources]
    assert changes[:2] == [(Change.REMOVED, "In [3]", None), (Change.ADDED, None, "In [4]")]


def test_files_that_git_does_not_know_count_where_a_run_has_used_them(module: Path) -> None:
    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        subprocess.run(command, cwd=module.parent, check=True, capture_output=True)

    git("init")
    git("commit", "--allow-empty", "-m", "begin")
    first = trained_anew(module.parent, LOAD, READ, TRAIN)
    module.write_text("def double(values):\n    return values + values\n")
    (module.parent / "scratch.py").write_text("print(1)\n")
    found = compare(first, trained_anew(module.parent, LOAD, READ, TRAIN))
    assert [(one.kind, one.name) for one in found.code] == [("uncommitted", "features.py")]
    assert "Files that git does not know and neither run has used differ: 1" in found.notes


SPLIT = (
    "from sklearn.model_selection import train_test_split",
    "X = list(range(20))",
    "train, test = train_test_split(X)",
    "%%mlops run\ntotal = float(sum(test))",
)


@pytest.mark.parametrize("seed", ["", "import numpy as np\nnp.random.seed(3)"])
def test_a_split_that_was_drawn_again_in_one_session_is_named_by_its_cell(loaded: Kernel, seed: str) -> None:
    first = trained(loaded, seed or "pass", *SPLIT)
    second = trained(loaded, "X.append(20)", *SPLIT[2:])
    found = compare(first, second)
    assert [(one.change, one.before, one.after) for one in found.sources] == [
        (Change.ADDED, None, "In [7]"),
        (Change.ADDED, None, "In [8]"),
    ]
    (numpy,) = (one for one in found.parameters if one.kind == "generator")
    how = "seeded" if seed else "nobody seeded it"
    assert (numpy.name, numpy.note) == ("numpy", "the split was drawn again")
    assert (numpy.before.split(", state")[0], numpy.after.split(", state")[0]) == (f"{how}, In [5]", f"{how}, In [8]")


def test_draws_that_nobody_seeded_differ_by_their_states(project: Path) -> None:
    cells = ("import random\nrandom.random()", "%%mlops run\ndraw = random.random()")
    (one,) = compare(trained_anew(project, *cells), trained_anew(project, *cells)).parameters
    assert (one.kind, one.name) == ("generator", "python")
    assert one.before.startswith("nobody seeded it, In [2], state ")
    assert one.before != one.after


def test_a_failed_run_is_compared_by_how_it_ended(project: Path, loaded: Kernel) -> None:
    first = trained(loaded, "%%mlops run\nshare = 1 / 2")
    second = trained(loaded, "%%mlops run\nshare = 1 / 0")
    found = compare(first, second)
    outcome, share = found.metrics
    assert (outcome.before, outcome.after) == ("finished", "failed, ZeroDivisionError: division by zero")
    assert (share.before, share.after, share.change) == ("0.5", "", None)


def test_runs_of_the_store_and_of_journals_give_one_comparison(module: Path, loaded: Kernel) -> None:
    first = trained(loaded, LOAD, READ, TRAIN)
    module.write_text("def double(values):\n    return values + values\n")
    loaded.run("import importlib, features; importlib.reload(features)")
    second = trained(loaded, LOAD, READ, TRAIN.replace("depth = 4", "depth = 5"))
    before = compare(first, second)
    loaded.stop()
    sync()
    assert compare(first, second) == before
    for folder in ("journal", "sources", "states"):
        shutil.rmtree(module.parent / ".cellops" / folder)
    stored = compare(first, second)
    assert stored.before.name == "trained"
    assert stored.replace(before=before.before, after=before.after) == before
    assert any("+    return values + values" in one.lines for one in stored.sources)


def test_what_differs_is_shown_with_the_verb_for_the_rest(
    project: Path, loaded: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "\n".join(f"value_{i} = {i}" for i in range(30))
    first = trained(loaded, f"%%mlops run\n{lines}\nshare = 1 / 4")
    second = trained(loaded, f"%%mlops run\n{lines.replace('= ', '= 1')}\nshare = 1 / 5")
    said = loaded.run(f"%mlops compare {first[:8]} last").streams
    screens.comparison(compare(first, second))
    shown = capsys.readouterr().out
    assert shown.index("code") < shown.index("parameters") < shown.index("metrics")
    assert "  share  0.25 -> 0.2  -0.05" in shown
    assert "+value_3 = 13" not in shown
    more = f"cellops compare {first[:8]} {second[:8]} --full"
    assert more in shown
    assert more.replace("cellops", "%mlops") in said
    screens.comparison(compare(first, second), full=True)
    whole = capsys.readouterr().out
    assert "+value_29 = 129" in whole
    assert "--full" not in whole
    screens.comparison(compare(first, first))
    assert "Nothing differs in what the records of both runs hold." in capsys.readouterr().out


def test_a_run_that_is_not_there_is_named(project: Path) -> None:
    session(project, "s", *run("known"))
    with pytest.raises(NotFoundError, match="There is no run unknown"):
        compare("known", "unknown")
    found = compare("known", key("known"))
    assert not found.differs
    assert found.notes[0] == "The slice of known (6b6e6f77) is not known, so its whole trail was compared"


def test_the_parameters_of_a_model_that_one_run_alone_has_are_one_difference(project: Path) -> None:
    cells = "import numpy as np\nX = np.arange(20.0).reshape(-1, 1)\nfrom sklearn.linear_model import Ridge"
    fit = "%%mlops run\nmodel = Ridge(alpha={}).fit(X, X[:, 0])\nscore = float(model.score(X, X[:, 0]))"
    first, second = (trained_anew(project, cells, fit.format(alpha)) for alpha in (1.0, 2.0))
    without = trained_anew(project, cells, "%%mlops run\nscore = float(X.sum())")
    (one,) = compare(first, second).parameters
    assert (one.name, one.before, one.after, one.change) == ("model.alpha", "1.0", "2.0", 1.0)
    (one,) = compare(first, without).parameters
    assert (one.name, one.after) == ("model.*", "")


STEPS = (
    "%load_ext cellops\nimport random",
    "%%mlops parameters\nrows: int = 20\nlimit: int = 3",
    "%%mlops step load\nvalues = [random.Random(5).random() for _ in range(rows)]",
    "def low(values):\n    return sum(value < 0.5 for value in values)  # of all",
    "%%mlops step train\n%%mlops run --name trained\ncount = min(low(values), limit)",
)


def executed(project: Path, steps: StepOptions | None, *sources: str) -> str:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s, id=f"c{i}") for i, s in enumerate(sources)])  # type: ignore[no-untyped-call]
    nbformat.write(made, project / "pipeline.ipynb")  # type: ignore[no-untyped-call]
    (run,) = execute(project / "pipeline.ipynb", {}, steps=steps).runs
    return run.run


def test_a_run_in_one_kernel_and_one_in_steps_differ_in_what_was_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CELLOPS_WRITER", "false")
    whole = executed(project, None, *STEPS)
    by_steps = executed(project, StepOptions(jobs=2), *STEPS)
    for pair in ((whole, by_steps), (by_steps, whole)):
        found = compare(*pair)
        assert not found.differs, found.to_pretty_json().decode()
        assert (found.compared["code"], found.compared["parameters"]) == (5, 2)

    edited = [source.replace("Random(5)", "Random(6)").replace("< 0.5", "< 0.6") for source in STEPS]
    found = compare(whole, executed(project, StepOptions(jobs=2), *edited))
    assert [(one.change, one.before, one.after) for one in found.sources] == [
        (Change.EDITED, "In [3]", "step load, In [3]"),
        (Change.EDITED, "In [4]", "step train, In [3]"),
    ]
    screens.comparison(found)
    assert "In [3] -> step load, In [3] edited" in capsys.readouterr().out
