"""Steps in kernels of this machine, forked from a process that has imported what the notebook imports."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from cellops.pipeline.forkserver.candidates import candidates
from cellops.pipeline.forkserver.forkserver import ForkServer
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.stepwise.executor import WholeNotebook
from cellops.pipeline.stepwise.handing import Taken, with_digests
from cellops.pipeline.stepwise.one_step import execute_step
from cellops.records.handover import HandedOver
from cellops.records.step import Step

if TYPE_CHECKING:
    from nbformat import NotebookNode


class LocalSteps:
    """Executes steps here, one at a time unless more jobs are asked for."""

    def __init__(self, whole: WholeNotebook) -> None:
        self.jobs = whole.jobs or 1
        self._whole = whole
        self._forks = ForkServer(candidates(whole.source))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._forks.close()

    def execute(
        self,
        step: Step,
        made: "NotebookNode",
        taken: Taken,
        use: KernelRun,
        on_again: Callable[[str], None],  # noqa: ARG002 - nothing is lost here
    ) -> HandedOver:
        use = replace(use, kernel=replace(use.kernel, forkserver=self._forks))
        return with_digests(execute_step(step, made, taken, self._whole.values, use), self._whole.project)
