"""A notebook as a kernel gets it: with its parameters, its seed, and the metadata that papermill keeps."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.secrets import masked
from cellops.pipeline.metadata import describe, tell_parameters
from cellops.pipeline.parameters.injection import inject
from cellops.pipeline.parameters.plain import plain
from cellops.pipeline.preparation import Preparation
from cellops.pipeline.seeding import seed_first
from cellops.records.execution import ParameterValue
from cellops.records.parameter import BoundParameters

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A copy of a notebook that is ready to be executed."""

    notebook: "NotebookNode"
    seeding: str | None
    """The id of the cell that seeds generators."""
    injected: dict[str, ParameterValue]
    """The values in it, as JSON can hold them, secrets masked."""


def fill(made: Preparation, told: BoundParameters, output: Path, seed: int | None) -> Filled:
    """Put what was given into a copy of the notebook."""
    executed = inject(made.source, made.known, made.bound)
    seeding = None if seed is None else seed_first(executed, seed)
    injected = {name: plain(value) for name, value in masked(made.bound).items()}
    describe(executed, made.known.defaults(), injected, made.notebook, output)
    tell_parameters(executed, told)
    return Filled(notebook=executed, seeding=seeding, injected=injected)
