"""Settings as people give them, right and wrong."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from cellops import settings
from cellops.errors import SettingsError


def write(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(text, encoding="utf-8")


def message(project: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        settings.load(project)
    return caught.value.text()


@pytest.mark.parametrize("folder", [".", "..", "sub/..", "/"])
def test_the_folder_is_never_the_project_or_one_above_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setenv("CELLOPS_FOLDER", folder)
    assert "CELLOPS_FOLDER names the project's folder or one above it" in message(project)


def test_an_empty_variable_is_not_set(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for field in settings.Settings.__struct_fields__:
        monkeypatch.setenv(f"CELLOPS_{field.upper()}", "")
    assert settings.load().folder == project / ".cellops"
    assert settings.load().experiment == "project"


def test_a_tilde_is_the_home_folder(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CELLOPS_FOLDER", "~/kept")
    assert settings.load(project).folder == tmp_path / "kept"
    monkeypatch.setenv("CELLOPS_PROJECT", "~/project")
    assert settings.load().project == project
    monkeypatch.setenv("CELLOPS_PROJECT", "~/nowhere")
    assert "CELLOPS_PROJECT names no folder (received '~/nowhere')" in message(project)


def test_only_a_new_or_empty_folder_is_kept_from_git(tmp_path: Path) -> None:
    assert (settings.prepare(tmp_path / "new" / "folder") / ".gitignore").read_text() == "*\n"
    used = tmp_path / "used"
    used.mkdir()
    (used / "thesis.tex").touch()
    settings.prepare(used)
    assert [path.name for path in used.iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_used_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(SettingsError, match=r"cellops cannot keep its files in .*CELLOPS_FOLDER"):
            settings.prepare(folder)


def test_a_current_folder_that_was_deleted_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for start in (None, Path("notebooks")):
        with pytest.raises(SettingsError, match="does not exist any more"):
            settings.load(start)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tool = 3", "tool in {path} is no table"),
        ("[tool]\ncellops = [1]", "cellops in {path} is no table"),
        ("[tool]\ncellops = 'fast'", "cellops in {path} is no table"),
        ("[tool.cellops]\nfolder = 5", "folder must be a path (received 5). Correct it in [tool.cellops] of {path}"),
        ("[tool.cellops]\npatch_limit = 'much'", "patch_limit has a value that does not fit. Expected: int"),
        ("[tool.cellops]\nserver-max-rows = 0", "Expected: int >= 1 (received 0)"),
        ("[tool.cellops]\nproject = '..'", "project cannot be set in [tool.cellops] of {path}"),
        ("[tool.cellops]\nwritr = true", "There is no setting writr. Did you mean writer?"),
        ("[tool.cellops", "{path} cannot be read"),
    ],
)
def test_what_is_wrong_in_pyproject_is_named_with_its_file(project: Path, text: str, said: str) -> None:
    write(project, text)
    assert said.format(path=project / "pyproject.toml") in message(project)


def test_what_is_wrong_in_the_environment_is_named_with_its_variable(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELLOPS_SERVER_MAX_ROWS", "many")
    assert "CELLOPS_SERVER_MAX_ROWS has a value that does not fit. Expected: int" in message(project)
    assert "(received 'many'). Correct it in the environment" in message(project)
    monkeypatch.setenv("CELLOPS_SERVER_MAX_ROWS", "5")
    monkeypatch.setenv("CELLOPS_LOG_ON_FULL", "stop")
    assert "CELLOPS_LOG_ON_FULL has a value that does not fit. Expected: drop or refuse (received" in message(project)
    monkeypatch.delenv("CELLOPS_LOG_ON_FULL")
    monkeypatch.setenv("CELLOPS_WRITR", "no")
    assert "There is no setting CELLOPS_WRITR. Did you mean CELLOPS_WRITER?" in message(project)


def test_a_secret_is_never_repeated(project: Path) -> None:
    write(project, "[tool.cellops]\nserver_token = 4711")
    assert "server_token has a value" in message(project)
    assert "4711" not in message(project)


def test_types_can_stand_in_one_variable(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_TRUSTED_TYPES", "mine.Estimator, mine.Tree,")
    assert settings.load(project).trusted_types == ("mine.Estimator", "mine.Tree")


@pytest.mark.parametrize("name", ["with space", "100%25", "a#b", "what?", "k=v&x@y:z;", "é"])
def test_a_project_may_have_any_name(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from cellops.tracking.store import Store

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / name
    folder.mkdir()
    held = settings.load(folder)
    assert Store(held).runs(1) == []
    assert (folder / ".cellops" / "mlflow.db").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["mlflow.db", "./mlflow.db", "data/../mlflow.db"])
def test_a_relative_database_is_the_projects_from_every_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (project / "notebooks").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{name}")
    here = settings.load().tracking_uri
    monkeypatch.chdir(project / "notebooks")
    assert settings.load().tracking_uri == here
    assert here.startswith(f"sqlite:///{project}")


@pytest.mark.parametrize("name", ["LOG_FLUSH_SECONDS", "SERVER_REQUEST_SECONDS", "WRITER_PATIENCE"])
@pytest.mark.parametrize("value", ["1e10", "inf", "nan", "-1"])
def test_a_time_that_no_clock_takes_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CELLOPS_{name}", value)
    assert f"CELLOPS_{name} has a value that does not fit" in message(project)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:it'sSECRET@db/mlflow",
        "postgresql://user:123/SECRET@db/mlflow",
        'mysql://u:a"SECRET@h/d',
        "https://u:SEC RET SECRET@h/x",
        "https://u:p@SECRET@h/x?sig=SECRET&access_token=SECRET",
        "http://h/x?X-Amz-Signature=SECRET",
        "could not reach 'https://u:SECRET@h'",
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str) -> None:
    assert "SECRET" not in settings.without_credentials(address)


@pytest.mark.parametrize(
    "address", ["sqlite:////home/a@b/x.db", "https://h:5000/a@b", "s3://bucket/a@b", "http://h/?design=1"]
)
def test_what_is_no_secret_stays(address: str) -> None:
    assert settings.without_credentials(address) == address


@pytest.mark.parametrize("name", ["a?b", "a%20b", "what?#50%25"])
def test_a_relative_database_is_found_in_a_folder_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / name
    (folder / ".cellops").mkdir(parents=True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///runs.db")
    with create_engine(settings.load(folder).tracking_uri).connect():
        pass
    assert (folder / "runs.db").exists()


def test_a_folder_with_a_nul_is_one_clear_error(project: Path) -> None:
    write(project, '[tool.cellops]\nfolder = "a\\u0000b"\n')
    assert "holds a NUL character" in message(project)


@pytest.mark.parametrize(
    "text", ["auc >= 0.7; min_group(recall, a) > 0.5 ;", "auc >= 0.7\n\nmin_group(recall, a) > 0.5\n"]
)
def test_gates_in_the_environment_stand_apart(project: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CELLOPS_GATES", text)
    assert settings.load(project).gates == ("auc >= 0.7", "min_group(recall, a) > 0.5")
    monkeypatch.delenv("CELLOPS_GATES")
    write(project, '[tool.cellops]\ngates = ["auc >= 0.7"]')
    assert settings.load(project).gates == ("auc >= 0.7",)
    write(project, '[tool.cellops]\ngates = "auc >= 0.7"')
    assert settings.load(project).gates == ("auc >= 0.7",)
