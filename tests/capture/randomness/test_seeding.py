"""Cells that seed a generator, and may have drawn from it before: their slices hold what the draws depend on."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellops.capture.randomness import rng
from cellops.records.cell import GeneratorUse
from cellops.records.recorded import needed_states
from support.trail import Trail, execute


@pytest.fixture(autouse=True)
def _preserved() -> Iterator[None]:
    with rng.preserved():
        yield


def _uses(trail: Trail) -> dict[str, GeneratorUse]:
    return {use.name: use for use in trail.records[-1].generators}


@pytest.mark.parametrize(
    "cells",
    [
        ["import random\nrandom.seed(3)", "a = random.random()", "r = random.random()\nrandom.seed(7)"],
        ["import random\nrandom.seed(3)", "r = random.random()\nrandom.seed(3)"],
        ["import random\nrandom.seed(3)", "a = random.random()",
         "s = random.getstate()\nr = random.random()\nrandom.setstate(s)"],
        ["import numpy as np\nnp.random.seed(3)", "a = np.random.rand()", "r = np.random.rand()\nnp.random.seed(0)"],
        ["import random\nrandom.seed(3)\ndef set_seed(n): random.seed(n)", "a = random.random()",
         "r = random.random()\nset_seed(3)"],
        ["import random\nrandom.seed(3)\ndef set_seed(n): random.seed(n)\nset_seed(3)",
         "r = random.random()\nset_seed(3)"],
        ["import numpy as np\nnp.random.seed(1)", "{'s': np.random.seed}['s'](5)", "r = np.random.rand()"],
        ["import random\nrandom.seed(1)", "s = random.seed\ns(5)", "r = random.random()"],
        ["import random\nrandom.seed(1)", "s = random.seed\ns(5)", "s = None", "r = random.random()"],
        ["import numpy as np\nnp.random.seed(1)\nfrom sklearn.utils import check_random_state",
         "check_random_state(None).seed(5)", "r = np.random.rand()"],
        ["import random", "random.seed(1)", "q = 1",
         "def draw(): return random.random()\nrandom.seed(2)", "r = draw()"],
    ],
)  # fmt: skip
def test_the_slice_gives_the_number_that_was_drawn(cells: list[str], tmp_path: Path) -> None:
    trail = Trail(tmp_path)
    for cell in cells:
        trail.run(cell)
    trail.run("result = r")
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002 - the legacy generator is what is tested
    assert trail.replay()["result"] == trail.namespace["result"]


@pytest.mark.parametrize(
    ("seeding", "needed"),
    [
        ("import random\nrandom.seed(7)\nr = random.random()", False),
        ("'''Begin'''\nimport random\nn = 7\ndef f(): return 1\n_ = random.seed(n)\nr = random.random()", False),
        ("def f(v=draw()): return 1\nrandom.seed(7)\nr = random.random()", True),
        ("a = draw()\nrandom.seed(7)\nr = random.random()", True),
    ],
)
def test_what_was_drawn_before_a_cell_that_seeds_first_does_not_matter(
    seeding: str, needed: bool, tmp_path: Path
) -> None:
    trail = Trail(tmp_path)
    trail.run("import random\ndef draw(): return random.random()\nrandom.seed(1)")
    trail.run("random.random()")
    trail.run(seeding)
    use = _uses(trail)["python"]
    assert (use.renewed, use.reseeded) == (not needed, needed)
    assert (2 in trail.slice().cells) is needed


@pytest.mark.parametrize("seeding", ["np.random.seed(1)", "np.random.set_state(given)"])
def test_numpys_generator_is_seeded_first_too(seeding: str, tmp_path: Path) -> None:
    trail = Trail(tmp_path)
    trail.run("import numpy as np\nnp.random.seed(5)\ngiven = np.random.get_state()\nx = np.random.rand()")
    trail.run(seeding)
    use = _uses(trail)["numpy"]
    assert (use.consumed, use.seeded, use.renewed, use.reseeded) == (False, True, True, False)


def test_the_state_before_is_put_back_where_a_cell_drew_unseeded_and_then_seeded(tmp_path: Path) -> None:
    trail = Trail(tmp_path)
    record = trail.run("import random\na = [random.random()]\nrandom.seed(7)")
    assert [use.name for _, use in needed_states([record]) if use.name == "python"] == ["python"]
    path = tmp_path / str(_uses(trail)["python"].state)
    rng.restore_state(random._inst, path.read_text())
    again: dict[str, Any] = {}
    execute(record.source, again)
    assert again["a"] == trail.namespace["a"]


@pytest.mark.parametrize("made", [lambda: random.Random(5), lambda: np.random.RandomState(5)])
def test_a_generator_that_gave_exactly_all_its_words_was_drawn_from(made: Any) -> None:
    generator = made()
    for _ in range(312):
        getattr(generator, "random", None)()
    assert not rng.is_untouched(generator)


@pytest.mark.parametrize("seed", [0, 1, 5, 2**32 - 1])
def test_a_generator_is_untouched_behind_each_way_to_seed_it(seed: int) -> None:
    legacy = np.random.RandomState()
    assert rng.is_untouched(legacy)
    for given in (seed, [seed, 3]):
        legacy.seed(given)
        assert rng.is_untouched(legacy)
    mine = random.Random()
    mine.seed(str(seed))
    assert rng.is_untouched(mine)


def test_a_generator_that_a_cell_deletes_is_not_held(tmp_path: Path) -> None:
    trail = Trail(tmp_path)
    trail.run("import random, sys, weakref\ng = random.Random(3)\nw = weakref.ref(g)")
    trail.run("del g\ngone = w() is None")
    assert trail.namespace["gone"]


@pytest.mark.parametrize("drawn", [0, 3])
def test_numpys_generator_remembers_how_it_began(drawn: int) -> None:
    generator = np.random.RandomState()
    began = rng.read(generator)
    generator.random(drawn)
    assert rng.first_reading(generator) == began
    generator.seed(5)
    assert rng.first_reading(generator) is None


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("r = np.random.default_rng().random()", "np.random.default_rng()"),
        ("r = default_rng(None).random()", "default_rng(None)"),
        (
            "def draw():\n    own = np.random.RandomState()\n    return own.rand()\nr = draw()",
            "np.random.RandomState()",
        ),
        ("r = [random.Random().random() for _ in range(2)]", "random.Random()"),
        ("r = np.random.default_rng(7).random()", None),
        ("r = random.Random(7).random()", None),
        ("def draw(seed):\n    return np.random.default_rng(seed).random()\nr = draw(7)", None),
        ("class Random: pass\nr = Random()", None),
        ("generator = np.random.default_rng()", None),
    ],
)
def test_a_generator_without_seed_and_name_is_found(source: str, made: str | None, tmp_path: Path) -> None:
    trail = Trail(tmp_path)
    trail.run("import random\nimport numpy as np\nfrom numpy.random import default_rng")
    found = [f.seen for f in trail.run(source).findings if f.code == "unseeded-randomness"]
    assert [seen.partition(" makes")[0] for seen in found] == ([made] if made else [])
