"""The shape of every sampler: it is asked for values, and told what came of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from cellops.pipeline.sweep.dimensions import Dimension


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a sampler works on."""

    dimensions: tuple[Dimension, ...]
    seed: int
    maximize: bool
    jobs: int = 1
    """How many trials are executed at once."""
    told: int = 0
    """How many trials it is told of before it is asked for the first time, as those of a sweep that is resumed."""
    again: tuple[Mapping[str, object], ...] = ()
    """The values of those that were begun before and are done again, of which it is told when they end."""


class Sampler(Protocol):
    """Chooses the values of trials. Only one thread uses it."""

    name: ClassVar[str]
    """By which a person asks for it."""

    def __init__(self, task: Task) -> None: ...

    def ask(self, number: int) -> dict[str, object] | None:
        """The values of a trial, by the names of parameters; None where nothing is left to be tried.

        Parameters
        ----------
        number
            Of the trial, from 0; numbers rise, and none is asked for twice.
        """

    def tell(self, number: int, values: Mapping[str, object], value: float | None) -> None:
        """What came of a trial, also of one that another sampler was asked for.

        Parameters
        ----------
        value
            Of the metric; None where the trial failed.
        """
