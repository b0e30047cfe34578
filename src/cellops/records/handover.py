"""What a step's kernel is asked for, and what it answers."""

from cellops.records.base import Record
from cellops.records.cached import Dependencies, KeptRun
from cellops.records.stored import StoredValue


class Handover(Record, frozen=True, kw_only=True):
    """What the kernel of a step takes over before its cells, and hands over behind them."""

    store: str
    """Path of the folder of values."""
    values: tuple[StoredValue, ...]
    """What other steps have kept."""
    names: tuple[str, ...]
    """Those names among them that the step takes."""
    outputs: tuple[str, ...]
    """The names whose values other steps take from it."""
    answer: str
    """Path of the file for the answer."""


class HandedOver(Record, frozen=True, kw_only=True):
    """What the kernel of a step has kept, and what its cells were found to depend on."""

    values: tuple[StoredValue, ...] = ()
    dependencies: Dependencies | None = None
    """None where nothing has captured the cells."""
    runs: tuple[KeptRun, ...] = ()
    """The runs that its cells have opened."""
    views: tuple[tuple[str, str], ...] = ()
    """Pairs of names whose arrays lay in the same memory; in other steps they do not."""
    problem: str = ""
    """Why the values could not be kept; empty where they were."""
    remedy: str = ""
