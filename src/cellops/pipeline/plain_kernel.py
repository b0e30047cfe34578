"""Whether a kernel reads cells as this interpreter's Python does: nothing that is set up gives it another syntax."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.pipeline.cache.interpreter import interpreter_of

if TYPE_CHECKING:
    from nbformat import NotebookNode

STARTS_IPYKERNEL = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
SYSTEM_WIDE = (Path(sys.prefix, "etc", "ipython"), Path("/usr/local/etc/ipython"), Path("/etc/ipython"))
MAY_EXTEND = re.compile(r"load_ext\s+(?!(?:cellops|autoreload)\b)|load_extension|transformer")
"""What loads other extensions of IPython, or tells it to read cells in another way."""


def is_plain(notebook: "NotebookNode", kernel: str) -> bool:
    """Whether the installed kernel is ipykernel, of this version of Python, as it comes."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(kernel)
    except NoSuchKernel:
        return False
    if spec.argv[-len(STARTS_IPYKERNEL) :] != STARTS_IPYKERNEL or spec.env or _is_configured():
        return False
    if any(cell.cell_type == "code" and MAY_EXTEND.search(cell.source) for cell in notebook.cells):
        return False
    found, own = interpreter_of(kernel), ".".join(map(str, sys.version_info[:2]))
    return found is not None and found.version.startswith(f"CPython {own}.")


def _is_configured() -> bool:
    """Whether something is executed or set before the first cell of any kernel of ipykernel."""
    own = Path(os.environ.get("IPYTHONDIR") or Path.home() / ".ipython") / "profile_default"
    of_users = [*own.glob("*config.*"), *(own / "startup").glob("*.*py*")]
    return bool(of_users or os.environ.get("PYTHONSTARTUP") or any(map(Path.exists, SYSTEM_WIDE)))
