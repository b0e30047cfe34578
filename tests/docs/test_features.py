"""The page of features says what is true: its cells are executed, and it names every finding."""

import re
from pathlib import Path

from support.kernel import Kernel

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")


def test_every_cell_of_the_page_can_be_executed(kernel: Kernel) -> None:
    cells = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    done = [kernel.run(cell) for cell in cells]
    assert [one.status for one in done] == ["ok"] * len(cells), [one.traceback for one in done]
    assert "hours is not what was known at day in 3 of 3 rows" in done[-1].streams
    assert "distance_squared" in done[2].results[0]
    assert [model.name for model in kernel.closed()[-1].models] == ["model"]


def test_every_finding_of_features_is_documented() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src/cellops/data/features").glob("*.py")]
    told = {code for text in sources for code in re.findall(r'"((?:feature|missing|duplicate|nothing)-[a-z-]+)"', text)}
    assert len(told) >= 15
    assert told - set(re.findall(r"`([a-z-]+)`", PAGE)) == set()
