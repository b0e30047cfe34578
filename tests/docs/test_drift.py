"""The page of drift says what happens, and names every statistic that there is."""

import doctest
import pkgutil
import re
from pathlib import Path

import cellops.stats
from cellops.monitoring.statistics import KNOWN

PAGE = (Path(__file__).parents[2] / "docs" / "drift.md").read_text(encoding="utf-8")


def test_the_page_says_what_happens() -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    found = doctest.DocTestParser().get_doctest(snippet, {}, "docs/drift.md", None, 0)
    assert len(found.examples) == 6
    assert doctest.DocTestRunner().run(found).failed == 0


def test_every_statistic_is_named() -> None:
    modules = {module.name for module in pkgutil.iter_modules(cellops.stats.__path__)}
    public = set(KNOWN) & modules | {"domain_classifier", "maximum_mean_discrepancy", "reconstruction_error"}
    assert {name for name in public if f"`{name}`" not in PAGE} == set()
