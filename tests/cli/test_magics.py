"""The verbs of the terminal on a notebook's line."""

import platform
from pathlib import Path

from support.exported import git
from support.kernel import Kernel
from support.notebooks import LOAD, write


def test_an_interrupted_execution_is_an_interrupt_that_names_what_is_left(project: Path, loaded: Kernel) -> None:
    write(project / "n.ipynb", LOAD, "%%mlops run --name endless\nwhile True: pass")
    sent = loaded.send("%mlops execute n.ipynb -o out.ipynb")
    loaded.wait_for_output("cell  1 of 2")
    loaded.manager.interrupt_kernel()
    done = loaded.wait(sent)
    assert done.status == "error"
    assert done.errors[0]["ename"] == "KeyboardInterrupt"
    assert f"The notebook as far as it came: {project / 'out.ipynb'}" in done.traceback


def test_a_verb_at_the_wrong_place_says_where_it_belongs(loaded: Kernel) -> None:
    run = "run is a verb of a cell. Write %%mlops run on the first line of the cell"
    assert run in loaded.run("%mlops run --seed 7").traceback
    status = "status is a verb of a line. Write %mlops status, with one %"
    assert status in loaded.run("%%mlops status\n1").traceback


def test_a_run_names_the_verb_of_the_notebook(loaded: Kernel) -> None:
    assert "· %mlops show " in loaded.run("%%mlops run\nlimit = 3").streams


def test_a_run_is_named_in_its_header_in_either_way_and_found_in_any_case(loaded: Kernel) -> None:
    loaded.run("%%mlops run Forest\nlimit = 3")
    assert "run Birch finished" in loaded.run("%%mlops run --name Birch\nlimit = 4").streams
    assert "Forest\x1b[0m  " in loaded.run("%mlops show forest").streams
    assert "Did you mean Forest?" in loaded.run("%mlops show forst").traceback
    for header in ("Forest --name Birch", "--name Forest Birch"):
        assert "The run has two names" in loaded.run(f"%%mlops run {header}\nlimit = 5").traceback


def test_show_says_what_a_run_stands_on(project: Path, loaded: Kernel) -> None:
    (project / "data.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    (project / "helpers.py").write_text("def total(frame): return float(frame.to_numpy().sum())\n")
    loaded.run("import pandas as pd\nfrom helpers import total\nfrom sklearn.linear_model import LinearRegression")
    loaded.run("unused = 1")
    loaded.run("frame = pd.read_csv('data.csv')\nX, y = frame[['a']], frame['b']")
    loaded.run("%%mlops run sums\nmodel = LinearRegression().fit(X, y)\nsum_of_all = total(frame)")
    shown = loaded.run("%mlops show sums").streams.partition("based on")[2]
    lines = [line.split(None, 1) for line in shown.splitlines() if line.startswith("  ")]
    said = {words[0]: words[1] for words in lines}
    assert said["code"] == "in no git repository"
    assert said["python"].startswith(f"CPython {platform.python_version()} on ")
    first, *others = said["cells"].split(", ")
    assert len(others) == 2
    assert int(others[0][4:-1]) == int(first[4:-1]) + 2
    assert said["modules"] == "helpers.py"
    assert said["tables"] == "X (training): 3 x 1, hashed"
    assert said["files"] == "data.csv, 16 bytes, hashed"


def test_show_says_why_a_run_failed_and_which_files_git_does_not_track(project: Path, loaded: Kernel) -> None:
    git(project, "init", "-q")
    for name in "abcd":
        (project / f"{name}.py").write_text("one = 1\n")
    loaded.run("%%mlops run broken\nhalf = 1 / 2\nnone = 1 / 0")
    shown = loaded.run("%mlops show broken").streams
    assert ", line 3: ZeroDivisionError: division by zero\n" in shown
    assert "git does not track a.py, b.py, c.py and 1 more" in shown


def test_export_on_a_line_writes_what_the_terminal_writes(project: Path, loaded: Kernel) -> None:
    git(project, "init", "-q")
    write(project / "n.ipynb", LOAD, "%%mlops parameters\nnote = 'a'", "%%mlops run\nauc = len(note) / 2")
    done = loaded.run("%mlops export dvc n.ipynb -p note 'a {b} c' --gate \"auc >= 0.5\"")
    assert "  cellops execute n.ipynb -p note 'a {b} c' --gate 'auc >= 0.5' -o " in done.streams
    assert "-p note 'a {b} c' --gate 'auc >= 0.5'" in (project / "dvc.yaml").read_text()
    assert "There is no notebook m.ipynb. Did you mean n.ipynb?" in loaded.run("%mlops export dvc m.ipynb").traceback


def test_expectations_are_proposed_in_the_next_cell_and_hold(loaded: Kernel) -> None:
    loaded.run("import pandas as pd\ntrips = pd.DataFrame({'hour': range(24)})")
    loaded.run("written = []\nget_ipython().set_next_input = lambda text, replace=False: written.append(text)")
    assert "4 expectations are proposed in the cell below" in loaded.run("%%mlops expect trips --infer\n").streams
    checked = loaded.run("get_ipython().run_cell(written[0]).raise_error()")
    assert "4 of 4 expectations on trips hold (24 rows)" in checked.streams
    assert "There is no DataFrame trip" in loaded.run("%%mlops expect trip --infer\n").traceback
