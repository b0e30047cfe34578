"""Code that a step loads without keeping it among its modules is an input of the step, and so is data beside it."""

import importlib.util
import py_compile
import shutil
import zipfile
from pathlib import Path

import pytest

from support.stepwise import Project

CELLS = (
    "import ctypes, importlib, importlib.util, pkgutil, runpy, sys, tokenize",
    """%%mlops step spec
spec = importlib.util.spec_from_file_location("by_path", "lib/by_path.py")
by_path = importlib.util.module_from_spec(spec)
spec.loader.exec_module(by_path)""",
    "%%mlops step run\nvalue_of_run = runpy.run_module('as_main')['VALUE']",
    "%%mlops step packed\nsys.path.insert(0, 'lib.zip')\npacked = importlib.import_module('in_archive').VALUE",
    "%%mlops step beside\ntable = pkgutil.get_data('package', 'table.csv')",
    "%%mlops step tokens\ntokens = tokenize.open('tokens.csv').read()",
    "%%mlops step linked\nlinked = ctypes.CDLL('./linked.so')._name",
    "%%mlops step own\nopen('made.py', 'w').write('x = 1')\nmade = runpy.run_module('made')",
)
READ = {
    "spec": "lib/by_path.py",
    "run": "as_main.py",
    "packed": "lib.zip",
    "beside": "package/table.csv",
    "tokens": "tokens.csv",
    "linked": "linked.so",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for folder in (".cellops", "lib", "package"):
        (tmp_path / folder).mkdir()
    for name in ("lib/by_path.py", "as_main.py"):
        (tmp_path / name).write_text("VALUE = 1\n")
        py_compile.compile(str(tmp_path / name))  # of what was compiled, the source is what counts
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "table.csv").write_text("a\n1\n")
    (tmp_path / "tokens.csv").write_text("a\n1\n")
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("in_archive.py", "VALUE = 1\n")
    compiled = importlib.util.find_spec("xxhash._xxhash")
    assert compiled is not None
    shutil.copyfile(str(compiled.origin), tmp_path / "linked.so")
    project = Project(tmp_path)
    project.write(*CELLS)
    return project


def test_what_is_loaded_is_read(project: Project) -> None:
    project.execute()
    assert not any(project.explain().values())
    for step, name in READ.items():
        path = project.folder / name
        content = path.read_bytes()
        path.write_bytes(content + b"\n# longer\n")
        assert project.explain()[step] == (f"{name} has changed",)
        path.write_bytes(content)
