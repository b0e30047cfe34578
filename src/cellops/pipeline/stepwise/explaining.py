"""What would become of each step, and why."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.stepwise.handing import Handed, Taken
from cellops.pipeline.stepwise.options import Stepwise
from cellops.pipeline.stepwise.steps import Steps
from cellops.records.step import Step
from cellops.records.step_progress import StepProgress, StepState
from cellops.records.step_trail import StepTrail
from cellops.records.stored import StoredValue

if TYPE_CHECKING:
    from nbformat import NotebookNode


def explain_steps(source: "NotebookNode", kernel: KernelOptions, options: Stepwise) -> Iterator[StepProgress]:
    """Say of each step whether it would be executed, and why; nothing is executed.

    A step behind one that would be executed is executed only where the values that it takes come out differently,
    unless something else has changed too.

    The parameters are those of `Steps`.
    """
    steps = Steps(source, kernel, options, options.cache.last_execution(options.notebook))
    for name in options.steps:
        step = options.graph.step(name)
        waiting = sorted(producer for producer in steps.waits_for(name) if producer not in steps.handed)
        looked = steps.look_up(step, _as_before(step, options) if waiting else steps.taken(step))
        if looked.kept is None:
            yield StepProgress(step=name, state=StepState.RUNNING, reasons=looked.reasons)
        elif waiting:
            why = f"if what it takes from {', '.join(waiting)} comes out differently"
            yield StepProgress(step=name, state=StepState.PERHAPS, reasons=(why,))
        else:
            steps.handed[name] = Handed.of(looked.kept.values, StepTrail())
            yield StepProgress(step=name, state=StepState.REUSED)


def _as_before(step: Step, options: Stepwise) -> Taken:
    """What a step took when it was executed last."""
    last = options.cache.last(options.notebook, step.name)
    inputs = {} if last is None else last.key.inputs
    return Taken(
        {
            name: StoredValue(names=(name,), format="", digest=digest, size=0)
            for name, digest in inputs.items()
            if digest is not None
        },
        {},
    )
