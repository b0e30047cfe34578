"""The steps of one execution: who waits for whom, what each takes from others, and whether it has to be executed."""

from typing import TYPE_CHECKING

from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.stepwise.handing import Handed, Taken
from cellops.pipeline.stepwise.lookup import Looked, look_up
from cellops.pipeline.stepwise.options import Stepwise
from cellops.records.step import Step

if TYPE_CHECKING:
    from nbformat import NotebookNode


class Steps:
    """What is known of the steps of a notebook, one after the other.

    Parameters
    ----------
    source
        The notebook as the person has it.
    kernel
        Which kernel executes each step.
    options
        How the steps are executed.
    last_execution
        The identifier of the execution of this notebook before this one.
    """

    def __init__(
        self, source: "NotebookNode", kernel: KernelOptions, options: Stepwise, last_execution: str | None
    ) -> None:
        self._source = source
        self._kernel = kernel
        self._options = options
        self._last_execution = last_execution
        self.handed: dict[str, Handed] = {}
        """What each step has handed on."""

    def waits_for(self, name: str) -> set[str]:
        """The steps that one has to wait for."""
        return {edge.producer for edge in self._options.graph.edges if edge.consumer == name}

    def taken(self, step: Step) -> Taken:
        """What a step takes of what other steps have handed on."""
        edges = [edge for edge in self._options.graph.edges if edge.consumer == step.name]
        of = {name: self.handed[e.producer] for e in reversed(edges) for name in e.names if name in step.inputs}
        bound = [name for name in step.inputs if name in of and name in of[name].values]
        return Taken({name: of[name].values[name] for name in bound}, {name: of[name] for name in bound})

    def look_up(self, step: Step, taken: Taken) -> Looked:
        """Look for what was kept of a step that takes these values."""
        return look_up(
            step,
            self._source,
            taken.values,
            self._options,
            kernel=self._kernel.name,
            folder=self._kernel.folder,
            last_execution=self._last_execution,
        )
