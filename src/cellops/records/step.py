from cellops.records.base import Record
from cellops.records.finding import Severity


class StepDeclared(Record, frozen=True, kw_only=True):
    """What the header of a step says."""

    name: str
    inputs: tuple[str, ...] | None = None
    """The names that it takes from steps above it; None where that is inferred."""
    outputs: tuple[str, ...] | None = None
    """The names that it gives to steps below it; None where that is inferred."""
    retries: int = 0
    """How often it is executed again when it fails."""
    timeout: float | None = None
    """Longest time for the step, in seconds."""
    keep: bool = False
    """Whether it may be kept although nobody knows all that it reads."""


class Definition(Record, frozen=True, kw_only=True):
    """A statement of an earlier step that imports or defines: it is executed again, as it gives the same each time."""

    cell: int
    """Place among all cells of the notebook, from 0."""
    first_line: int
    """Lines of the cell, from 1, both included; decorators belong to it."""
    last_line: int
    names: tuple[str, ...]


class Step(Record, frozen=True, kw_only=True):
    """A stage of the pipeline, and all that a kernel of its own needs to execute it.

    Its namespace is made of three things, in this order: the shared cells, the definitions, the values of its inputs.
    """

    name: str
    cells: tuple[int, ...]
    """Its own cells, as places among all cells of the notebook, from 0."""
    shared: tuple[int, ...] = ()
    """The cells above the first step that it executes before its own."""
    definitions: tuple[Definition, ...] = ()
    inputs: tuple[str, ...] = ()
    """The names whose values it takes from other steps; one that its producer has not bound stays unbound."""
    outputs: tuple[str, ...] = ()
    """The names whose values other steps take from it; they are kept together, as they may share objects."""
    retries: int = 0
    timeout: float | None = None
    keep: bool = False
    """As `StepDeclared.keep`."""


class Edge(Record, frozen=True, kw_only=True):
    """One step waits for another."""

    producer: str
    consumer: str
    names: tuple[str, ...] = ()
    """The names whose values it hands over."""
    files: bool = False
    """Whether one of them writes files that the other may read or write."""


class StepProblem(Record, frozen=True, kw_only=True):
    """One thing that is wrong with the steps, or that they do otherwise than the notebook in one kernel."""

    code: str
    """Stable, kebab-case: `missing-producer`, `cycle` …"""
    severity: Severity
    """An error keeps the steps from being executed each in a kernel of its own."""
    cell: int
    """Place among all cells of the notebook, from 0."""
    line: int | None = None
    """Line of the cell, from 1."""
    steps: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    seen: str
    remedy: str

    @property
    def where(self) -> str:
        """The place as a person counts: `cell 3, line 2`."""
        return f"cell {self.cell + 1}" + ("" if self.line is None else f", line {self.line}")


class StepGraph(Record, frozen=True, kw_only=True):
    """The steps of a notebook with what flows between them."""

    notebook: str
    steps: tuple[Step, ...]
    """In the order of the notebook; one of all cells, named `notebook`, where it has no steps."""
    edges: tuple[Edge, ...] = ()
    levels: tuple[tuple[str, ...], ...] = ()
    """Names of steps: those of one level do not wait for each other; empty where the steps wait in a circle."""
    problems: tuple[StepProblem, ...] = ()

    @property
    def errors(self) -> tuple[StepProblem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    def step(self, name: str) -> Step:
        """The step of a name; `KeyError` for one that is not there."""
        return {step.name: step for step in self.steps}[name]

    def needed(self, name: str) -> tuple[str, ...]:
        """A step with all those that it waits for, directly or by others, in the order of the notebook."""
        found, waiting = set[str](), [self.step(name).name]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += [edge.producer for edge in self.edges if edge.consumer == one]
        return tuple(step.name for step in self.steps if step.name in found)
