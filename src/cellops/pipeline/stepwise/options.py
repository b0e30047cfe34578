"""How the steps of a notebook are executed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture import header
from cellops.errors import UnfitError, UsageError
from cellops.pipeline.cache.entries import Cache
from cellops.pipeline.cache.shared import SharedSteps
from cellops.pipeline.steps.cells import WHOLE
from cellops.pipeline.steps.graph import graph_of
from cellops.pipeline.stepwise.executor import Executors
from cellops.pipeline.stepwise.local import LocalSteps
from cellops.pipeline.stepwise.pauses import pauses
from cellops.records.step import StepGraph

if TYPE_CHECKING:
    from nbformat import NotebookNode


class Reuse(StrEnum):
    """Which steps need not be executed again, where nothing that decides them has changed."""

    NOTHING = "nothing"
    LAST = "last"
    """Those that the last execution of the notebook has finished: it is resumed."""
    ANYTHING = "anything"
    """All that were ever kept."""


@dataclass(frozen=True, kw_only=True)
class StepsAsked:
    """What is asked of an execution that gives each step a kernel of its own."""

    folder: Path
    """Where steps are kept."""
    project: Path
    """The folder that recorded paths are relative to."""
    executors: Executors = LocalSteps
    """Who executes steps."""
    jobs: int | None = None
    """How many steps may be executed at once; by default as many as the executor says."""
    reuse: Reuse = Reuse.NOTHING
    only: str | None = None
    """The step to execute, with those that it waits for; all by default."""
    retries: int = 0
    """How often a step that says nothing of it is executed again when it fails."""
    pauses: Callable[[], Iterator[float]] = pauses
    """Seconds before each further try of a step."""
    shared: SharedSteps | None = None
    """Where other machines find what is kept of steps."""
    figures: tuple[str, ...] = ()
    """What gates ask of runs: a step is not taken from what was kept of it where its runs were not asked for that."""

    def of(
        self,
        source: "NotebookNode",
        notebook: Path,
        execution: str,
        parameters_cell: int | None,
        parameters: Mapping[str, object],
    ) -> "Stepwise":
        """The same for one execution of a notebook.

        Raises
        ------
        UnfitError, UsageError
            When its steps do not fit together; when it has no step of the name that is asked for.
        """
        graph = graph_of(source, notebook.name, (notebook.parent, self.project, self.project / "src"))
        require_sound(graph, self.only)
        inside = notebook.is_relative_to(self.project)
        return Stepwise(
            graph=graph,
            cache=Cache(self.folder, self.shared),
            project=self.project,
            notebook=notebook.relative_to(self.project).as_posix() if inside else str(notebook),
            execution=execution,
            parameters_cell=parameters_cell,
            parameters=parameters,
            executors=self.executors,
            jobs=self.jobs,
            reuse=self.reuse,
            only=self.only,
            retries=self.retries,
            pauses=self.pauses,
            figures=self.figures,
        )


def require_sound(graph: StepGraph, only: str | None) -> None:
    """Refuse steps that do not fit together.

    Raises
    ------
    UnfitError
        Naming all that is wrong at once.
    UsageError
        When there is no step of the name, naming those that there are.
    """
    if graph.errors:
        fact = f"The steps of {graph.notebook} do not fit together"
        listed = [f"{problem.where}: {problem.seen}. {problem.remedy}" for problem in graph.errors]
        raise UnfitError(
            f"{fact}: {' '.join(f'{one}.' for one in listed)}".rstrip("."),
            remedy=f"See: cellops graph {graph.notebook}",
            shown=(f"{fact}:", *(f"  {one}" for one in listed)),
            problems=[problem.to_dict() for problem in graph.errors],
        )
    names = [step.name for step in graph.steps]
    if only is not None and only not in names:
        near = get_close_matches(only, names, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        known = f"Its steps are {', '.join(names)}" if names != [WHOLE] else "Begin its steps with %%mlops step NAME"
        fact = f"{graph.notebook} has no step {only}"
        raise UsageError(fact, remedy=hint + known, step=only)


@dataclass(frozen=True, kw_only=True)
class Stepwise:
    """How the steps of a notebook are executed, each in a kernel of its own."""

    graph: StepGraph
    cache: Cache
    project: Path
    """The folder that recorded paths are relative to."""
    notebook: str
    """What the notebook is filed under: its path, relative to the project where it lies inside."""
    execution: str
    parameters_cell: int | None
    """Place of the cell that declares the parameters, from 0."""
    parameters: Mapping[str, object]
    """The values of all parameters that are known before a kernel starts."""
    executors: Executors = LocalSteps
    """Who executes steps."""
    jobs: int | None = None
    """How many steps may be executed at once; by default as many as the executor says."""
    reuse: Reuse = Reuse.NOTHING
    only: str | None = None
    """The step to execute, with those that it waits for; all by default."""
    retries: int = 0
    """How often a step that says nothing of it is executed again when it fails."""
    pauses: Callable[[], Iterator[float]] = pauses
    """Seconds before each further try of a step."""
    figures: tuple[str, ...] = ()
    """What gates ask of runs."""
    seed: int | None = None
    """What the first cell of each kernel seeds the shared generators with."""

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps to execute, in the order of the notebook."""
        return tuple(step.name for step in self.graph.steps) if self.only is None else self.graph.needed(self.only)

    def left_out(self, source: "NotebookNode") -> tuple[str, ...]:
        """The steps that open runs, and are not executed."""
        left = (step for step in self.graph.steps if step.name not in self.steps)
        return tuple(
            step.name for step in left if any(_opens_a_run(source.cells[place].source) for place in step.cells)
        )


def _opens_a_run(source: str) -> bool:
    found = header.find(source)
    return found is not None and found.verb == "run"
