"""torch in the ledger, as it really is; its wheel is too large for the development group, so it may not be there."""

import pytest

from cellops.capture.dataflow.analysis import analyse
from cellops.capture.randomness.seeding import brings_torch
from cellops.records.cell import GeneratorUse
from support.kernel import Kernel


def _uses(kernel: Kernel) -> dict[str, GeneratorUse]:
    return {use.name: use for use in kernel.cells()[-1].generators}


def _codes(kernel: Kernel) -> list[str]:
    return [finding.code for finding in kernel.cells()[-1].findings]


@pytest.mark.parametrize(
    ("source", "brings"),
    [
        ("import torch", True),
        ("import numpy, torchvision.models as m", True),
        ("from torch.nn import Linear", True),
        ("try:\n    import torch\nexcept ImportError:\n    pass", False),
        ("from .torch import x", False),
        ("torch = 1", False),
    ],
)
def test_a_cell_that_imports_torch_is_known(source: str, brings: bool) -> None:
    assert brings_torch(analyse(source)) is brings


@pytest.fixture
def with_torch(loaded: Kernel) -> Kernel:
    pytest.importorskip("torch")
    loaded.run("import torch")
    return loaded


def test_the_shared_generator_is_unseeded_until_somebody_seeds_it(with_torch: Kernel) -> None:
    assert (_uses(with_torch)["torch"].consumed, _codes(with_torch)) == (False, [])
    with_torch.run("x = torch.rand(2)")
    assert (_uses(with_torch)["torch"].consumed, _uses(with_torch)["torch"].seeded) == (True, False)
    assert _codes(with_torch) == ["unseeded-randomness"]
    with_torch.run("_ = torch.manual_seed(3)")
    assert (_uses(with_torch)["torch"].consumed, _uses(with_torch)["torch"].seeded) == (False, True)
    with_torch.run("layer = torch.nn.Linear(2, 1)")
    assert (_uses(with_torch)["torch"].consumed, _uses(with_torch)["torch"].kept, _codes(with_torch)) == (
        True,
        True,
        [],
    )


def test_the_state_before_a_cell_gives_the_same_numbers(with_torch: Kernel) -> None:
    drawn = with_torch.run("torch.rand(3).tolist()").results
    path = with_torch.project / ".cellops" / "states" / str(_uses(with_torch)["torch"].state)
    with_torch.run("from cellops.capture.randomness.rng import restore_state\nfrom pathlib import Path")
    with_torch.run(f"restore_state(torch.default_generator, Path({str(path)!r}).read_text())")
    assert with_torch.run("torch.rand(3).tolist()").results == drawn


def test_a_generator_of_its_own_begins_alike_in_every_process(with_torch: Kernel) -> None:
    with_torch.run("mine = torch.Generator()\nx = torch.rand(1, generator=mine)")
    assert (_uses(with_torch)["mine"].consumed, _uses(with_torch)["mine"].seeded, _codes(with_torch)) == (
        True,
        True,
        [],
    )
    with_torch.run("_ = mine.seed()\nx = torch.rand(1, generator=mine)")
    assert (_uses(with_torch)["mine"].seeded, _codes(with_torch)) == (False, ["unseeded-randomness"])
    with_torch.run("_ = mine.manual_seed(3)\nx = torch.rand(1)")
    assert (_uses(with_torch)["mine"].seeded, _uses(with_torch)["torch"].seeded) == (True, False)


def test_a_seed_reaches_torch_also_where_the_cell_imports_it(loaded: Kernel) -> None:
    pytest.importorskip("torch")
    source = "%%mlops run --seed 7\nimport torch\ndrawn = torch.rand(1).item()"
    metrics = []
    for _ in range(2):
        assert loaded.run(source).status == "ok"
        assert "unseeded-randomness" not in _codes(loaded)
        metrics.append(loaded.closed()[-1].metrics["drawn"])
        loaded.run("x = torch.rand(5)")
    assert metrics[0] == metrics[1]
