"""The documentation says what the code does."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_reference_is_what_the_code_says() -> None:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8") == module.render(), "run: make docs"


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_command_in_the_pages_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    verbs = {
        verb for block in re.findall(r"```(?:console|sh|bash)\n(.*?)```", text, re.DOTALL) for verb in _verbs(block)
    }
    for verb in verbs:
        done = subprocess.run([sys.executable, "-m", "cellops", verb, "--help"], capture_output=True, check=False)
        assert done.returncode == 0, verb


def _verbs(block: str) -> list[str]:
    return re.findall(r"(?:^|\s|/)cellops (\w+)", block)
