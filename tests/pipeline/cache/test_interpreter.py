"""The Python that a kernel would be started with: known without starting it, and compared with the one before."""

import json
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import pytest

from cellops.pipeline.cache.dependencies import versions
from cellops.pipeline.cache.freshness import stale
from cellops.pipeline.cache.interpreter import Interpreter, interpreter_of, with_variables
from cellops.records.cached import Dependencies, ModulesSought


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return tmp_path / "jupyter" / "kernels"


def install(kernels: Path, name: str, argv: list[str], **environment: str) -> None:
    (kernels / name).mkdir(parents=True, exist_ok=True)
    given = {"argv": argv, "display_name": name, "language": "python", "env": environment}
    (kernels / name / "kernel.json").write_text(json.dumps(given))


def test_a_kernel_of_another_environment_is_asked(kernels: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "other", with_pip=False, symlinks=True)
    python = tmp_path / "other" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install(kernels, "mine", ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    install(kernels, "other", [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    install(kernels, "wrapped", ["env", "A=1", str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    install(kernels, "silent", ["false", "-f", "{connection_file}"])
    mine, other = interpreter_of("mine"), interpreter_of("other")
    assert mine is not None
    assert other is not None
    assert mine.prefix == sys.prefix
    assert Path(other.prefix) == tmp_path / "other"
    assert interpreter_of("wrapped") == other
    assert interpreter_of("silent") is None
    assert interpreter_of("nowhere") is None

    held = Dependencies(
        python=mine.version,
        prefix=mine.prefix,
        distributions={"numpy": version("numpy"), "msgspec": version("msgspec")},
        import_folders=tuple(sys.path),
    )
    assert list(stale(held, tmp_path, mine)) == []
    told = list(stale(held, tmp_path, other))
    assert [text.split()[0] for text in told] == ["numpy", "msgspec"]
    assert all("is not installed any more" in text for text in told)
    assert list(stale(held, tmp_path, None)) == ["nobody can tell which Python its kernel is started with"]

    (tmp_path / "added").mkdir()
    lacking = held.replace(imports=(ModulesSought(folders=(*sys.path, "added"), found={"an_extra": None}),))
    assert list(stale(lacking, tmp_path, mine)) == []
    (tmp_path / "added" / "an_extra.py").write_text("")
    assert list(stale(lacking, tmp_path, mine)) == ["an_extra can be imported now"]


def test_variables_of_a_kernel_decide(kernels: Path) -> None:
    argv = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    install(kernels, "plain", argv)
    install(kernels, "one", argv, OMP_NUM_THREADS="1")
    named = with_variables("one")
    install(kernels, "one", argv, OMP_NUM_THREADS="2")
    assert with_variables("plain") == "plain"
    assert named.startswith("one ")
    assert with_variables("one") != named
    found = interpreter_of("one")
    assert isinstance(found, Interpreter)


def test_a_distribution_of_no_index_is_told_apart_by_what_was_installed(tmp_path: Path) -> None:
    built, bought = tmp_path / "built-1.0.dist-info", tmp_path / "bought-1.0.dist-info"
    for folder in (built, bought):
        folder.mkdir()
        (folder / "RECORD").write_text("built.py,sha256=1,1\n")
    (built / "direct_url.json").write_text('{"url": "file:///project"}')
    found = {"built": built, "bought": bought}
    before = versions(found, found)
    for folder in (built, bought):
        (folder / "RECORD").write_text("built.py,sha256=2,1\n")
    after = versions(found, ["built", "bought", "gone"])
    assert before["bought"] == after["bought"] == "1.0"
    assert before["built"] != after["built"]
