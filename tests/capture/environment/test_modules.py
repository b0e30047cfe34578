"""The project's own modules are part of a run: their sources are kept, and an edit behind an import is a finding."""

import hashlib
import os
from pathlib import Path

import pytest

from cellops.flows.sync import sync
from cellops.settings import load
from cellops.tracking.store import Store
from support.kernel import Kernel

RUN = "%%mlops run\nscore = helpers.double(2) / 8"
SOURCE = "def double(x): return 2 * x\n"


def _edit(path: Path, text: str) -> None:
    """Write a file so that no clock, however coarse, can hide it."""
    path.write_text(text)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 5_000_000_000))


def _edits(kernel: Kernel) -> list[str]:
    return [finding.seen for finding in kernel.cells()[-1].findings if finding.code == "module-edited"]


@pytest.fixture
def helpers(loaded: Kernel) -> Path:
    path = loaded.project / "helpers.py"
    _edit(path, SOURCE)
    loaded.run("import helpers")
    return path


def test_a_run_names_the_modules_it_had_and_keeps_their_sources(loaded: Kernel, tmp_path: Path) -> None:
    package = loaded.project / "lib" / "inner"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("password = 'hunter2hunter2'\n")
    (loaded.project / "helpers.py").write_text(SOURCE)
    loaded.run("import sys, json, numpy\nsys.path.insert(0, 'lib')\nimport inner")
    loaded.run(f"{RUN.replace('score', 'import helpers; score')}")
    modules = {module.path: module for module in loaded.closed()[-1].modules}
    assert sorted(modules) == ["helpers.py", "lib/inner/__init__.py"]
    assert modules["helpers.py"].digest == hashlib.sha256(SOURCE.encode()).hexdigest()
    sync(load(loaded.project))
    store = Store(load(loaded.project))
    kept = store.artifacts(store.runs(1)[0].mlflow_run_id or "", "cellops/modules", tmp_path)
    assert (kept / "helpers.py").read_text() == SOURCE
    assert (kept / "lib" / "inner" / "__init__.py").read_text() == "password = '[redacted]'\n"


def test_the_same_code_has_the_same_digest_and_other_code_another(loaded: Kernel, helpers: Path) -> None:
    loaded.run(RUN)
    loaded.run(RUN)
    _edit(helpers, SOURCE + "# more\n")
    loaded.run("import importlib; _ = importlib.reload(helpers)")
    loaded.run(RUN)
    first, second, third = (run.code_digest for run in loaded.closed())
    assert first == second != third


def test_an_edit_behind_the_import_is_told_once_and_with_each_run(loaded: Kernel, helpers: Path) -> None:
    loaded.run("helpers.double(1)")
    assert _edits(loaded) == []
    _edit(helpers, "def double(x): return 3 * x\n")
    loaded.run("helpers.double(1)")
    assert _edits(loaded) == ["helpers.py was edited after it was imported, and the kernel still runs the older one"]
    loaded.run("helpers.double(1)")
    assert _edits(loaded) == []
    loaded.run(RUN)
    assert "module-edited" in [finding.code for finding in loaded.closed()[-1].findings]
    assert loaded.closed()[-1].modules[0].digest == hashlib.sha256(SOURCE.encode()).hexdigest()
    loaded.run("import importlib; _ = importlib.reload(helpers)")
    loaded.run(RUN)
    assert "module-edited" not in [finding.code for finding in loaded.closed()[-1].findings]


def test_a_file_that_was_touched_or_has_its_old_content_again_is_not_edited(loaded: Kernel, helpers: Path) -> None:
    _edit(helpers, SOURCE)
    loaded.run(RUN)
    assert "module-edited" not in [finding.code for finding in loaded.closed()[-1].findings]
    _edit(helpers, SOURCE.replace("2", "3"))
    loaded.run("x = 1")
    assert len(_edits(loaded)) == 1
    _edit(helpers, SOURCE)
    loaded.run(RUN)
    assert "module-edited" not in [finding.code for finding in loaded.closed()[-1].findings]
    _edit(helpers, SOURCE.replace("2", "4"))
    loaded.run("x = 1")
    assert len(_edits(loaded)) == 1


def test_a_module_that_reloads_itself_is_not_reproached_with_it(loaded: Kernel, helpers: Path) -> None:
    loaded.run("%load_ext autoreload\n%autoreload 2")
    _edit(helpers, "def double(x): return 3 * x\n")
    assert loaded.run("helpers.double(1)").results == ["3"]
    assert _edits(loaded) == []


def test_a_module_that_has_gone_is_forgotten(loaded: Kernel, helpers: Path) -> None:
    loaded.run("import sys\ndel sys.modules['helpers']")
    helpers.unlink()
    loaded.run("x = 1")
    assert _edits(loaded) == []
    loaded.run("%%mlops run\nscore = 1 / 2")
    assert loaded.closed()[-1].modules == ()


def test_modules_that_behave_badly_are_not_asked(loaded: Kernel) -> None:
    loaded.run(
        "import sys, types\nclass Lazy(types.ModuleType):\n    def __getattribute__(self, name): raise SystemExit\n"
        "class Bad:\n    def __getattr__(self, name): raise SystemExit\n"
        "sys.modules['lazy_one'], sys.modules['bad_one'] = Lazy('lazy_one'), Bad()"
    )
    assert loaded.run("%%mlops run\nscore = 1 / 2").status == "ok"
    assert "capture failed" not in loaded.run("%mlops status").streams
    assert loaded.closed()[-1].metrics == {"score": 0.5}
