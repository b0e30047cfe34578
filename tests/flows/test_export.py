"""What is exported is checked as an execution is, and nothing is written where anything is wrong."""

import re
from datetime import date
from pathlib import Path

import pytest

import cellops
from cellops.errors import CellopsError, NotFoundError, ParameterError, UnfitError, UsageError
from cellops.pipeline.export.targets import TARGETS
from cellops.tracking.client import QUIET
from support.exported import READERS, git
from support.notebooks import LOAD, PARAMETERS, write

SECRET = f"from cellops import Secret\n{PARAMETERS}".replace("%%mlops parameters\n", "") + "\ntoken: Secret"
STEPS = [LOAD, PARAMETERS, "%%mlops step load\nx = [rows]", "%%mlops step fit\n%%mlops run\nauc = len(x) / 2"]
RUN = "%%mlops run\nauc = rows / 500"


@pytest.fixture
def repository(project: Path) -> Path:
    """A repository with notebooks, the current folder."""
    git(project, "init", "-q", "-b", "trunk")
    write(project / "plain.ipynb", LOAD, PARAMETERS, RUN)
    write(project / "steps.ipynb", *STEPS)
    write(project / "secret.ipynb", LOAD, f"%%mlops parameters\n{SECRET}", RUN)
    (project / ".gitignore").write_text(".cellops\n")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "first")
    return project


def written(folder: Path) -> list[str]:
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return sorted(path.as_posix() for path in found if path.parts[0] not in (".git", ".cellops"))


def commands(made: "cellops.records.exported.Exported") -> list[str]:  # type: ignore[name-defined]
    return READERS[made.target](Path(made.files[0]).read_text(encoding="utf-8"))


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_gets_its_file_and_a_lock(repository: Path, target: str) -> None:
    before = written(repository)
    made = cellops.export(target, "steps.ipynb", {"rows": 7}, schedule="0 6 * * 1", gates=["auc >= 0.5"], seed=3)
    assert sorted({*map(Path, made.files)} - {repository / one for one in before}) == sorted(map(Path, made.files))
    assert len(made.files) == (1 if target == "cron" else 2)
    line = (
        "cellops execute steps.ipynb -p rows 7 --cache --seed 3 --gate 'auc >= 0.5' -o cellops-results/steps/executed"
    )
    assert any(one.startswith(line) for one in made.commands)
    assert any(line in one for one in commands(made))
    head = Path(made.files[0]).read_text(encoding="utf-8").split("\n")
    assert all(any(note in one for one in head if one.startswith("#")) for note in made.notes)
    if target != "cron":
        lock = Path(made.files[1]).read_text(encoding="utf-8")
        assert "\nnumpy==" in lock
        assert "://" not in lock
    assert cellops.export(target, "steps.ipynb", schedule="0 6 * * 1").files == made.files  # it is ours to replace


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_written(repository: Path) -> None:
    before = written(repository)
    with pytest.raises(UnfitError) as caught:
        cellops.export(
            "github",
            "plain.ipynb",
            {"rws": "1", "seed": "x"},
            gates=["aux >="],
            schedule="0 25 * * *",
            python="3.8",
            drift=Path("../outside.csv"),
            store="s3://user:password@host/steps",
            promote="a/b",
        )
    said = str(caught.value)
    for part in (
        "did you mean rows?",
        "seed: int is expected",
        "The gate 'aux >=' is wrong at character 7",
        "The hour '25'",
        "'3.8' is no version of Python",
        "outside.csv lies outside of the repository",
        "The address of the store holds a password",
        "'a/b' is no name of a registered model",
    ):
        assert part in said
    assert "password@" not in said
    assert written(repository) == before


def test_steps_that_do_not_fit_together_are_refused(repository: Path) -> None:
    write(repository / "wrong.ipynb", LOAD, "%%mlops step a\nprint(b)", "%%mlops step c\nd = 1")
    with pytest.raises(UnfitError, match="do not fit together"):
        cellops.export("github", "wrong.ipynb")


def test_a_notebook_without_steps_is_one_task_and_says_so(repository: Path) -> None:
    for target in TARGETS:
        made = cellops.export(target, "plain.ipynb", schedule="0 6 * * 1")
        assert "plain.ipynb has no steps: it is one task, and executed in whole each time" in made.notes
        assert len(made.commands) == 1
        assert "--cache" not in made.commands[0]


def test_a_file_of_somebody_else_stays(repository: Path) -> None:
    (repository / "dvc.yaml").write_text("stages: {}\n")
    with pytest.raises(UsageError, match=r"dvc\.yaml is there already, and was not written by cellops"):
        cellops.export("dvc", "plain.ipynb")
    assert (repository / "dvc.yaml").read_text() == "stages: {}\n"
    assert not list(repository.glob("*.lock.txt"))
    cellops.export("dvc", "plain.ipynb", force=True)
    with pytest.raises(UsageError, match="was exported from another notebook"):
        cellops.export("dvc", "steps.ipynb")
    cellops.export("dvc", "steps.ipynb", output=Path("ci/dvc.yaml"))
    assert "wdir: .." in (repository / "ci/dvc.yaml").read_text().replace('"', "")


@pytest.mark.parametrize("number", [0, 1])
def test_an_export_that_somebody_has_edited_stays(repository: Path, number: int) -> None:
    made = cellops.export("github", "plain.ipynb", {"rows": 7})
    assert cellops.export("github", "plain.ipynb").files == made.files
    edited = Path(made.files[number])
    text = edited.read_text().replace("ubuntu-latest", "self-hosted") + "# mine\n"
    edited.write_text(text)
    with pytest.raises(UsageError, match="is there already, and has been edited since it was exported"):
        cellops.export("github", "plain.ipynb")
    assert edited.read_text() == text
    cellops.export("github", "plain.ipynb", force=True)
    assert "# mine" not in edited.read_text()


def test_a_model_is_promoted_on_the_branch_that_is_likely_the_default_one(repository: Path) -> None:
    def branch(*commands: str) -> str:
        for command in commands:
            git(repository, *command.split())
        made = cellops.export("github", "plain.ipynb", promote="m")
        (found,) = re.findall(r"refs/heads/(.*?)'", Path(made.files[0]).read_text())
        assert f"A model is promoted on the branch {found} only" in "\n".join(made.notes)
        return str(found)

    assert branch("branch earlier") == "trunk"
    assert branch("branch -D earlier", "checkout -q --detach") == "trunk"
    assert branch("branch main") == "main"
    assert branch("update-ref refs/remotes/origin/live HEAD", "remote add origin x") == "main"
    assert branch("symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/live") == "live"


@pytest.mark.parametrize("target", TARGETS)
def test_without_a_repository_there_is_no_branch_to_promote_on(project: Path, target: str) -> None:
    write(project / "plain.ipynb", LOAD, PARAMETERS, RUN)
    with pytest.raises(CellopsError, match="in no git repository, and a model is promoted on its default branch only"):
        cellops.export(target, "plain.ipynb", schedule="0 6 * * 1", promote="m")


@pytest.mark.parametrize("target", ["github", "gitlab"])
@pytest.mark.parametrize(("uri", "is_asked"), [("https://mlflow.example", False), ("sqlite:///own.db", True)])
def test_the_server_that_pyproject_names_is_asked_of_nobody(
    repository: Path, target: str, uri: str, *, is_asked: bool
) -> None:
    (repository / "pyproject.toml").write_text(f'[tool.cellops]\ntracking_uri = "{uri}"\n')
    made = cellops.export(target, "plain.ipynb", promote="m")
    assert ("MLFLOW_TRACKING_URI:?Set it" in Path(made.files[0]).read_text()) is is_asked
    assert any("without an MLflow server" in note for note in made.notes) is is_asked


@pytest.mark.parametrize(
    ("target", "place", "note"),
    [
        ("github", "ci/x.yml", "GitHub finds workflows in .github/workflows only: move ci/x.yml there"),
        ("dvc", "ci/x.yaml", "DVC reads files of the name dvc.yaml only: rename ci/x.yaml"),
    ],
)
def test_a_place_where_the_target_does_not_look_is_told(repository: Path, target: str, place: str, note: str) -> None:
    assert note in cellops.export(target, "plain.ipynb", output=Path(place)).notes
    assert note not in cellops.export(target, "plain.ipynb").notes


def test_what_lies_outside_of_a_repository_is_refused(project: Path, tmp_path: Path) -> None:
    write(project / "plain.ipynb", LOAD, PARAMETERS, RUN)
    for target in ("github", "gitlab", "dvc"):
        with pytest.raises(UsageError, match=r"plain\.ipynb is in no git repository"):
            cellops.export(target, "plain.ipynb")
    assert cellops.export("cron", "plain.ipynb", schedule="0 6 * * 1").notebook == "plain.ipynb"
    git(project, "init", "-q")
    with pytest.raises(UsageError, match="lies outside of the repository"):
        cellops.export("github", "plain.ipynb", output=tmp_path / "w.yml")
    made = cellops.export("airflow", "plain.ipynb", output=tmp_path / "dags" / "d.py")
    assert f'OWN_FOLDER = "{project}"' in Path(made.files[0]).read_text()


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("github", 'CELLOPS_PARAM_TOKEN: "${{ secrets.CELLOPS_PARAM_TOKEN }}"'),
        ("airflow", '"CELLOPS_PARAM_TOKEN": "{{ conn.cellops_param_token.password }}"'),
        ("kfp", '"CELLOPS_PARAM_TOKEN": "CELLOPS_PARAM_TOKEN"'),
        ("gitlab", "CELLOPS_PARAM_TOKEN is a masked variable of the project"),
    ],
)
def test_a_secret_becomes_a_reference_to_where_the_target_keeps_secrets(
    repository: Path, monkeypatch: pytest.MonkeyPatch, target: str, place: str
) -> None:
    monkeypatch.setenv("CELLOPS_PARAM_TOKEN", "the-value-itself")
    made = cellops.export(target, "secret.ipynb")
    text = Path(made.files[0]).read_text()
    assert place in text
    assert "the-value-itself" not in text
    assert any("CELLOPS_PARAM_TOKEN" in note for note in made.notes)


@pytest.mark.parametrize("target", ["dvc", "cron"])
def test_a_target_without_a_place_for_secrets_asks_where_it_stands(repository: Path, target: str) -> None:
    with pytest.raises(CellopsError) as caught:
        cellops.export(target, "secret.ipynb", schedule="0 6 * * 1")
    assert caught.value.text() == (
        "The notebook needs the secret token, and the target has no place for secrets. Say where it stands on the "
        "machine that executes it: -p token env:VARIABLE, or -p token file:PATH"
    )
    made = cellops.export(target, "secret.ipynb", {"token": "env:TOKEN"}, schedule="0 6 * * 1")
    assert any("The variable TOKEN, a secret, is not carried over" in note for note in made.notes)
    assert "-p token env:TOKEN" in made.commands[0]


def test_the_value_of_a_secret_is_never_written(repository: Path) -> None:
    (repository / "p.yaml").write_text("token: hidden-in-a-file\n")
    (repository / "q.yaml").write_text("token: env:TOKEN\n")
    token = "ghp_" + "a1B2" * 9
    for values, file in (
        ({"token": "hunter2"}, None),
        ({"token": "env:A B"}, None),
        ({}, Path("p.yaml")),
        ({"token": "env:T", "rows": token}, None),
    ):
        with pytest.raises(CellopsError) as caught:
            cellops.export("github", "secret.ipynb", values, parameters_file=file)
        assert all(hidden not in str(caught.value) for hidden in ("hunter2", "hidden-in", token))
    with pytest.raises(UnfitError, match="A gate seems to hold a secret"):
        cellops.export("github", "plain.ipynb", gates=[f"{token} > 1"])
    made = cellops.export("github", "secret.ipynb", parameters_file=Path("q.yaml"))
    assert 'TOKEN: "${{ secrets.TOKEN }}"' in Path(made.files[0]).read_text()


def test_variables_of_this_environment_are_named_and_not_written(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELLOPS_PARAM_ROWS", "77")
    monkeypatch.setenv("CELLOPS_GATES", "auc >= 0.99")
    made = cellops.export("github", "plain.ipynb")
    assert "CELLOPS_PARAM_ROWS is set here and not carried over: rows has its default, or give it with -p" in made.notes
    assert "The variable CELLOPS_GATES is set here and not carried over" in made.notes
    assert "0.99" not in Path(made.files[0]).read_text()
    for name, value in QUIET.items():  # as we set them in a kernel with runs
        monkeypatch.setenv(name, value)
    assert cellops.export("github", "plain.ipynb").notes == made.notes
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    said = cellops.export("github", "plain.ipynb").notes
    assert "The variable MLFLOW_HTTP_REQUEST_TIMEOUT is set here and not carried over" in said
    write(repository / "required.ipynb", LOAD, "%%mlops parameters\nlimit: int", RUN)
    monkeypatch.setenv("CELLOPS_PARAM_LIMIT", "5")
    with pytest.raises(ParameterError, match="only the variable CELLOPS_PARAM_LIMIT of this environment gives it"):
        cellops.export("github", "required.ipynb")


def test_typed_values_are_written_as_they_are_typed(repository: Path) -> None:
    declared = "from datetime import date\nfrom pathlib import Path\nday: date = date(2026, 1, 1)\nmonths = [1]\n"
    declared += "share: float | None = 0.5\nname: str = 'a'\nwhere: Path = Path('x')\non: bool = True"
    write(repository / "typed.ipynb", LOAD, f"%%mlops parameters\n{declared}", "x = 1")
    values = {"day": date(2026, 2, 3), "months": [1, 2], "share": None, "name": "7", "where": Path("a b"), "on": False}
    made = cellops.export("github", "typed.ipynb", values)
    line = "-p day 2026-02-03 -p months '[1, 2]' -p share null -p name 7 -p where 'a b' -p on false"
    assert line in made.commands[0]


def test_what_the_repository_lacks_is_told(repository: Path) -> None:
    write(repository / "new.ipynb", LOAD, RUN.replace("rows", "1"))
    made = cellops.export("github", "new.ipynb", drift=Path("later.csv"), promote="m", gates=["auc > champion"])
    assert "new.ipynb is not in git yet: commit it" in made.notes
    assert "later.csv is not here now, and must be there before cellops drift reads it" in made.notes
    assert any("compare with the champion of project" in note for note in made.notes)
    assert "github.ref == 'refs/heads/trunk'" in Path(made.files[0]).read_text()
    write(repository / "none.ipynb", "x = 1")
    with pytest.raises(UsageError, match=r"No cell of none\.ipynb opens a run, and --promote needs one"):
        cellops.export("github", "none.ipynb", promote="m")
    with pytest.raises(NotFoundError):
        cellops.export("github", "nowhere.ipynb")
    with pytest.raises(UsageError, match="needs a schedule"):
        cellops.export("cron", "plain.ipynb")


def test_a_project_below_the_top_of_the_repository_keeps_its_settings(repository: Path) -> None:
    (repository / "sub").mkdir()
    (repository / "sub/pyproject.toml").write_text('[tool.cellops]\nfolder = "own"\n')
    write(repository / "sub/steps.ipynb", *STEPS)
    made = cellops.export("github", "sub/steps.ipynb", promote="m")
    assert all(line.startswith("env CELLOPS_PROJECT=sub cellops ") for line in made.commands)
    text = Path(made.files[0]).read_text()
    assert text.count("path: sub/own/steps\n") == 2


def test_a_project_that_a_variable_moves_elsewhere_is_not_carried_over(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELLOPS_PROJECT", str(tmp_path))
    made = cellops.export("github", "steps.ipynb")
    assert made.commands[0].startswith("cellops execute ")
    assert "path: .cellops/steps\n" in Path(made.files[0]).read_text()
