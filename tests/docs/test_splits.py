"""The page on splits is executed as it stands."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "splits.md"


def test_the_page_says_what_happens() -> None:
    done = doctest.testfile(str(PAGE), module_relative=False)
    assert done.attempted >= 10
    assert done.failed == 0
