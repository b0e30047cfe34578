"""Which names of a slice's cells its run can depend on."""

import pytest

from cellops.pipeline.verify.relevance import needed_names
from support.trail import Trail

MAGIC = "%matplotlib inline\n"


def needed(*sources: str) -> frozenset[str] | None:
    """What is needed of the first of some cells, of which the last is the run."""
    trail = Trail()
    for source in sources:
        trail.run(source.replace(MAGIC, ""))
    first = trail.records[0].replace(source=sources[0])
    return needed_names([first, *trail.records[1:]])[1]


BESIDE = "import time\nstart, scale = time.time(), 2.0\n"


@pytest.mark.parametrize(
    "definition",
    [
        "def double(x):\n    return x * scale",
        "async def double(x):\n    return x * scale",
        "class Doubling:\n    def __call__(self, x):\n        return x * scale",
        "def doubling():\n    return lambda x: x * scale",
        "def doubling():\n    def inner(x):\n        return x * scale\n    return inner",
        "later = (scale for _ in range(3))",
    ],
)
def test_a_function_needs_what_it_uses_and_not_all_that_stands_beside_it(definition: str) -> None:
    found = needed(BESIDE + definition, "score = 0.5")
    assert found is not None
    assert "scale" in found
    assert "start" not in found


@pytest.mark.parametrize(
    "definition",
    [
        "double = lambda x: x * scale",
        MAGIC + "double = lambda x: x * scale",
        "doubles = {'one': lambda x: x * scale}",
        "if True:\n    def double(x):\n        return x * scale",
        "def double(x):\n    return eval('x * ' + str('scale'))",
    ],
)
def test_of_a_function_that_is_not_known_every_name_may_be_needed(definition: str) -> None:
    assert needed(BESIDE + definition, "score = 0.5") is None


def test_a_function_of_an_earlier_cell_needs_names_of_a_later_one() -> None:
    trail = Trail()
    for source in ("def double(x):\n    return x * scale", BESIDE, "four = double(2)"):
        trail.run(source)
    found = needed_names(trail.records)[2]
    assert found is not None
    assert "scale" in found
    assert "start" not in found


def test_names_that_later_cells_read_or_change_are_needed() -> None:
    found = needed("import time\nvalues, start = [1], time.time()", "values.append(2)", "score = 0.5")
    assert found is not None
    assert "values" in found
    assert "start" not in found


def test_magics_define_nothing() -> None:
    found = needed(f"{MAGIC}{BESIDE}", "double = scale * 2")
    assert found is not None
    assert "start" not in found


def test_above_a_cell_that_may_do_anything_everything_is_needed() -> None:
    assert needed("import time\nstart = time.time()", "exec(str(1))", "score = 0.5") is None


def test_of_the_run_itself_everything_is_needed() -> None:
    assert needed("score = 0.5") is None


@pytest.mark.parametrize(
    ("cell", "is_needed"),
    [
        ("hours = start / 3600", True),
        ("minutes = start / 60\nhours = minutes / 60", True),
        ("hours = []\nhours.append(start)", True),
        ("hours = {}\nhours['now'] = start", True),
        (
            "import random\nhours = [3, 1]\nrandom.shuffle(hours)\nfor h in hours: h + start\nhours.sort(key=start)",
            True,
        ),
        ("hours = 2\nprint(f'{time.time() - start:.1f} s')", False),
        ("hours = 2\ntook = time.time() - start", False),
        ("hours = 2\nprint(hours, start)", False),
        ("hours = start / 3600\nstart = 0", False),
    ],
)
def test_what_a_cell_makes_a_needed_name_from_is_needed(cell: str, *, is_needed: bool) -> None:
    found = needed(f"import time\nstart = time.time()\n{cell}", "twice = hours")
    assert found is not None
    assert ("start" in found) == is_needed


@pytest.mark.parametrize("headers", ["%%mlops step fit\n", "%%mlops step fit\n\n%%time\n"])
def test_a_cell_below_headers_is_read_as_one_without(headers: str) -> None:
    trail = Trail()
    cell = "import time\nstart, rows = time.time(), [1]\nrows.append(2)\nsize = len(rows)"
    for source in (cell, "twice = size * 2"):
        trail.run(source)
    (first, run) = trail.records
    found = needed_names([first.replace(source=headers + cell), run])[1]
    assert found == needed_names([first, run])[1]
    assert found is not None
    assert "rows" in found
    assert "start" not in found


@pytest.mark.parametrize("cell", ["first = log[0]\nlog.append(2)", "first = log.pop()", "first = next(log)"])
def test_what_a_cell_changes_behind_reading_it_is_not_needed(cell: str) -> None:
    found = needed(f"log = [1]\n{cell}", "twice = first")
    assert found is not None
    assert "log" not in found
