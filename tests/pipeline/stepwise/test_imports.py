"""A kept step is not used where its imports would find another module now, or one that was not there."""

import re
from pathlib import Path

import pytest

from support.stepwise import Project

OWN = """%%mlops step own
import tempfile
with tempfile.TemporaryDirectory() as folder:
    open(f'{folder}/made.py', 'w').write('X = 1')
    sys.path.append(folder)
    import made
    sys.path.remove(folder)
j = made.X"""
CELLS = (
    "import importlib, importlib.util, sys\nsys.path.append('src')",
    "%%mlops step shadow\nimport helper\na = helper.X",
    "%%mlops step package\nimport hpkg\nb = hpkg.X",
    "%%mlops step namespace\nimport ns\nc = getattr(ns, 'N', 0)",
    "%%mlops step absent\ntry:\n    from proj.local import X\nexcept ImportError:\n    X = 0",
    "%%mlops step relative\nimport proj.conf\nd = proj.conf.Y",
    "%%mlops step asked\ne = importlib.util.find_spec('later') is not None",
    "%%mlops step by_name\ntry:\n    f = importlib.import_module('plug')\nexcept ImportError:\n    f = None\nf = 0",
    "%%mlops step listed\nimport pkgutil, proj\ng = [m.name for m in pkgutil.iter_modules(proj.__path__)]",
    "%%mlops step installed\nimport yaml, fractions\nh = 1",
    "%%mlops step passing\nsys.path.insert(0, 'more')\nimport inner\ndel sys.path[0]\ni = inner.X",
    OWN,
)
ONLY_FOLLOWS = re.compile(r"$|if what it takes from")
SOURCES = {
    "src/helper.py": "X = 1",
    "hpkg.py": "X = 1",
    "ns/part.py": "",
    "proj/__init__.py": "",
    "proj/conf.py": "try:\n    from .local import Y\nexcept ImportError:\n    Y = 0",
    "more/inner.py": "X = 1",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("project"))
    (project.folder / ".cellops").mkdir()
    for name, source in SOURCES.items():
        place(project, name, source)
    project.write(*CELLS)
    project.execute()
    return project


def place(project: Project, name: str, source: str) -> Path:
    path = project.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    return path


def test_imports_that_find_the_same_make_no_step_stale(project: Project) -> None:
    assert not any(project.explain().values())
    other = place(project, "other.py", "X = 2")
    assert not any(project.explain().values())
    other.unlink()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("helper.py", {"shadow": "import helper finds helper.py now"}),
        ("hpkg/__init__.py", {"package": "import hpkg finds hpkg/__init__.py now"}),
        ("ns/__init__.py", {"namespace": "import ns finds ns/__init__.py now"}),
        (
            "proj/local.py",
            {
                "absent": "proj.local can be imported now",
                "relative": "proj.local can be imported now",
                "listed": "local.py has come to proj",
            },
        ),
        ("later.py", {"asked": "later can be imported now"}),
        ("plug.py", {"by_name": "plug can be imported now"}),
        ("yaml.py", {"installed": "import yaml finds yaml.py now"}),
        ("more/inner/__init__.py", {"passing": "import inner finds more/inner/__init__.py now"}),
    ],
)
def test_another_module_in_front_makes_a_step_stale(project: Project, name: str, told: dict[str, str]) -> None:
    path = place(project, name, "X = 2")
    found = project.explain()
    path.unlink()
    if path.name == "__init__.py" and path.parent.name != "ns":
        path.parent.rmdir()
    assert {step: reasons for step, reasons in found.items() if not ONLY_FOLLOWS.match("".join(reasons))} == {
        step: (reason,) for step, reason in told.items()
    }


def test_a_module_that_is_gone_makes_a_step_stale(project: Project) -> None:
    path = project.folder / "src" / "helper.py"
    path.rename(path.with_name("kept.txt"))
    assert "import helper finds nothing now" in project.explain()["shadow"]
    path.with_name("kept.txt").rename(path)


def test_a_project_that_has_moved_finds_the_same(project: Project) -> None:
    folder = project.folder
    moved = Project(folder.rename(folder.with_name("moved")))
    reasons = [text for told in moved.explain().values() for text in told if "import" in text]
    moved.folder.rename(folder)
    assert reasons == []
