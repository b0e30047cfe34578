"""What every sampler promises; they are discovered, so that the next one is tested unasked."""

import importlib
import inspect
import pkgutil

import pytest

import cellops.pipeline.sweep.samplers
from cellops.pipeline.sweep.dimensions import Choices, Dimension, Real, Whole
from cellops.pipeline.sweep.grammar import Range
from cellops.pipeline.sweep.samplers import SAMPLERS
from cellops.pipeline.sweep.samplers.sampler import Sampler, Task

COUNTED: tuple[Dimension, ...] = (
    Whole("depth", Range(3, 7, whole=True, step=2)),
    Choices("kernel", (None, "rbf", True, 1, 1.5, "1"), ""),
    Real("share", Range(0.0, 0.3, whole=False, step=0.1)),
)


def discovered() -> list[type[Sampler]]:
    """Classes with `ask` and `tell` in the modules of samplers, but for the shape itself."""
    names = [m.name for m in pkgutil.iter_modules(cellops.pipeline.sweep.samplers.__path__) if m.name != "sampler"]
    modules = [importlib.import_module(f"cellops.pipeline.sweep.samplers.{name}") for name in names]
    found = [one for module in modules for _, one in inspect.getmembers(module, inspect.isclass)]
    return [one for one in dict.fromkeys(found) if hasattr(one, "ask") and hasattr(one, "tell") and one is not Sampler]


every = pytest.mark.parametrize("sampler", discovered(), ids=lambda one: one.name)


def task(seed: int = 7, *, jobs: int = 1, told: int = 0) -> Task:
    return Task(dimensions=COUNTED, seed=seed, maximize=True, jobs=jobs, told=told)


def asked(sampler: Sampler, many: int) -> list[dict[str, object]]:
    found = []
    for number in range(many):
        values = sampler.ask(number)
        if values is None:
            break
        found.append(values)
        sampler.tell(number, values, None if number % 4 == 3 else float(number % 5))
    return found


def test_all_are_known_by_their_names() -> None:
    assert {one.name: one for one in discovered()} == SAMPLERS


@every
def test_values_are_those_of_the_space(sampler: type[Sampler]) -> None:
    for values in asked(sampler(task()), 30):
        assert list(values) == [dimension.name for dimension in COUNTED]
        for dimension in COUNTED:
            known = [dimension.at(place) for place in range(dimension.size or 0)]
            assert any(type(one) is type(values[dimension.name]) and one == values[dimension.name] for one in known)


@every
def test_the_same_seed_asks_for_the_same(sampler: type[Sampler]) -> None:
    assert asked(sampler(task()), 20) == asked(sampler(task()), 20)


@every
def test_what_was_told_before_is_taken(sampler: type[Sampler]) -> None:
    """A sweep that is resumed tells all trials that another sampler was asked for, with failed ones among them."""
    before = asked(sampler(task()), 10)
    after = sampler(task(told=10, jobs=2))
    for number, values in enumerate(before):
        after.tell(number, values, None if number % 2 else 0.5)
    more = [after.ask(number) for number in (10, 11)]
    assert all(values is not None for values in more)
    assert more[0] != more[1]


@pytest.mark.parametrize("name", ["grid", "random"])
def test_each_combination_is_asked_for_once(name: str) -> None:
    found = asked(SAMPLERS[name](task()), 1000)
    assert len(found) == len({repr(values) for values in found}) == 3 * 6 * 4


def test_a_grid_goes_through_the_last_parameter_first() -> None:
    first, second, *_ = asked(SAMPLERS["grid"](task()), 8)
    assert (first, second["share"]) == ({"depth": 3, "kernel": None, "share": 0.0}, 0.1)


def test_tpe_finds_what_is_good() -> None:
    dimensions = (Real("x", Range(0.0, 10.0, whole=False)),)
    sampler = SAMPLERS["tpe"](Task(dimensions=dimensions, seed=3, maximize=False))
    best = 100.0
    for number in range(40):
        values = sampler.ask(number)
        assert values is not None
        value = (float(values["x"]) - 7) ** 2  # type: ignore[arg-type]
        sampler.tell(number, values, value)
        best = min(best, value)
    assert best < 0.05
