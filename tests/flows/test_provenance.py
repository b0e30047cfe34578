"""Where a package comes from: a real run under git, with data, a module, a split, gates and a proof."""

import hashlib
import json
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import nbformat
import pytest

from cellops import screens
from cellops.flows.execute import execute
from cellops.flows.package import Packaged, package
from cellops.flows.provenance import place, provenance_of
from cellops.flows.runs import show
from cellops.flows.verify import verify
from cellops.packaging.load import read_contract
from cellops.records.package import Provenance
from cellops.records.run import CodeVersion
from cellops.settings import Settings, load
from cellops.tracking.store import Store
from support.exported import git
from support.notebooks import LOAD, write

MODULE = "def doubled(values):\n    return values * 2\n"
READ = """\
import pandas as pd
from ours import doubled
table = pd.read_csv("data/rows.csv")
names = pd.read_csv(OUTSIDE)
table["size"] = doubled(table["size"])"""
SPLIT = """\
import cellops
train, test = cellops.split(table, seed=5)"""
TRAIN = """\
%%mlops run --name trained --seed 7 --gate "min_group(accuracy, kind) >= 0.01" --group side
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
noise = np.random.random()
encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder="passthrough")
model = make_pipeline(encoder, LogisticRegression())
X_train, y_train = train[["size", "kind"]], train["late"]
X_test, y_test = test[["size", "kind"]], test["late"]
model.fit(X_train, y_train)
side = test["size"].gt(100).map({True: "large", False: "small"})
accuracy = model.score(X_test, y_test)"""


@dataclass(frozen=True)
class Project:
    settings: Settings
    outside: Path
    done: Packaged

    @property
    def model(self) -> Path:
        return Path(self.done.path)

    @property
    def provenance(self) -> Provenance:
        return Provenance.from_file(self.model / "provenance.json")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The package of a run that was verified, in a work tree that was changed after its commit."""
    folder = tmp_path_factory.mktemp("whole") / "project"
    outside = tmp_path_factory.mktemp("elsewhere") / "names.csv"
    outside.write_text("name\na\nb\n")
    for made in (folder / ".cellops", folder / "data"):
        made.mkdir(parents=True)
    rows = [f"{(row * 37) % 100},{'abc'[row % 3]},{int((row * 37) % 100 > 48)}" for row in range(900)]
    (folder / "data" / "rows.csv").write_text("\n".join(["size,kind,late", *rows]) + "\n")
    (folder / "ours.py").write_text(f"# begun\n{MODULE}")
    notebook = write(folder / "train.ipynb", LOAD, READ.replace("OUTSIDE", repr(str(outside))), SPLIT, TRAIN)
    git(folder, "init", "-q")
    git(folder, "add", "ours.py", "train.ipynb")
    git(folder, "commit", "-qm", "begin")
    (folder / "ours.py").write_text(MODULE)
    (folder / "scratch.py").write_text("1\n")
    settings = load(folder)
    execute(notebook, settings=settings)
    # No writer carries the proof, as though it were slow: packaging does it then.
    verify("trained", settings=msgspec.structs.replace(settings, writer=False))
    done = package("trained", output=folder / "model", settings=settings)
    return Project(settings, outside, done)


def test_it_names_the_code_as_it_was(built: Project) -> None:
    found = built.provenance
    assert found.commit is not None
    assert len(found.commit) == 40
    assert found.dirty is True
    assert found.patch is not None
    assert found.untracked["scratch.py"] == hashlib.sha256(b"1\n").hexdigest()
    assert found.modules == {"ours.py": hashlib.sha256(MODULE.encode()).hexdigest()}
    assert found.notebook == "train.ipynb"


def test_it_names_the_cells_that_the_run_depended_on(built: Project) -> None:
    cells = nbformat.read(built.settings.project / "train.ipynb", as_version=4).cells
    digests = [hashlib.sha256(cell.source.encode()).hexdigest() for cell in cells]
    assert [cell.sha256 for cell in built.provenance.cells] == digests[1:]
    assert [cell.execution_count for cell in built.provenance.cells] == [2, 3, 4]


def test_it_pins_the_data_and_says_how_much_of_them_a_digest_covers(built: Project) -> None:
    found = built.provenance
    tables = {(table.name, table.role): table for table in found.data}
    training = tables["X_train", "training"]
    assert training.method == "full"
    assert training.rows > tables["X_test", "evaluation"].rows > 0
    files = {file.path: file for file in found.files}
    assert files.keys() >= {"data/rows.csv", "names.csv"}
    assert files["data/rows.csv"].method == "full"
    assert all(file.digest for file in files.values())


def test_it_says_how_rows_were_divided_and_generators_seeded(built: Project) -> None:
    found = built.provenance
    (made,) = [split.made for split in found.splits if split.made is not None]
    assert made.plan.seed == 5
    assert made.plan.parts == ("train", "test")
    assert {part.sketch for part in made.parts.values()} == {None}
    assert found.seed == 7
    numpy = [use for use in found.generators if use.name == "numpy"]
    assert [use.seeded for use in numpy] == [True]


def test_it_says_what_the_proof_has_shown(built: Project) -> None:
    found = built.provenance.proof
    assert found is not None
    assert (found.verdict, found.environment, found.tolerance) == ("identical", "same", 1e-9)
    assert built.provenance.python == platform.python_version()
    assert built.provenance.platform


def test_no_file_of_the_package_says_where_it_was_made(built: Project) -> None:
    for path, content in contents(built.model).items():
        for place_of_ours in (built.settings.project.parent, built.outside.parent, Path.home()):
            assert str(place_of_ours).encode() not in content, path


def test_building_again_elsewhere_gives_every_byte_again(built: Project, tmp_path: Path) -> None:
    again = package("trained", output=tmp_path / "deep" / "model", settings=built.settings)
    assert contents(Path(again.path)) == contents(built.model)


def test_the_contract_has_the_groups_that_a_gate_asked_for(built: Project, capsys: pytest.CaptureFixture[str]) -> None:
    figure, *_ = read_contract(built.model).contract.groups
    assert figure.name == "min_group(accuracy, kind)"
    assert {group.name for group in figure.groups} == {"a", "b", "c"}
    assert all(group.low <= group.value <= group.high for group in figure.groups)  # type: ignore[operator]
    assert json.loads((built.model / "contract/groups.json").read_text())[0]["value"] == figure.value
    screens.package(built.done)
    assert f"min_group(accuracy, kind) {figure.value:.4f} ({figure.extremes[0]})" in capsys.readouterr().out


def test_the_contract_has_the_groups_of_a_column_that_the_model_does_not_see(built: Project) -> None:
    contract = read_contract(built.model).contract
    assert "side" not in {field.name for field in contract.schema.inputs}
    _, *figures = contract.groups
    assert [figure.name for figure in figures] == [
        f"gap_group({of}, side)" for of in ("accuracy", "precision", "recall")
    ]
    assert all({group.name for group in figure.groups} == {"large", "small"} for figure in figures)


def test_without_a_commit_nobody_knows_what_has_changed(built: Project, tmp_path: Path) -> None:
    summary = show("trained", settings=built.settings)
    assert summary.mlflow_run_id is not None
    held = Store(built.settings).artifacts(summary.mlflow_run_id, "cellops", tmp_path)
    copy = shutil.copytree(held, tmp_path / "copy")
    code = CodeVersion.from_file(held / "code.json")
    (copy / "code.json").write_bytes(code.replace(commit=None, dirty=True).to_json())
    found = provenance_of(summary, copy, (), built.settings.project)
    assert (found.commit, found.dirty, found.proof) == (None, None, None)
    (copy / "code.json").unlink()
    (copy / "trail.jsonl").unlink()
    found = provenance_of(summary, copy, (), built.settings.project)
    assert (found.commit, found.dirty, found.cells, found.untracked) == (None, None, (), {})


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("data/rows.csv", "data/rows.csv"),
        ("/home/ann/rows.csv", "rows.csv"),
        ("~/rows.csv", "rows.csv"),
        ("C:\\Users\\ann\\rows.csv", "rows.csv"),
        ("C:/Users/ann/rows.csv", "rows.csv"),
        ("\\\\server\\share\\rows.csv", "rows.csv"),
        ("file:///home/ann/rows.csv", "rows.csv"),
        ("../rows.csv", "rows.csv"),
        ("s3://bucket/rows.csv", "s3://bucket/rows.csv"),
    ],
)
def test_a_place_outside_of_the_project_is_its_name(path: str, shown: str) -> None:
    assert place(path) == shown
