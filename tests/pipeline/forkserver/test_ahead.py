"""What is imported ahead leaves nothing but modules, or is not imported ahead."""

import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from cellops.pipeline.forkserver.ahead import import_ahead
from cellops.pipeline.cache.imports import imports
print(import_ahead(["own"], Path(sys.argv[2])), "own" in sys.modules, sorted(imports().names()))
"""


def ahead(folder: Path, source: str, installed: str = "site-packages") -> str:
    """What becomes of importing a module ahead."""
    place = folder / installed
    place.mkdir()
    (place / "own.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(place), str(folder)], capture_output=True, text=True, check=True, cwd=folder
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_module_that_is_only_imported_is_there(tmp_path: Path) -> None:
    assert ahead(tmp_path, "x = 1") == "None True ['own']"


@pytest.mark.parametrize(
    "source",
    [
        "print('hello')",
        "import os\nos.write(2, b'from a library')",
        "import warnings\nwarnings.warn('old', FutureWarning)",
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
        "open('settings.ini', 'w')",
        "from pathlib import Path\nlist(Path().iterdir())",
        "import os\nos.mkdir('made')",
    ],
)
def test_what_does_more_is_left_to_the_cell(tmp_path: Path, source: str) -> None:
    assert ahead(tmp_path, source).startswith("importing own does more than that")


def test_what_cannot_be_imported_is_left_to_the_cell(tmp_path: Path) -> None:
    assert ahead(tmp_path, "1 / 0").startswith("own cannot be imported: ZeroDivisionError")


def test_a_module_of_the_project_is_not_imported_ahead(tmp_path: Path) -> None:
    assert ahead(tmp_path, "x = 1", installed="src") == "None False ['own']"


def test_modules_that_were_looked_for_are_remembered(tmp_path: Path) -> None:
    source = (
        "import importlib.util\nimportlib.util.find_spec('json')\ntry:\n    import absent\nexcept ImportError: pass"
    )
    assert ahead(tmp_path, source) == "None True ['absent', 'own']"
