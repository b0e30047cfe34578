"""The commit and the work tree of a repository, told with as few processes as can be and never from a stale answer."""

import subprocess
from pathlib import Path

import pytest

from cellops.capture.environment.repository import WorkTree, commit_at, repository, work_tree


def git(folder: Path, *arguments: str) -> str:
    author = ("-c", "user.name=me", "-c", "user.email=me@host.example", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with a commit."""
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "train.py").write_text("x = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "First")
    return folder.resolve()


def commit(top: Path) -> str:
    git(top, "commit", "-q", "--allow-empty", "-m", "Next")
    return git(top, "rev-parse", "HEAD")


def test_the_top_is_found_from_a_folder_inside_and_through_a_link(top: Path, tmp_path: Path) -> None:
    (top / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(top / "a")
    assert repository(top / "a" / "b") == repository(tmp_path / "link") == top
    assert repository(tmp_path) is None


def test_an_empty_folder_named_as_a_repository_is_none(top: Path) -> None:
    (top / "inner" / ".git").mkdir(parents=True)
    assert repository(top / "inner") == top


def test_variables_that_tell_git_of_another_repository_are_followed(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(top / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(top))
    assert repository(tmp_path) == top


def test_a_renamed_a_changed_and_an_untracked_file_are_told_apart(top: Path) -> None:
    git(top, "mv", "train.py", "? new.py")
    (top / "folder").mkdir()
    (top / "folder" / "1 note.py").write_text("y = 1\n")
    assert work_tree(top) == WorkTree(git(top, "rev-parse", "HEAD"), "main", True, ["folder/1 note.py"])


def test_a_repository_without_a_commit_and_one_without_a_branch(top: Path, tmp_path: Path) -> None:
    first = git(top, "rev-parse", "HEAD")
    git(top, "checkout", "-q", "--detach")
    assert work_tree(top) == WorkTree(first, None, False, [])
    git(tmp_path, "init", "-q", "-b", "new", "empty")
    assert work_tree(tmp_path / "empty") == WorkTree(None, "new", False, [])
    assert commit_at(tmp_path / "empty") is None


def test_every_way_to_another_commit_is_seen(top: Path) -> None:
    first = commit_at(top)
    assert first == git(top, "rev-parse", "HEAD")
    second = commit(top)
    assert commit_at(top) == second != first
    git(top, "pack-refs", "--all")
    assert commit_at(top) == second
    packed = commit(top)
    git(top, "pack-refs", "--all")
    assert commit_at(top) == packed
    git(top, "reset", "-q", "--hard", second)
    third = commit(top)
    assert commit_at(top) == third
    git(top, "reset", "-q", "--hard", "HEAD~1")
    assert commit_at(top) == second
    git(top, "checkout", "-q", "--detach", str(first))
    assert commit_at(top) == first
    git(top, "checkout", "-q", "-b", "other", third)
    assert commit_at(top) == third
    git(top, "symbolic-ref", "HEAD", "refs/heads/main")
    assert commit_at(top) == second


def test_a_further_work_tree_has_a_commit_of_its_own(top: Path, tmp_path: Path) -> None:
    git(top, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = commit(tmp_path / "side")
    assert repository(tmp_path / "side") == (tmp_path / "side").resolve()
    assert commit_at(tmp_path / "side") == side != commit_at(top)
    assert commit_at(tmp_path / "side") != commit(tmp_path / "side") == commit_at(tmp_path / "side")


def test_the_index_is_not_written(top: Path) -> None:
    (top / "train.py").write_text("x = 1\n")
    before = (top / ".git" / "index").stat()
    assert work_tree(top) == WorkTree(git(top, "rev-parse", "HEAD"), "main", False, [])
    after = (top / ".git" / "index").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
