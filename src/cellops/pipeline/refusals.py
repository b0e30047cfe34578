"""What is refused before a kernel starts: places that do not fit, and kernels that are not there."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import NotFoundError, UsageError
from cellops.pipeline.text_notebook import is_text

if TYPE_CHECKING:
    from nbformat import NotebookNode


def check_places(notebook: Path, output: Path, folder: Path) -> None:
    """Refuse an output that cannot be written, or would replace the notebook, and a working folder that is not there.

    Raises
    ------
    UsageError, NotFoundError
        Naming it.
    """
    if output == notebook:
        fact = f"The executed notebook would replace {notebook}"
        raise UsageError(fact, remedy="Give another path for the output")
    if is_text(output):
        fact = f"The output {output} is named as a notebook as text, which has no outputs"
        raise UsageError(fact, remedy="Give the path of an .ipynb file")
    if output.is_dir():
        fact = f"The output {output} is a folder"
        raise UsageError(fact, remedy="Give the path of an .ipynb file")
    existing = next(parent for parent in output.parents if parent.exists())
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        fact = f"{existing} cannot be written, so {output.name} would be lost: {error.strerror}"
        raise UsageError(fact, remedy="Give an output in a folder of yours") from error
    if not folder.is_dir():
        fact = f"There is no folder {folder} for the kernel to work in"
        raise NotFoundError(fact, remedy="Make it, or leave cwd out to work in the notebook's folder")


def kernel_name(notebook: "NotebookNode", kernel: str | None) -> str:
    """The name of the kernel that executes a notebook: the one that is asked for, its own, or python3.

    Raises
    ------
    NotFoundError
        When it is not installed.
    """
    from jupyter_client.kernelspec import KernelSpecManager

    name: str = kernel or notebook.metadata.get("kernelspec", {}).get("name", "python3")
    installed = KernelSpecManager().find_kernel_specs()
    if name not in installed:
        fact = f"There is no kernel named {name}"
        raise NotFoundError(fact, remedy=f"Choose an installed one: {', '.join(sorted(installed)) or 'there is none'}")
    return name
