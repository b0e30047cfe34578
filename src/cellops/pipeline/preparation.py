"""What is known of an execution before a kernel starts; whatever stands in its way is refused here, all at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.secrets import keep, literals
from cellops.errors import StepError
from cellops.pipeline import notebook as notebook_file
from cellops.pipeline.extension_check import check_loaded
from cellops.pipeline.header_check import check_headers
from cellops.pipeline.parameters.binding import Given, bind
from cellops.pipeline.parameters.declaration import Declared, declared
from cellops.pipeline.parameters.plain import plain
from cellops.pipeline.parameters.sources import gather
from cellops.pipeline.python_check import check_python
from cellops.pipeline.refusals import Refusals, check_places, kernel_name
from cellops.pipeline.stepwise.options import StepsAsked, Stepwise

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(kw_only=True)
class Preparation:
    """A notebook with its parameters, its kernel and its steps."""

    notebook: Path
    folder: Path
    """In which the kernel works."""
    source: "NotebookNode" = field(init=False)
    known: Declared = field(default_factory=Declared)
    given: Mapping[str, Given] = field(default_factory=dict)
    bound: dict[str, object] = field(default_factory=dict)
    kernel: str = ""
    """Its name."""
    steps: Stepwise | None = None

    def bind(self, values: Mapping[str, object], file: Path | None) -> None:
        self.known = declared(self.source, self.folder)
        self.given = gather(self.known, values, file)
        self.bound = bind(self.known, self.given)

    def values(self) -> dict[str, object]:
        """The parameters whose values are known before a kernel starts."""
        return {**self.known.defaults(), **{name: plain(value) for name, value in self.bound.items()}}


def prepare(
    notebook: Path,
    values: Mapping[str, object],
    *,
    folder: Path,
    output: Path | None = None,
    parameters_file: Path | None = None,
    kernel: str | None = None,
    steps: StepsAsked | None = None,
    execution: str = "",
    seed: int | None = None,
    refusals: Refusals | None = None,
) -> Preparation:
    """Read a notebook and check all that can be checked; raises as `engine.execute` does.

    Parameters
    ----------
    output
        Where the executed notebook goes; None where nothing is executed.
    execution
        Its identifier.
    refusals
        What was found wrong before, to be told with the rest.
    """
    found = refusals or Refusals()
    made = Preparation(notebook=notebook, folder=folder)
    with found.collecting():
        made.source = notebook_file.read(notebook)
        _learn_secrets(made.source)
        with found.collecting():
            made.bind(values, parameters_file)
        with found.collecting():
            made.kernel = kernel_name(made.source, kernel)
        with found.collecting():
            # What belongs to which step stands in the headers.
            check_headers(made.source)
            if steps is not None:
                asked = steps.of(made.source, notebook, execution, made.known.index, made.values())
                made.steps = replace(asked, seed=seed)
        # Where steps were asked for and could not be had, the reason is among what was found before.
        if steps is None and not any(isinstance(error, StepError) for error in found.errors):
            with found.collecting():
                check_python(made.source, made.kernel, {error.data.get("cell_index") for error in found.errors})
            with found.collecting():
                check_loaded(made.source, made.kernel)
        if output is not None:
            check_places(notebook, output, folder)
    found.refuse()
    return made


def _learn_secrets(notebook: "NotebookNode") -> None:
    """Know the secrets that stand in the notebook itself before anything of it is written elsewhere."""
    for cell in notebook.cells:
        for text in literals(cell.source) if cell.cell_type == "code" else ():
            keep(text)
