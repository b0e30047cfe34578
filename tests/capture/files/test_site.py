"""The module that guards processes of Python which a replayed cell starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cellops.capture.files.guard import SITE
from cellops.records.guarding import Guarding
from cellops.records.recorded import Restoring

ASK = "import sys; print(sys.modules['sitecustomize'].__file__, *sys.path, sep='\\n'); open('x', 'w').close()"


@pytest.mark.parametrize("with_own", [True, False])
def test_it_guards_makes_way_and_says_nothing(tmp_path: Path, with_own: bool) -> None:
    aside, own, project = (tmp_path / name for name in ("aside", "own", "project"))
    for folder in (aside, own, project):
        folder.mkdir()
    if with_own:
        (own / "sitecustomize.py").write_text("", encoding="utf-8")
    guarding = Guarding(aside=str(aside), heard=str(own / "heard"), project=str(project), own=str(own))
    (own / "restoring.json").write_bytes(Restoring(guarding=guarding).to_json())
    paths = [str(SITE), str(own), os.environ.get("PYTHONPATH", "")]
    added = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "CELLOPS_RESTORING": str(own / "restoring.json")}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=os.environ | added, cwd=project, capture_output=True, text=True, check=True
    )
    imported, *path = done.stdout.splitlines()
    assert done.stderr == ""
    assert not with_own or Path(imported).parent == own  # else the environment may have one of its own
    assert str(SITE) not in path
    assert f'"{project / "x"}"' in (aside / "list.jsonl").read_text(encoding="utf-8")
