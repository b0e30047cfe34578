"""Files that several cells use, and folders that a step lists and writes to."""

import importlib
import py_compile
import sys
from pathlib import Path

import pytest

from cellops.capture.blobs import digest
from cellops.capture.files.names import names_in
from cellops.pipeline.cache.dependencies import code_of, elsewhere, of_all
from cellops.pipeline.cache.freshness import stale
from cellops.pipeline.cache.interpreter import interpreter_of
from cellops.records.cached import Dependencies
from cellops.records.file import FileUse, Found, Look
from cellops.records.module import ModuleSource


@pytest.mark.parametrize(
    ("modes", "joined"),
    [
        (("read", "read"), "read"),
        (("write", "write"), "write"),
        (("write", "read"), "write"),
        (("read", "write"), "update"),
        (("read", "update"), "update"),
        (("update", "read"), "update"),
        (("write", "update"), "update"),
        (("read", "write", "read"), "update"),
    ],
)
def test_a_file_that_was_written_before_it_was_read_is_no_input(modes: tuple[str, ...], joined: str) -> None:
    uses = [FileUse(path="a", mode=mode, opened="open", size=n, digest=str(n)) for n, mode in enumerate(modes)]
    (found,) = of_all([*uses, FileUse(path="b", mode="read", opened="open")])[:1]
    assert found.mode == joined


def test_what_is_known_of_a_file_is_how_it_was_read_or_left() -> None:
    def one(*modes: str) -> str | None:
        uses = (FileUse(path="a", mode=mode, opened="open", digest=str(n)) for n, mode in enumerate(modes))
        return of_all(uses)[0].digest

    assert one("write", "read") == "0"
    assert one("write", "write") == "1"
    assert one("read", "read") == "1"


def test_modules_of_no_distribution_are_known_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    for folder in (project, outside):
        folder.mkdir()
        monkeypatch.syspath_prepend(str(folder))
    (outside / "plain_of_a_test.py").write_text("x = 1\n")
    (project / "own_of_a_test.py").write_text("x = 1\n")
    py_compile.compile(str(outside / "plain_of_a_test.py"), cfile=str(project / "compiled_of_a_test.pyc"))
    names = ("plain_of_a_test", "own_of_a_test", "compiled_of_a_test")
    try:
        for name in names:
            importlib.import_module(name)
        found = {module.name: module for module in elsewhere(project) if module.name in names}
    finally:
        for name in names:
            sys.modules.pop(name, None)
    assert set(found) == {"plain_of_a_test", "compiled_of_a_test"}
    assert found["compiled_of_a_test"].path == "compiled_of_a_test.pyc"
    assert found["plain_of_a_test"].path.endswith("outside/plain_of_a_test.py")
    assert found["plain_of_a_test"].digest == digest(b"x = 1\n")


@pytest.mark.parametrize(
    ("then", "now", "cell", "changes"),
    [
        ("x = 1\n", "# One\nx=1\n", "", False),
        ("def f():\n    'Gives 1.'\n", "def f():\n    'Gives one.'\n", "", True),
        ("x = 1\n", "x = 2\n", "", True),
        ("x = 1\n", "x = \n", "", True),
        ("x = 1\n", "# One\nx = 1\n", "inspect.getsource(own)", True),
        ("here = __file__\n", "# One\nhere = __file__\n", "", True),
        ("x = f.__code__.co_lines\n", "# One\nx = f.__code__.co_lines\n", "", True),
        ("_i, x = f()\n", "# One\n_i, x = f()\n", "", False),
    ],
)
def test_a_module_that_does_the_same_is_the_same_unless_anything_reads_sources(
    then: str, now: str, cell: str, changes: bool, tmp_path: Path
) -> None:
    path = tmp_path / "own.py"
    path.write_text(then)
    module = ModuleSource(name="own", path="own.py", digest=digest(then.encode()), size=len(then))
    python = interpreter_of("python3")
    assert python is not None
    found = Dependencies(python=python.version, modules=(module,), code=code_of((module,), [cell], tmp_path))
    path.write_text(now)
    assert list(stale(found, tmp_path, python)) == (["its module own.py has changed"] if changes else [])


def test_a_module_that_was_edited_after_its_import_is_known_by_its_content_only(tmp_path: Path) -> None:
    imported = ModuleSource(name="own", path="own.py", digest=digest(b"x = 1\n"), size=6)
    (tmp_path / "own.py").write_text("x = 1\n")
    assert list(code_of((imported,), [], tmp_path)) == ["own.py"]
    (tmp_path / "own.py").write_text("x = 2\n")
    assert code_of((imported,), [], tmp_path) == {}


def said(looks: tuple[Look, ...], project: Path, *written: str) -> list[str]:
    python = interpreter_of("python3")
    assert python is not None
    uses = tuple(
        FileUse(
            path=path,
            mode="write",
            opened="open",
            size=(project / path).stat().st_size,
            modified=(project / path).stat().st_mtime_ns / 1e9,
        )
        for path in written
    )
    return list(stale(Dependencies(python=python.version, looks=looks, files=uses), project, python))


def listed(project: Path, folder: str) -> Look:
    found = names_in(str(project / folder))
    assert found is not None
    return Look(path=folder, found=Found.FOLDER, digest=found.digest, names=found.names)


def test_a_folder_is_as_it_was_but_for_what_the_step_has_written(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "data").mkdir()
    (project / "data" / "a.csv").write_text("a")
    looks = (listed(project, "data"), listed(project, "."))
    assert said(looks, project) == []
    (project / "data" / "own.csv").write_text("own")
    (project / "made").mkdir()
    (project / "made" / "own.csv").write_text("own")
    assert said(looks, project, "data/own.csv", "made/own.csv") == []
    assert said(looks, project) == ["own.csv has come to data", "made has come to ."]
    (project / "data" / "a.csv").unlink()
    assert said(looks, project, "data/own.csv", "made/own.csv") == ["a.csv has gone from data"]
    unnamed = looks[0].replace(names=None)
    assert said((unnamed,), project, "data/own.csv") == ["data holds other files"]
    gone = listed(project, "data").replace(path="nowhere")
    assert said((gone,), project) == ["nowhere is no folder any more"]


def test_a_place_is_as_it_was(tmp_path: Path) -> None:
    there, not_there = (Look(path="flag", found=found) for found in (Found.SOMETHING, Found.NOTHING))
    assert said((there,), tmp_path) == ["flag is gone"]
    assert said((not_there,), tmp_path) == []
    (tmp_path / "flag").touch()
    assert said((there,), tmp_path) == []
    assert said((not_there,), tmp_path) == ["flag was not there"]
