"""A restored run executes without cellops, elsewhere and later, and gives what it gave."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from cellops.errors import NotebookError, NotFoundError, RecordError, UsageError
from cellops.flows.clean import clean, removable
from cellops.flows.execute import execute as execute_notebook
from cellops.flows.restore import restore
from cellops.flows.steps import StepOptions
from cellops.flows.sync import sync
from cellops.records.module import ModuleSource
from cellops.records.run import RunOpened
from support.journals import key, run, session
from support.kernel import Kernel
from support.trails import trained, trained_anew

IMPORTS = "import numpy as np, pandas as pd, random\nfrom shop.prices import double"
READ = 'rows = pd.read_csv("data/rows.csv")\nrows["twice"] = double(rows["size"]) + np.random.normal(size=40)'
EXPECT = '%%mlops expect rows\nexpect_column_to_exist("size")'
UNUSED = "unused = random.random()"
FAILS = "1 / 0"
LOOK = 'if len(rows):\n    %mlops status\nshown = %mlops runs\nnote = """\n%mlops runs\n"""'
TRAIN = """%%mlops run --name trained --seed=7
%%time
from sklearn.linear_model import SGDRegressor
model = SGDRegressor().fit(rows[["size", "twice"]], rows["late"])
error = float(((model.predict(rows[["size", "twice"]]) - rows["late"]) ** 2).mean())
draw = float(np.random.normal()) + random.random() + len(note)
"""
CELLS = (IMPORTS, "random.random()\nnp.random.normal(size=3)", READ, EXPECT, UNUSED, FAILS, LOOK, TRAIN)
WITHOUT = "import sys\nsys.modules['cellops'] = None\n"
"""A `sitecustomize` by which importing cellops fails."""


@pytest.fixture
def shop(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with data, and with a package below `src`."""
    (project / "data").mkdir()
    (project / "data" / "rows.csv").write_text("size,late\n" + "".join(f"{i},{i * i % 7}\n" for i in range(40)))
    package = project / "src" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "prices.py").write_text("def double(values):\n    return values * 2\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(project / "src"), *_path()]))
    return project


def _path() -> list[str]:
    return os.environ.get("PYTHONPATH", "").split(os.pathsep)


def execute(folder: Path, blocked: Path, **environment: str) -> dict[str, str]:
    """Execute the notebook as its README says, where cellops cannot be imported; what its cells printed."""
    blocked.mkdir(exist_ok=True)
    (blocked / "sitecustomize.py").write_text(WITHOUT)
    command = "from nbclient.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "notebook.ipynb", "--output=executed.ipynb"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(blocked), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    executed = nbformat.read(folder / "executed.ipynb", as_version=4)
    return {
        cell.id: "".join(output.get("text", output.get("ename", "")) for output in cell.outputs)
        for cell in executed.cells
        if cell.cell_type == "code"
    }


def sources_of(folder: str | Path) -> dict[str, str]:
    notebook = nbformat.read(Path(folder) / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    return {cell.id: cell.source for cell in notebook.cells}


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_restored_run_gives_elsewhere_without_cellops_what_it_gave(shop: Path, tmp_path: Path) -> None:
    trained_anew(shop, *CELLS)
    made = restore("trained")
    assert made.notes == (
        "In [8] used verbs of cellops, which stand as comments: they change no value of the notebook.",
    )
    (shop / "src" / "shop" / "prices.py").write_text("raise ValueError('not what it was')\n")
    elsewhere = tmp_path / "years" / "later"
    shutil.copytree(made.folder, elsewhere)
    shutil.copytree(shop / "data", elsewhere / "data")
    shutil.rmtree(shop)
    said = execute(elsewhere, tmp_path / "blocked")
    assert said["check-data"] == "data/rows.csv: its content is what it was\n"
    assert said["compare-metrics"].count(": the same\n") == 2
    assert "it differs" not in said["compare-metrics"]


def test_the_data_are_found_where_the_run_worked_and_a_changed_file_is_named(shop: Path, tmp_path: Path) -> None:
    trained_anew(shop, IMPORTS, READ, "%%mlops run\ntotal = int(rows['late'].sum())")
    made = Path(restore("last").folder)
    (shop / "data" / "rows.csv").write_text("size,late\n" + "".join(f"{i},{i * i % 5}\n" for i in range(40)))
    said = execute(made, tmp_path / "blocked")
    assert said["check-data"] == "data/rows.csv: its content has changed\n"
    assert said["compare-metrics"].endswith(": it differs\n")


def test_the_whole_trail_is_restored_in_its_order(shop: Path, tmp_path: Path) -> None:
    trained_anew(shop, *CELLS)
    made = restore("trained", whole_trail=True, output=shop / "whole")
    assert (made.cells, made.of_trail) == (8, 8)
    found = sources_of(made.folder)
    assert [name for name in found if name.startswith("cell-")] == [f"cell-{place}" for place in range(1, 9)]
    assert found["cell-4"] == '# %%mlops expect rows\n# expect_column_to_exist("size")'
    commented = 'if len(rows):\n    pass  # %mlops status\nshown = None  # %mlops runs\nnote = """\n%mlops runs\n"""'
    assert found["cell-7"] == commented
    assert found["cell-8"].startswith("%%time\nfrom sklearn")
    assert found["before-cell-8"] == "restored_seed(7, with_torch=False)"
    said = execute(shop / "whole", tmp_path / "blocked")
    assert said["cell-6"] == "ZeroDivisionError"
    assert said["compare-metrics"].count(": the same\n") == 2


def test_a_run_that_only_the_store_has_is_restored_alike(shop: Path, tmp_path: Path) -> None:
    commit = "git init -q && git add src && git -c user.name=a -c user.email=a@b.c commit -qm x"
    subprocess.run(commit, shell=True, check=True)
    (shop / "src" / "shop" / "prices.py").write_text("def double(values):\n    return values + values\n")
    run = trained_anew(shop, *CELLS)
    restore(run, output=shop / "local")
    sync()
    clean(removable())
    restore(run, output=shop / "cleaned")
    for folder in ("journal", "states", "sources", "patches"):
        shutil.rmtree(shop / ".cellops" / folder, ignore_errors=True)
    restore(run, output=shop / "stored")
    local = contents(shop / "local")
    assert {"lock.txt", "code.patch", "states.json", "modules/src/shop/prices.py", "README.md"} <= local.keys()
    assert local["modules/src/shop/prices.py"].endswith("values + values\n")
    assert "+    return values + values" in local["code.patch"]
    assert contents(shop / "cleaned") == local
    assert contents(shop / "stored") == local
    assert execute(shop / "stored", tmp_path / "blocked")["compare-metrics"].count(": the same\n") == 2


def test_the_lock_leaves_cellops_out(project: Path, loaded: Kernel) -> None:
    made = restore(trained(loaded, "%%mlops run\nlimit = 3"))
    pinned = [line for line in (Path(made.folder) / "lock.txt").read_text().splitlines() if not line.startswith("#")]
    assert any(line.startswith("numpy==") for line in pinned)
    assert not any(line.startswith("cellops") for line in pinned)


def test_secrets_stay_out_and_the_readme_says_how_to_give_them(project: Path, tmp_path: Path, loaded: Kernel) -> None:
    run = trained(
        loaded,
        'import os\nfrom cellops import Secret\ntoken = Secret(os.environ.get("TOKEN", "none given"))',
        'password = "correct horse battery"',
        "%%mlops run\nlength = len(token) * 1.5 + len(password) * 0",
    )
    made = Path(restore(run).folder)
    assert "correct horse" not in "".join(contents(made).values())
    readme = (made / "README.md").read_text()
    assert "In [3] held a secret, which was not recorded: `[redacted]` stands in its place." in readme
    assert execute(made, tmp_path / "blocked")["compare-metrics"].endswith(": the same\n")


def test_a_cell_that_was_interrupted_is_passed_over(project: Path, tmp_path: Path, loaded: Kernel) -> None:
    sent = loaded.send("print('begun', flush=True)\nwhile True: pass")
    loaded.wait_for_output("begun")
    loaded.manager.interrupt_kernel()
    loaded.wait(sent)
    loaded.run("%%mlops run --sed 7\nraise SystemError('it was refused, and did not run')")
    made = restore(trained(loaded, "%%mlops run\nshare = 1 / 4"), whole_trail=True)
    assert "In [2] was interrupted, so runners pass over it: how far it came cannot be repeated." in made.notes
    said = execute(Path(made.folder), tmp_path / "blocked")
    assert (said["cell-1"], said["cell-2"]) == ("", "")
    assert said["compare-metrics"].endswith(": the same\n")


def test_a_folder_that_holds_something_is_not_touched(project: Path, loaded: Kernel) -> None:
    run = trained(loaded, "%%mlops run\nlimit = 3")
    made = restore(run)
    assert made.folder == f"restored-{run[:8]}"
    with pytest.raises(UsageError, match="is already there, and nothing is overwritten"):
        restore(run)
    (project / "taken").mkdir()
    (project / "taken" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="Choose another folder"):
        restore(run, output=project / "taken")
    assert contents(project / "taken") == {"mine.txt": "mine"}
    (project / "empty").mkdir()
    assert restore(run, output=project / "empty").folder == str(project / "empty")
    with pytest.raises(NotebookError, match="inside cannot be written: "):
        restore(run, output=project / "taken" / "mine.txt" / "inside")
    assert not [path for path in project.iterdir() if path.name.startswith(".cellops-")]


def test_the_verb_says_where_it_is_and_how_to_go_on(project: Path, loaded: Kernel) -> None:
    run = trained(loaded, "unused = 1", "1 / 0", "%%mlops run --name trained\nlimit = 3")
    said = loaded.run("%mlops restore trained --all -o audit").streams
    assert f"audit\x1b[0m  trained {run[:8]}, 3 of 3 cells of its session" in said
    assert "In [3] failed when it was executed, and is expected to fail again." in said
    assert said.endswith("How to execute it, without cellops: audit/README.md\n")


def test_a_run_that_is_not_there_or_not_over_is_named(project: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no run unknown"):
        restore("unknown")
    opened = RunOpened(run=key("open"), session="s", name="open", started=1.0, order=1)
    session(project, "s", opened)
    with pytest.raises(RecordError, match="was gone before its cell had ended"):
        restore("open")
    assert list(project.glob("restored-*")) == []


def test_nothing_is_written_outside_whatever_a_record_says(project: Path) -> None:
    sources = project / ".cellops" / "sources"
    sources.mkdir()
    (sources / "kept.py").write_text("price = 3\n")
    (project / "outside.py").write_text("secret = 3\n")
    paths = {
        "../evil.py": "kept.py",
        "/evil.py": "kept.py",
        "src/shop/prices.py": "/somewhere/else/kept.py",
        "leaked.py": "../../outside.py",
        "gone.py": "gone.py",
    }
    modules = tuple(
        ModuleSource(name="shop.prices", path=path, digest="", size=9, kept=kept) for path, kept in paths.items()
    )
    session(project, "s", *run("trained", modules=modules))
    made = restore("trained", output=project / "new" / "folder")
    assert contents(project / "new").keys() == {f"folder/{name}" for name in made.files}
    assert [name for name in made.files if name.startswith("modules/")] == ["modules/src/shop/prices.py"]
    assert "import_roots=['modules/src']" in sources_of(made.folder)["restore-states"]
    gone = "../evil.py, /evil.py, leaked.py, gone.py"
    assert f"The source of {gone} was not kept: check out the commit of the run." in made.notes


def test_a_secret_parameter_is_taken_from_its_variable(project: Path, tmp_path: Path) -> None:
    given = {"CELLOPS_SECRET_token": "correct horse battery"}
    injected = "%%mlops parameters\nfrom cellops import Secret\ntoken = Secret.given('token')"
    made = restore(trained_anew(project, injected, "%%mlops run\nlength = len(token) / 2", **given))
    (note,) = [note for note in made.notes if "CELLOPS_SECRET_" in note]
    assert (
        note == "The secret parameter token is taken from the variable CELLOPS_SECRET_token: set it before you begin."
    )
    said = execute(Path(made.folder), tmp_path / "blocked", **given)
    assert given["CELLOPS_SECRET_token"] not in "".join(contents(Path(made.folder)).values())
    assert said["compare-metrics"].endswith(": the same\n")


def test_a_run_of_a_step_is_restored_with_the_steps_that_it_took_values_from(project: Path, tmp_path: Path) -> None:
    sources = (
        "%load_ext cellops\nimport pandas as pd\nmarks = []",
        "%%mlops step load\nrows = pd.read_csv('rows.csv')\nmarks.append(1)\nlast = rows['late'].to_list()",
        "%%mlops step grow\nlast.append(30)",
        "%%mlops step judge\n%%mlops run --name judged\nscore = sum(last) + sum(marks)",
    )
    cells = [nbformat.v4.new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), project / "pipeline.ipynb")  # type: ignore[no-untyped-call]
    (project / "rows.csv").write_text("late\n1\n2\n")
    done = execute_notebook(project / "pipeline.ipynb", {}, steps=StepOptions(jobs=1))
    assert done.runs[0].metrics == {"score": 34.0}
    made = restore("judged")
    assert any(note.startswith("Each step had a kernel of its own") for note in made.notes)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(made.folder, elsewhere)
    shutil.copy(project / "rows.csv", elsewhere)
    said = execute(elsewhere, tmp_path / "blocked")
    assert said["check-data"] == "rows.csv: its content is what it was\n"
    assert said["compare-metrics"].count(": the same\n") == 1
