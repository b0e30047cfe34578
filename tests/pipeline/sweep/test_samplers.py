"""Samplers: what they choose, also beside what another call of the same sweep has begun."""

from cellops.pipeline.sweep.dimensions import Choices, Dimension
from cellops.pipeline.sweep.samplers.random import Random
from cellops.pipeline.sweep.samplers.sampler import Task


def test_random_takes_nothing_that_is_done_again() -> None:
    dimensions: tuple[Dimension, ...] = (Choices("k", ("a", "b", "c"), "a,b,c"),)
    for seed in range(10):
        sampler = Random(Task(dimensions=dimensions, seed=seed, maximize=True, again=({"k": "a"}, {"k": "b"})))
        assert sampler.ask(2) == {"k": "c"}
        assert sampler.ask(3) is None
