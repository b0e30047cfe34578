"""What whoever has cells executed in a kernel of their own gives for that."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from cellops.pipeline.kernel_options import KernelOptions
from cellops.records.execution import CellProgress
from cellops.records.sweep import Report


@dataclass(frozen=True, kw_only=True)
class KernelRun:
    """One use of a kernel."""

    kernel: KernelOptions
    places: Mapping[str, int]
    """Places of the cells in the notebook that a person knows, by their ids."""
    output: Path
    """Where the executed notebook goes."""
    stop: Future[None]
    """Done when the execution shall end before its time: whoever stops it raises the reason."""
    tell: Callable[[CellProgress], None]
    """Called when a cell begins and when it ends."""
    save: Callable[[], None]
    """Writes what there is; called on a timer, and at the end."""
    on_report: Callable[[Report], None] = lambda _: None
    """Called with what a run reports while it goes on."""
