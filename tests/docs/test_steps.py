"""The page of steps names every problem that they can have."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "cellops" / "pipeline" / "steps"


def test_every_problem_of_steps_is_documented() -> None:
    told = {
        code
        for path in SOURCES.glob("*.py")
        for code in re.findall(r'_?problem(?:_at)?\(\s*"([a-z-]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(told) >= 12
    documented = set(re.findall(r"`([a-z-]+)`", (ROOT / "docs" / "steps.md").read_text(encoding="utf-8")))
    assert told - documented == set()
