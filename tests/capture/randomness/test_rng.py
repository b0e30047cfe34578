"""The ledger of random generators: which a cell consumed, seeded or not, with a state that can be put back."""

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellops.capture.randomness import rng
from cellops.records.cell import CellRecord, GeneratorUse
from support.kernel import Kernel
from support.trail import Trail

MAKERS: dict[str, Any] = {
    "Random": random.Random,
    "RandomState": np.random.RandomState,
    **{
        name: lambda seed, name=name: np.random.Generator(getattr(np.random, name)(seed)) for name in rng.BIT_GENERATORS
    },
}


def _draw(generator: Any, count: int) -> list[float]:
    draw = getattr(generator, "gauss", None) or generator.normal
    return [draw(0.0, 1.0) for _ in range(count)]


@pytest.mark.parametrize("kind", MAKERS)
@given(seed=st.integers(0, 2**32 - 1), before=st.integers(0, 700))
def test_a_state_that_was_read_can_be_put_back(kind: str, seed: int, before: int) -> None:
    generator = MAKERS[kind](seed)
    _draw(generator, before)
    state = rng.capture_state(generator)
    assert state is not None
    drawn = _draw(generator, 5)
    assert rng.capture_state(generator) != state
    rng.restore_state(generator, state)
    assert rng.capture_state(generator) == state
    assert _draw(generator, 5) == drawn


@pytest.mark.parametrize("text", ["{}", "[]", "not JSON", '{"numpy": {}}', '{"python": 3}'])
@pytest.mark.parametrize("kind", MAKERS)
def test_a_text_that_is_no_state_is_refused(kind: str, text: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        rng.restore_state(MAKERS[kind](1), text)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_new_generator_is_untouched_and_one_that_drew_is_not(kind: str) -> None:
    generator = MAKERS[kind](5)
    assert rng.is_untouched(generator)
    _draw(generator, 3)
    assert not rng.is_untouched(generator)


def _drawn() -> tuple[float, float]:
    return random.random(), np.random.rand()  # noqa: NPY002 - the legacy generator is what is tested


def _draw_and_fail() -> None:
    with rng.preserved():
        raise KeyError(_drawn())


def test_what_happens_inside_of_preserved_leaves_no_trace() -> None:
    rng.seed_all(3)
    first = _drawn()
    rng.seed_all(3)
    with pytest.raises(KeyError):
        _draw_and_fail()
    assert _drawn() == first


class Torch:
    """As much of torch as the ledger uses, for it is too large to be installed for a test."""

    uint8 = np.uint8

    class Generator:
        def __init__(self, device: str = "cpu", seed: int = rng.TORCH_DEFAULT_SEED) -> None:
            self.device, self.seed, self.drawn = device, seed, 0

        def manual_seed(self, seed: int) -> "Torch.Generator":
            self.seed, self.drawn = seed, 0
            return self

        def initial_seed(self) -> int:
            return self.seed

        def get_state(self) -> Any:
            state = np.array([self.seed % 251, self.drawn], dtype=np.uint8)
            return type("Tensor", (), {"numpy": lambda _: state})()

        def set_state(self, state: Any) -> None:
            self.drawn = int(state[1])

    Generator.__module__ = "torch._C"
    frombuffer = staticmethod(np.frombuffer)

    def __init__(self) -> None:
        self.default_generator, on_the_card = self.Generator("cpu", 2**61), self.Generator("cuda", 2**50)
        self.cuda = type("cuda", (), {"is_initialized": lambda: True, "default_generators": (on_the_card,)})

    def manual_seed(self, seed: int) -> None:
        for generator in (self.default_generator, *self.cuda.default_generators):
            generator.manual_seed(seed)


def test_torch_is_in_the_ledger_with_every_device(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = Torch()
    monkeypatch.setitem(sys.modules, "torch", torch)
    held = rng.shared()
    assert [name for name in held if name.startswith("torch")] == ["torch", "torch.cuda.0"]
    assert not rng.has_own_seed(held["torch"])
    assert rng.is_untouched(held["torch"])
    assert rng.has_own_seed(torch.Generator())
    rng.seed_all(3)
    assert rng.has_own_seed(held["torch.cuda.0"])
    state = rng.capture_state(held["torch"])
    assert state is not None
    with rng.preserved():
        held["torch"].drawn = 5
    assert rng.capture_state(held["torch"]) == state
    held["torch"].drawn = 7
    assert not rng.is_untouched(held["torch"])
    rng.restore_state(held["torch"], state)
    assert rng.capture_state(held["torch"]) == state


def test_torch_remembers_how_it_began_until_somebody_seeds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = Torch()
    monkeypatch.setitem(sys.modules, "torch", torch)
    generator = rng.shared()["torch"]
    began = rng.read(generator)
    generator.drawn = 3
    assert rng.first_reading(generator) == began
    torch.manual_seed(5)
    generator.drawn = 3
    assert rng.first_reading(generator) is None


def _uses(record: CellRecord) -> dict[str, GeneratorUse]:
    return {use.name: use for use in record.generators}


def _codes(record: CellRecord) -> list[str]:
    return [finding.code for finding in record.findings]


def test_named_generators_are_in_the_ledger_with_their_origin(loaded: Kernel) -> None:
    loaded.run("import numpy as np, random\nsure, loose = np.random.default_rng(7), np.random.default_rng()")
    made = _uses(loaded.cells()[-1])
    assert (made["sure"].consumed, made["loose"].consumed) == (False, False)
    assert loaded.cells()[-1].findings == ()
    loaded.run("x = sure.normal()")
    drawn = loaded.cells()[-1]
    assert (_uses(drawn)["sure"].consumed, _uses(drawn)["sure"].seeded, _codes(drawn)) == (True, True, [])
    loaded.run("y = loose.normal()")
    drawn = loaded.cells()[-1]
    assert (_uses(drawn)["loose"].consumed, _uses(drawn)["loose"].seeded) == (True, False)
    assert [finding.seen for finding in drawn.findings] == ["the generator loose was made without a seed, and used"]
    assert not _uses(drawn)["sure"].consumed


@pytest.mark.parametrize(
    ("made", "seeded"),
    [
        ("np.random.default_rng(122807528840384100672342137672332424406)", True),
        ("np.random.default_rng([1, 2])", True),
        ("np.random.default_rng(seed=None)", False),
        ("np.random.Generator(np.random.PCG64())", False),
        ("np.random.Generator(np.random.PCG64(3))", True),
        ("np.random.RandomState(3)", True),
        ("np.random.RandomState()", False),
        ("random.Random(3)", True),
        ("random.Random()", False),
        ("make(4)", True),
        ("make(None)", False),
    ],
)
def test_a_seed_is_seen_where_a_generator_is_made(loaded: Kernel, made: str, seeded: bool) -> None:
    loaded.run("import numpy as np, random\ndef make(seed): return np.random.default_rng(seed)")
    loaded.run(f"mine = {made}\nx = mine.uniform(0, 1)")
    record = loaded.cells()[-1]
    assert (_uses(record)["mine"].consumed, _uses(record)["mine"].seeded) == (True, seeded)
    assert _codes(record) == ([] if seeded else ["unseeded-randomness"])


def test_generators_inside_of_what_a_cell_reads_are_found(loaded: Kernel) -> None:
    loaded.run(
        "import numpy as np\nclass Trainer:\n    def __init__(self): self.rng = np.random.default_rng(7)\n"
        "trainer, streams = Trainer(), np.random.default_rng(3).spawn(2)"
    )
    loaded.run("x = trainer.rng.normal() + streams[1].normal()")
    uses = _uses(loaded.cells()[-1])
    assert {name for name, use in uses.items() if use.consumed} == {"trainer.rng", "streams[1]"}
    assert uses["trainer.rng"].seeded
    assert uses["streams[0]"].seeded


def test_among_very_many_generators_those_that_a_cell_names_are_found(tmp_path: Path) -> None:
    trail = Trail(tmp_path)
    trail.run("import numpy as np\nfor n in range(200): globals()[f'g{n}'] = np.random.default_rng(n)")
    drew = [use.name for use in trail.run("x = g150.normal()\ny = g199.normal()").generators if use.consumed]
    assert drew == ["g150", "g199"]
    assert len(trail.run("z = 1").generators) < 200
    (made,) = (use for use in trail.run("new = np.random.default_rng()").generators if use.name == "new")
    assert not made.seeded


def test_that_not_all_generators_are_read_is_told_once(tmp_path: Path) -> None:
    trail = Trail(tmp_path)
    few = trail.run("import numpy as np\nfor n in range(50): globals()[f'g{n}'] = np.random.default_rng(n)")
    assert "generators-not-read" not in [finding.code for finding in few.findings]
    many, next_one = trail.run("one_more = np.random.default_rng(7)"), trail.run("x = 1")
    (told,) = (finding for finding in many.findings if finding.code == "generators-not-read")
    assert told.seen == "51 names stand for random generators; of those that a cell does not name, 50 are read"
    assert next_one.findings == ()


def test_a_generator_is_found_among_the_first_of_very_many_attributes(loaded: Kernel) -> None:
    loaded.run(
        "import numpy as np\nclass Trainer: pass\ntrainer = Trainer()\ntrainer.rng = np.random.default_rng(7)\n"
        "trainer.__dict__.update((f'a{n}', n) for n in range(100_000))"
    )
    loaded.run("x = trainer.rng.normal()")
    assert _uses(loaded.cells()[-1])["trainer.rng"].consumed


@pytest.mark.parametrize(
    "seeding",
    [
        "random.seed(3); np.random.seed(3)",
        "from random import seed as s\ns(3)\nfrom numpy import random as r\nr.seed(3)",
        "set_everything_seed(3)",
        "random.setstate(random.getstate()); np.random.set_state(np.random.get_state())",
    ],
)
def test_the_shared_generators_are_seeded_by_what_a_cell_calls(loaded: Kernel, seeding: str) -> None:
    loaded.run(
        "import random, numpy as np\n# random.seed(1), np.random.seed(1)\n"
        "def set_everything_seed(n):\n    random.seed(n)\n    np.random.seed(n)"
    )
    loaded.run("x = random.random() + np.random.rand()")
    assert _codes(loaded.cells()[-1]) == ["unseeded-randomness"] * 2
    loaded.run(seeding)
    assert _codes(loaded.cells()[-1]) == []
    loaded.run("x = random.random() + np.random.rand()")
    assert _codes(loaded.cells()[-1]) == []


def test_seeding_one_generator_seeds_no_other(loaded: Kernel) -> None:
    loaded.run("import numpy as np\nmine = np.random.RandomState()")
    loaded.run("mine.seed(3)\nx = np.random.rand()")
    assert _codes(loaded.cells()[-1]) == ["unseeded-randomness"]


def test_a_seed_that_is_none_is_none(loaded: Kernel) -> None:
    loaded.run("import random\nrandom.seed(None)\nrandom.seed()")
    loaded.run("x = random.random()")
    assert _codes(loaded.cells()[-1]) == ["unseeded-randomness"]


def test_the_state_before_a_consuming_cell_is_kept_and_gives_the_same_numbers(loaded: Kernel) -> None:
    loaded.run("import random, numpy as np\nmine = np.random.default_rng(7)")
    drawn = loaded.run("random.random(), np.random.rand(), mine.normal()").results
    uses = _uses(loaded.cells()[-1])
    assert all(use.kept for use in uses.values())
    held = {"python": "random._inst", "numpy": "np.random.mtrand._rand", "mine": "mine"}
    loaded.run("from cellops.capture.randomness.rng import restore_state\nfrom pathlib import Path")
    for name, where in held.items():
        path = loaded.project / ".cellops" / "states" / str(uses[name].state)
        assert path.stat().st_mode & 0o777 == 0o600
        loaded.run(f"restore_state({where}, Path({str(path)!r}).read_text())")
    assert loaded.run("random.random(), np.random.rand(), mine.normal()").results == drawn


def test_the_state_before_the_cell_that_imports_numpy_gives_its_numbers(loaded: Kernel) -> None:
    loaded.run("import sys\nbefore = 'numpy' in sys.modules\nimport numpy as np\nx = np.random.rand()")
    use = _uses(loaded.cells()[-1])["numpy"]
    assert use.kept
    path = loaded.project / ".cellops" / "states" / str(use.state)
    loaded.run("from cellops.capture.randomness.rng import restore_state\nfrom pathlib import Path")
    loaded.run(f"restore_state(np.random.mtrand._rand, Path({str(path)!r}).read_text())")
    assert loaded.run("before, np.random.rand() == x").results == ["(False, True)"]


def test_a_folder_for_states_that_cannot_be_written_hurts_nobody(loaded: Kernel) -> None:
    (loaded.project / ".cellops" / "states").write_text("in the way")
    done = loaded.run("import random\nx = random.random()\n'drawn'")
    assert (done.status, done.results) == ("ok", ["'drawn'"])
    assert not _uses(loaded.cells()[-1])["python"].kept
    assert "capture failed" not in loaded.run("%mlops status").streams


def test_objects_that_behave_badly_are_never_called(loaded: Kernel) -> None:
    loaded.run(
        "class Bad:\n    def __getattr__(self, name): raise SystemExit\n    def __eq__(self, other): raise SystemExit\n"
        "    __hash__ = None\n    @property\n    def __class__(self): raise SystemExit\n"
        "    @property\n    def __dict__(self): raise SystemExit\nbad, more = Bad(), [Bad()]"
    )
    done = loaded.run("seen = (bad, more)")
    assert done.status == "ok"
    assert loaded.cells()[-1].generators
    assert "capture failed" not in loaded.run("%mlops status").streams


FIT = (
    "from sklearn.ensemble import RandomForestClassifier\nimport numpy as np\nX = np.arange(40.0).reshape(20, 2)\n"
    "y = np.arange(20) % 2\nmodel = RandomForestClassifier(n_estimators=2{}).fit(X, y)"
)


@pytest.mark.parametrize("header", ["", "%%mlops run\n"])
def test_an_estimator_that_draws_unseeded_is_a_finding_with_the_remedy(loaded: Kernel, header: str) -> None:
    loaded.run("import sklearn.ensemble")
    loaded.run(header + FIT.format(""))
    findings = loaded.closed()[-1].findings if header else loaded.cells()[-1].findings
    found = [(f.seen, f.remedy) for f in findings if f.code == "unseeded-estimator"]
    assert found == [("model draws randomness of its own: random_state is None", "Set random_state to a number")]
    loaded.run(header + FIT.format(", random_state=3"))
    findings = loaded.closed()[-1].findings if header else loaded.cells()[-1].findings
    assert [f.code for f in findings if f.code.startswith("unseeded")] == []


def test_what_a_library_draws_when_it_is_imported_changes_no_draw_of_the_notebook(loaded: Kernel) -> None:
    loaded.run("import random, sys\nrandom.seed(7)")
    loaded.run("before = 'sklearn' in sys.modules\nimport sklearn.linear_model\ndrawn = random.random()")
    done = loaded.run("before, drawn == random.Random(7).random()")
    assert done.results == ["(False, True)"]
