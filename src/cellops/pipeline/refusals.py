"""What is refused before a kernel starts: places that do not fit, and kernels that are not there."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import (
    CellopsError,
    NotebookError,
    NotFoundError,
    ParameterError,
    StepError,
    UnfitError,
    UsageError,
)
from cellops.pipeline.notebook import from_here
from cellops.pipeline.text_notebook import is_text

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOK = ".ipynb"


class Refusals:
    """What stands in the way of an execution, collected so that a person hears of all at once.

    Examples
    --------
    >>> found = Refusals()
    >>> with found.collecting():
    ...     raise UsageError("There is no verb exceute", remedy="Did you mean execute?")
    >>> len(found.errors)
    1
    """

    def __init__(self) -> None:
        self.errors: list[CellopsError] = []

    @contextlib.contextmanager
    def collecting(self, where: str = "") -> Iterator[None]:
        """Keep the error that ends the block, for `refuse`; `where` is put in front of it."""
        try:
            yield
        except (UsageError, ParameterError, NotFoundError, NotebookError, StepError) as error:
            several = error.data.get("errors")
            self.errors += several if isinstance(several, list) else [_placed(error, where) if where else error]

    def refuse(self) -> None:
        """Raise what was collected: one error as it is, several as one that names each."""
        # Who reads the notebook once more finds the same once more.
        found = list({error.text(): error for error in self.errors}.values())
        if len(found) == 1:
            raise found[0]
        if found:
            raise _together(found)


def _placed(error: CellopsError, where: str) -> CellopsError:
    shown = (f"{where}: {error.shown[0]}", *error.shown[1:]) if error.shown else ()
    fact = f"{where}: {error.fact}"
    return type(error)(fact, received=error.received, remedy=error.remedy, shown=shown, **error.data)


def _together(errors: Sequence[CellopsError]) -> UnfitError:
    fact = f"There are {len(errors)} errors"
    shown = [f"{fact}:"]
    for error in errors:
        first, *more = error.lines()
        shown += [f"- {first}", *(f"  {line}" for line in more)]
    told = " ".join(f"({number}) {error.text()}." for number, error in enumerate(errors, 1))
    remedy = "Nothing has been executed: correct them and start again"
    return UnfitError(f"{fact}: {told}", remedy=remedy, shown=shown, errors=list(errors))


def check_distinct(used: Iterable[Path | None], reports: Mapping[str, Path | None]) -> None:
    """Refuse reports that would replace what is read or written otherwise, or each other.

    Parameters
    ----------
    reports
        By the options that ask for them.

    Raises
    ------
    UsageError
        Naming both.
    """
    taken = {path.resolve(): f"{path.name}, which the execution needs" for path in used if path is not None}
    for option, path in reports.items():
        if path is None:
            continue
        if path.resolve() in taken:
            fact = f"{option} would replace {taken[path.resolve()]}"
            raise UsageError(fact, remedy="Give it another path")
        taken[path.resolve()] = f"what {option} writes to {path.name}"


def check_places(notebook: Path, output: Path, folder: Path) -> None:
    """Refuse an output that cannot be written, or would replace the notebook, and a working folder that is not there.

    Raises
    ------
    UsageError, NotFoundError
        Naming it.
    """
    shown, remedy = from_here(output), "Give the path of an .ipynb file"
    if output == notebook:
        fact = f"The executed notebook would replace {shown}"
        raise UsageError(fact, remedy="Give another path for the output")
    if is_text(output):
        fact = f"The output {shown} is named as a notebook as text, which has no outputs"
        raise UsageError(fact, remedy=remedy)
    try:
        if output.is_dir():
            fact = f"The output {shown} is a folder"
            raise UsageError(fact, remedy=remedy)
        if output.exists() and output.suffix.lower() != NOTEBOOK:
            fact = f"The output {shown} would replace a file that is no notebook by its name"
            raise UsageError(fact, remedy=remedy)
        existing = next(parent for parent in output.parents if parent.exists())
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        fact = f"The output {shown} cannot be written: {error.strerror}"
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
