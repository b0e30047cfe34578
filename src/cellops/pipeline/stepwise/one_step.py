"""One step, executed in a kernel of its own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.temporary import temporary_folder
from cellops.errors import StepError
from cellops.pipeline.clock import Clock
from cellops.pipeline.in_kernel import in_kernel
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.stepwise.handing import Taken
from cellops.pipeline.stepwise.kernel_side import BEGIN, HAND_OVER
from cellops.records.execution import CellProgress
from cellops.records.handover import HandedOver
from cellops.records.step import Step

if TYPE_CHECKING:
    from nbformat import NotebookNode


def execute_step(
    step: Step,
    made: "NotebookNode",
    taken: Taken,
    store: Path,
    use: KernelRun,
) -> HandedOver:
    """Execute the notebook of a step, which comes to hold the outputs; give what its kernel has kept and found.

    Parameters
    ----------
    made
        The notebook, as `step_notebook` makes it.
    taken
        What the step takes from others.
    store
        The folder of values.
    use
        As `in_kernel` takes it.

    Raises
    ------
    NotebookError
        When a cell fails, or the kernel does not start.
    StepError
        When the step takes too long, leaves before its end, or values cannot be handed on.
    """
    with temporary_folder() as folder, Clock(step.timeout, use.stop, use.tell) as clock:
        answer, order = folder / "answer.json", folder / "order.json"
        order.write_bytes(taken.handover(step, store, answer).to_json())
        between = {0: BEGIN.format(order=str(order)), len(made.cells): HAND_OVER}
        ended = in_kernel(made, replace(use, stop=clock.ends, tell=clock.tell), between)
        if use.stop.done():
            return HandedOver()
        if clock.is_over:
            raise _over_time(step, made, use.places, clock.cell)
        if not ended:
            fact = f"Step {step.name} called sys.exit(), which in a kernel of its own ends only the step"
            remedy = "Execute the notebook in one kernel, or let the steps below ask if there is something to do"
            raise StepError(fact, remedy=remedy, step=step.name)
        found = HandedOver.from_file(answer)
    if found.problem:
        fact = f"Step {step.name}: {found.problem}"
        raise StepError(fact, remedy=found.remedy, step=step.name)
    return found


def _over_time(step: Step, made: "NotebookNode", places: Mapping[str, int], cell: CellProgress | None) -> StepError:
    index = None if cell is None else cell.index
    place = None if index is None else places.get(made.cells[index].id)
    where = "" if place is None or cell is None else f" at cell {place + 1} of {len(places)} ({cell.title})"
    name = Path(made.metadata.papermill["input_path"]).name
    fact = f"{name}: step {step.name} took longer than {step.timeout:g} s, and was stopped{where}"
    remedy = f"Give it more time in its header (%%mlops step {step.name} --timeout SECONDS), or less to do"
    return StepError(fact, remedy=remedy, step=step.name, cells=[] if place is None else [place])
