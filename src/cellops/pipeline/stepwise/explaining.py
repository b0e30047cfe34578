"""What would become of each step, and why."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.stepwise.handing import Handed
from cellops.pipeline.stepwise.options import Stepwise
from cellops.pipeline.stepwise.steps import Steps
from cellops.records.step_progress import StepProgress, StepState
from cellops.records.step_trail import StepTrail

if TYPE_CHECKING:
    from nbformat import NotebookNode


def explain_steps(source: "NotebookNode", kernel: KernelOptions, options: Stepwise) -> Iterator[StepProgress]:
    """Say of each step whether it would be executed, and why; nothing is executed.

    The parameters are those of `Steps`.
    """
    steps = Steps(source, kernel, options, options.cache.last_execution(options.notebook))
    for name in options.steps:
        step = options.graph.step(name)
        executed = [producer for producer in steps.waits_for(name) if producer not in steps.handed]
        if executed:
            why = f"it waits for {', '.join(sorted(executed))}, which would be executed"
            yield StepProgress(step=name, state=StepState.RUNNING, reasons=(why,))
            continue
        looked = steps.look_up(step, steps.taken(step))
        if looked.kept is None:
            yield StepProgress(step=name, state=StepState.RUNNING, reasons=looked.reasons)
        else:
            steps.handed[name] = Handed.of(looked.kept.values, StepTrail())
            yield StepProgress(step=name, state=StepState.REUSED)
