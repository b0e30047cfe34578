"""What is no data of the user's: the system's files wherever it keeps them, but never those of the project."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellops.capture.files.ignored import is_ignored
from cellops.records.guarding import Guarding
from support.kernel import Kernel

GUARD = """
import sys
from pathlib import Path
from cellops.capture.files.guard import Guard
from cellops.records.guarding import Guarding
Guard(Guarding.from_file(Path(sys.argv[1]))).start()
open("out.txt", "w").close()
"""


@pytest.mark.parametrize(
    ("path", "project", "ignored"),
    [
        ("/usr/lib/x.so", "/home/me/p", True),
        ("/usr/local/share/x", "/home/me/p", True),
        ("/etc/mime.types", "/home/me/p", True),
        ("/etc/ssl/openssl.cnf", "/home/me/p", True),
        ("/dev/null", "/home/me/p", True),
        ("/dev/shm/joblib_memmapping_folder_1_2/x.pkl", "/home/me/p", True),
        ("/usr/src/app/d.csv", "/home/me/p", False),
        ("/usr/library.csv", "/home/me/p", False),
        ("/etc/app/settings.yml", "/home/me/p", False),
        ("/dev/shm/d.csv", "/home/me/p", False),
        ("/usr/share/p/d.csv", "/usr/share/p", False),
        ("/usr/share/other/d.csv", "/usr/share/p", True),
        ("/dev/null", None, True),
    ],
)
def test_the_systems_files_are_no_data_but_for_the_projects(path: str, project: str | None, ignored: bool) -> None:
    assert is_ignored(path, project) is ignored


def test_a_python_in_the_project_and_the_tools_of_its_owner_are_no_data() -> None:
    library = sysconfig.get_path("purelib")
    assert is_ignored(f"{library}/x.py", Path(library).parents[3])
    home = Path.home()
    assert is_ignored(f"{home}/.ipython/x", home)
    assert not is_ignored(f"{home}/x", home)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder of the user's where the system has its own."""
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("there is no folder of the system's to which everybody may write")
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


def test_data_in_shared_memory_is_an_input(loaded: Kernel, elsewhere: Path) -> None:
    (elsewhere / "d.csv").write_text("a")
    assert loaded.run(f"text = open({str(elsewhere / 'd.csv')!r}).read()").status == "ok"
    (file,) = loaded.cells()[-1].files
    assert (file.path, file.mode, file.method) == (str(elsewhere / "d.csv"), "read", "full")


def test_a_project_is_guarded_also_where_others_keep_what_is_no_data(tmp_path: Path) -> None:
    aside, own, project = (tmp_path / name for name in ("aside", "own", ".jupyter/project"))
    for folder in (aside, own, project):
        folder.mkdir(parents=True)
    (project / "out.txt").write_text("edited by hand")
    guarding = Guarding(aside=str(aside), heard=str(own / "heard"), project=str(project), own=str(own))
    (own / "guarding.json").write_bytes(guarding.to_json())
    environment = os.environ | {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    subprocess.run([sys.executable, "-c", GUARD, own / "guarding.json"], cwd=project, env=environment, check=True)
    (copied,) = aside.glob("*-out.txt")
    assert copied.read_text() == "edited by hand"
