"""Execute a prepared notebook in one kernel, beside the thread that receives signals."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.pipeline import notebook as notebook_file
from cellops.pipeline.in_kernel import in_kernel
from cellops.pipeline.kernel_options import KernelOptions
from cellops.pipeline.kernel_run import KernelRun
from cellops.pipeline.redacting import redact_notebook
from cellops.pipeline.worker import run_beside
from cellops.records.execution import CellProgress

if TYPE_CHECKING:
    from nbformat import NotebookNode


def run_cells(
    executed: "NotebookNode",
    places: Mapping[str, int],
    output: Path,
    on_event: Callable[[CellProgress], None],
    on_stage: Callable[[str], None],
    *,
    kernel: KernelOptions,
    between: Mapping[int, str] | None = None,
    limit: float | None = None,
) -> None:
    """Execute a prepared notebook in place, saving it as it goes; raises as `engine.execute` does.

    Parameters
    ----------
    executed
        The notebook with its parameters in it, and papermill's metadata (`metadata.describe`).
    places
        Places of the cells in the notebook that a person knows, by their ids.
    between
        As `in_kernel` takes it.
    limit
        Seconds that it may take.
    """

    def save() -> None:
        notebook_file.write(redact_notebook(executed), output)

    def work(stop: Future[None], tell: Callable[[CellProgress], None]) -> None:
        try:
            use = KernelRun(kernel=kernel, places=places, output=output, stop=stop, tell=tell, save=save)
            in_kernel(executed, use, between)
        finally:
            if output.exists():
                notebook_file.sign(output)

    run_beside(work, on_event, lambda: on_stage("Stopping the kernel"), limit=limit)
