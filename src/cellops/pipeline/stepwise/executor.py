"""Who executes a step in a kernel of its own: this machine (`local`), or others of the same shape."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.stepwise.handing import Taken
from cellops.records.handover import HandedOver
from cellops.records.step import Step

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode


class StepExecutor(Protocol):
    """Executes steps, each in a fresh kernel. Who waits for whom, and what is kept, is decided elsewhere."""

    jobs: int
    """How many steps may be executed at once."""

    def execute(
        self, step: Step, made: "NotebookNode", taken: Taken, use: KernelRun, on_again: Callable[[str], None]
    ) -> HandedOver:
        """Execute the notebook of a step, which comes to hold the outputs; may be called by several threads.

        The values that it hands on are in the store of this project then, and its files have their digests.

        Parameters
        ----------
        made
            The notebook, as `step_notebook` makes it.
        taken
            What the step takes from others; the values are in the store of this project.
        use
            The kernel, and who is told of what; where it is stopped, this returns soon.
        on_again
            Called with the reason where the step is begun once more, through no fault of its own.

        Raises
        ------
        NotebookError, StepError
            When a cell fails, the kernel does not start, the step takes too long, leaves before its end, or values
            cannot be handed on.
        ClusterError
            When there is nobody left to execute it.
        """


@dataclass(frozen=True, kw_only=True)
class WholeNotebook:
    """The notebook whose steps are to be executed."""

    source: "NotebookNode"
    """As the person has it."""
    kernel: KernelOptions
    own: Mapping[str, str]
    """What the kernels' environment has on top of that of the process that starts them."""
    execution: str
    """Its identifier."""
    values: "Path"
    """The folder of values that steps hand on."""
    project: "Path"
    """The folder that recorded paths are relative to."""
    jobs: int | None
    """How many steps may be executed at once; None where nobody has said so."""


Executors = Callable[[WholeNotebook], AbstractContextManager[StepExecutor]]
"""What gives those who execute the steps of a notebook, for as long as the context lasts."""
