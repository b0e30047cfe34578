"""One step, executed in a kernel of its own."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, InvalidStateError
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.temporary import temporary_folder
from cellops.errors import StepError
from cellops.pipeline.in_kernel import in_kernel
from cellops.pipeline.kernel_options import KernelOptions
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
    *,
    store: Path,
    places: Mapping[str, int],
    output: Path,
    stop: Future[None],
    tell: Callable[[CellProgress], None],
    save: Callable[[], None],
    kernel: KernelOptions,
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
    places, output, stop, tell, save, kernel
        As `in_kernel` takes them.

    Raises
    ------
    NotebookError
        When a cell fails, or the kernel does not start.
    StepError
        When the step takes too long, leaves before its end, or values cannot be handed on.
    """
    with temporary_folder() as folder, _ending_after(step.timeout, stop) as ends:
        answer, order = folder / "answer.json", folder / "order.json"
        order.write_bytes(taken.handover(step, store, answer).to_json())
        between = {0: BEGIN.format(order=str(order)), len(made.cells): HAND_OVER}
        ended = in_kernel(made, places, output, stop=ends, tell=tell, save=save, kernel=kernel, between=between)
        if stop.done():
            return HandedOver()
        if ends.done() and not ends.cancelled():  # the client cancels it when it leaves
            fact = f"Step {step.name} took longer than {step.timeout:g} s"
            remedy = f"Give it more time in its header (%%mlops step {step.name} --timeout SECONDS), or less to do"
            raise StepError(fact, remedy=remedy, step=step.name)
        if not ended:
            fact = f"Step {step.name} called sys.exit(), which in a kernel of its own ends only the step"
            remedy = "Execute the notebook in one kernel, or let the steps below ask if there is something to do"
            raise StepError(fact, remedy=remedy, step=step.name)
        found = HandedOver.from_file(answer)
    if found.problem:
        fact = f"Step {step.name}: {found.problem}"
        raise StepError(fact, remedy=found.remedy, step=step.name)
    return found


@contextlib.contextmanager
def _ending_after(seconds: float | None, stop: Future[None]) -> Iterator[Future[None]]:
    """A signal to stop that is given when `stop` is, or when the time is over."""
    ends: Future[None] = Future()

    def end(_stopped: object = None) -> None:
        with contextlib.suppress(InvalidStateError):
            ends.set_result(None)

    stop.add_done_callback(end)
    timer = threading.Timer(seconds, end) if seconds is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        yield ends
    finally:
        if timer is not None:
            timer.cancel()
