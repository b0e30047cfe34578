"""What is kept of a step that was executed, and taken from there when it need not be executed again."""

import time
from typing import TYPE_CHECKING

from cellops.pipeline.cache.variables import variables_of
from cellops.pipeline.redacting import redact_notebook
from cellops.pipeline.stepwise.lookup import Looked
from cellops.pipeline.stepwise.options import Stepwise
from cellops.records.cached import KeptCells, KeptStep
from cellops.records.handover import HandedOver
from cellops.records.step import Step

if TYPE_CHECKING:
    from nbformat import NotebookNode

SUFFIX = ".json"


def keep(
    step: Step,
    *,
    looked: Looked,
    answer: HandedOver,
    made: "NotebookNode",
    source: "NotebookNode",
    options: Stepwise,
    seconds: float,
) -> str | None:
    """Keep a step that was executed, if anything has captured it; say why other machines will not find it.

    Parameters
    ----------
    looked
        What was found of it before.
    answer
        What its kernel has answered.
    made
        Its notebook, executed.
    source
        The notebook as the person has it.
    seconds
        How long it took.
    """
    if answer.dependencies is None:
        return None
    held = {cell.id: cell for cell in redact_notebook(made).cells}
    shared, own = ([held[source.cells[place].id] for place in places] for places in (step.shared, step.cells))
    cells = KeptCells(own=tuple(map(_outputs, own)), shared=tuple(map(_outputs, shared)), trail=answer.trail)
    asked = variables_of(answer.dependencies.modules, options.project, options.cache.salt)
    entry = KeptStep(
        step=step.name,
        notebook=options.notebook,
        execution=options.execution,
        key=looked.key,
        dependencies=answer.dependencies.replace(variables=asked),
        values=answer.values,
        runs=answer.runs,
        cells=options.cache.cells.keep(cells.to_json(), SUFFIX).stem,
        places=looked.places,
        ended=time.time(),
        seconds=seconds,
    )
    options.cache.keep(entry)
    return options.cache.share(entry)


def _outputs(cell: "NotebookNode") -> dict[str, object]:
    return {"outputs": cell.get("outputs", []), "execution_count": cell.get("execution_count")}


def kept_cells(kept: KeptStep, options: Stepwise) -> KeptCells:
    """The cells of a step that was kept."""
    return KeptCells.from_file(options.cache.cells.path(kept.cells, SUFFIX))
