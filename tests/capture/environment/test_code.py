"""The commit and what stands on top of it: capped, without secrets, and once for all runs that have the same."""

import subprocess
from pathlib import Path

import pytest

from cellops.capture.blobs import Blobs
from cellops.capture.environment.code import read_code_version


@pytest.fixture
def repository(project: Path) -> Path:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", str(project), *arguments], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    (project / "train.py").write_text("x = 1\n")
    (project / ".gitignore").write_text(".cellops\n")
    git("add", ".")
    git("-c", "user.name=me", "-c", "user.email=me@host.example", "commit", "-q", "-m", "First")
    return project


def test_a_clean_tree_has_no_patch(repository: Path, tmp_path: Path) -> None:
    code = read_code_version(repository, Blobs(tmp_path / "patches"), patch_limit=1000)
    assert code is not None
    assert (code.branch, code.dirty, code.patch_path) == ("main", False, None)
    assert not (tmp_path / "patches").exists()


def test_the_same_patch_is_kept_once_and_without_secrets(repository: Path, tmp_path: Path) -> None:
    (repository / "train.py").write_text("x = 2\ntoken = 'hunter2hunter2'\n")
    patches = Blobs(tmp_path / "patches")
    first, second = (read_code_version(repository, patches, patch_limit=1000) for _ in range(2))
    assert first == second
    assert first is not None
    kept = list((tmp_path / "patches").iterdir())
    assert [str(path) for path in kept] == [first.patch_path]
    text = kept[0].read_text()
    assert "+x = 2" in text
    assert "hunter2" not in text
    assert kept[0].stat().st_mode & 0o777 == 0o600


def test_a_patch_beyond_the_limit_is_cut_and_says_so(repository: Path, tmp_path: Path) -> None:
    (repository / "train.py").write_text("x = 'é'\n" * 1000)
    (repository / "new.py").write_text("y = 1\n")
    code = read_code_version(repository, Blobs(tmp_path), patch_limit=501)
    assert code is not None
    assert code.patch_truncated
    assert code.patch_path is not None
    assert Path(code.patch_path).stat().st_size <= 501
    assert list(code.untracked) == ["new.py"]


def test_a_patch_that_cannot_be_kept_is_still_told_of(repository: Path, tmp_path: Path) -> None:
    (repository / "train.py").write_text("x = 2\n")
    (tmp_path / "patches").write_text("in the way")
    code = read_code_version(repository, Blobs(tmp_path / "patches"), patch_limit=1000)
    assert code is not None
    assert (code.dirty, code.patch_path) == (True, None)


def test_without_a_repository_there_is_none(project: Path, tmp_path: Path) -> None:
    assert read_code_version(project, Blobs(tmp_path), patch_limit=1000) is None
