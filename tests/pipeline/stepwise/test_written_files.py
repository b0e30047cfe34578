"""What a step has made is part of what it depends on, however it came to its place."""

import shutil
from pathlib import Path

import pytest

from support.stepwise import Project

ATOMIC = "%%mlops step a\nwith open('o.tmp', 'w') as f: f.write(open('in.csv').read())\nos.replace('o.tmp', 'o.csv')"
THREAD = """%%mlops step thread
from threading import Thread
one = Thread(target=os.remove, args=('flag',))
one.start()
one.join()"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / ".cellops").mkdir()
    return Project(tmp_path)


def test_a_file_that_was_moved_to_its_place_is_as_it_was_left(project: Project) -> None:
    project.write("import os", ATOMIC, "%%mlops step b\nprint(open('o.csv').read())")
    for content in ("1", "2", "1"):
        (project.folder / "in.csv").write_text(content)
        project.execute()
        assert project.printed().strip() == content
    assert project.explain() == {"a": (), "b": ()}
    (project.folder / "o.csv").unlink()
    assert project.explain()["a"] == ("o.csv is gone",)


def test_a_folder_that_was_made_is_there(project: Project) -> None:
    project.write("import os", "%%mlops step a\nos.makedirs('out/x', exist_ok=True)")
    project.execute()
    assert project.explain() == {"a": ()}
    shutil.rmtree(project.folder / "out")
    assert project.explain() == {"a": ("out/x is gone", "out is gone")}


def test_a_step_that_takes_files_of_others_away_is_not_kept(project: Project) -> None:
    project.write("import os", "%%mlops step cell\nos.remove('mark')", THREAD)
    for name in ("mark", "flag"):
        (project.folder / name).touch()
    project.execute()
    assert project.explain() == {"cell": ("mark is gone",), "thread": ("flag is gone",)}
    for name in ("mark", "flag"):
        (project.folder / name).touch()
    assert project.explain() == {"cell": ("it reads and writes mark",), "thread": ("it reads and writes flag",)}
