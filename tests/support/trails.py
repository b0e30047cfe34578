"""Cells executed in real kernels up to a run."""

from pathlib import Path

from support.kernel import Kernel


def trained(kernel: Kernel, *sources: str) -> str:
    """Execute cells, and give the key of the run that the last one is."""
    for source in sources:
        kernel.run(source)
    return kernel.closed()[-1].run


def trained_anew(project: Path, *sources: str, **environment: str) -> str:
    """The same in a new kernel."""
    kernel = Kernel(project, {"CELLOPS_WRITER": "false", **environment})
    try:
        kernel.run("%load_ext cellops")
        known = {run.run for run in kernel.closed()}
        trained(kernel, *sources)
        (key,) = {run.run for run in kernel.closed()} - known
    finally:
        kernel.stop()
    return key
