"""The steps of a notebook as a graph: each with its cells, inputs and outputs, and what is wrong with them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.pipeline.steps import checks
from cellops.pipeline.steps.cells import Division, divide
from cellops.pipeline.steps.flow import Stretch, orders, read
from cellops.pipeline.steps.known import ANY_FILE
from cellops.pipeline.steps.modules import Modules
from cellops.pipeline.steps.wiring import Wiring, wire
from cellops.records.step import Definition, Edge, Step, StepGraph, StepProblem

if TYPE_CHECKING:
    from nbformat import NotebookNode


def graph_of(notebook: "NotebookNode", name: str, folders: Sequence[Path] = ()) -> StepGraph:
    """Read the steps of a notebook; nothing of it is executed.

    A step is made of the code cells under `%%mlops step NAME`, and those below them until the next header. Cells above
    the first step are shared: each step executes those that it needs, with what these need. A statement of a step that
    imports or defines (`import`, `def`, `class`) is executed again by later steps that use its names, which therefore
    do not wait for the step; a definition that keeps something in itself (a default that can change, a decorator that
    is not known) is passed as a value instead. All other names are passed as values, as `wiring` describes.

    What the source does not show is taken for the worst, and said: code that is not known may change all that it is
    given, and code in texts may use and bind anything. Not seen at all are files that such code reads and writes,
    generators that libraries draw from by themselves, and what modules keep that stand in none of `folders`.

    Parameters
    ----------
    notebook
        The notebook; it is only read.
    name
        What to call it.
    folders
        Where modules of its project stand.

    Returns
    -------
    StepGraph
        With all problems at once, in the order of the cells.
    """
    division = divide(notebook)
    modules = Modules(folders)
    stretches = read(division, modules)
    wiring = wire(stretches)
    edges = _edges(stretches, wiring)
    steps = tuple(_step(step, division, stretches, wiring) for step in division.declared)
    levels = _levels(list(division.declared), edges)
    found = StepGraph(notebook=name, steps=steps, edges=edges, levels=levels)
    problems = [*division.problems, *checks.all_of(found, division, stretches, wiring, modules)]
    return found.replace(problems=tuple(sorted(dict.fromkeys(problems), key=_in_order)))


def _in_order(problem: StepProblem) -> tuple[int, int, str]:
    return (problem.cell, problem.line or 0, problem.code)


def _step(name: str, division: Division, stretches: Sequence[Stretch], wiring: Wiring) -> Step:
    own = [stretch for stretch in stretches if stretch.step == name]
    declared = division.declared[name]
    mine = {stretch.order for stretch in own}
    takes = [(taken, order) for stretch in own for taken, order in wiring.takes[stretch.order].items()]
    given = {one for stretch in own for one in wiring.gives[stretch.order]}
    for_itself = {taken for stretch in own for taken, order in wiring.takes[stretch.order].items() if order in mine}
    others = {
        taken
        for stretch in stretches
        if stretch.step not in (None, name)
        for taken, order in wiring.takes[stretch.order].items()
        if order in mine
    }
    return Step(
        name=name,
        cells=tuple(cell.place for cell in division.cells(name)),
        shared=_shared(own, stretches, wiring),
        definitions=_definitions(own, stretches, wiring),
        inputs=tuple(sorted({t for t, order in takes if order not in mine and stretches[order - 1].step is not None})),
        outputs=tuple(sorted((given - (for_itself - others)) | set(declared.outputs or ()))),
        retries=declared.retries,
        timeout=declared.timeout,
        keep=declared.keep,
    )


def _shared(own: Sequence[Stretch], stretches: Sequence[Stretch], wiring: Wiring) -> tuple[int, ...]:
    """The shared cells that the stretches of a step need, with what these need, and those that set up the kernel."""
    bits = 0
    for stretch in own:
        taken = [name for name, order in wiring.takes[stretch.order].items() if stretches[order - 1].step is None]
        unnamed = [name for name in stretch.used if name.startswith("(")]
        bits |= stretch.everywhere
        for name in (*taken, *unnamed):
            bits |= stretch.needs_cells.get(name, 0)
    shared = [stretches[order - 1] for order in orders(bits)]
    return tuple(stretch.cells[0].place for stretch in shared if stretch.step is None)


def _definitions(own: Sequence[Stretch], stretches: Sequence[Stretch], wiring: Wiring) -> tuple[Definition, ...]:
    """The statements to execute again, each once, in the order of the notebook."""
    found: dict[tuple[int, int, int], set[str]] = {}
    for stretch in own:
        for name, order in wiring.defines[stretch.order].items():
            defined = stretches[order - 1].defined[name]
            if stretches[order - 1] in own:
                continue
            for cell, node in defined.nodes:
                first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
                found.setdefault((cell, first, node.end_lineno or node.lineno), set()).add(name)
    return tuple(
        Definition(cell=cell, first_line=first, last_line=last, names=tuple(sorted(names)))
        for (cell, first, last), names in sorted(found.items())
    )


def _edges(stretches: Sequence[Stretch], wiring: Wiring) -> tuple[Edge, ...]:
    names: dict[tuple[str, str], set[str]] = {}
    for stretch in stretches:
        for name, order in wiring.takes.get(stretch.order, {}).items():
            producer = stretches[order - 1].step
            if stretch.step is not None and producer is not None and producer != stretch.step:
                names.setdefault((producer, stretch.step), set()).add(name)
    files = set(_by_files([stretch for stretch in stretches if stretch.step is not None]))
    place = {stretch.step: stretch.order for stretch in reversed(stretches)}
    return tuple(
        Edge(
            producer=producer,
            consumer=consumer,
            names=tuple(sorted(names.get((producer, consumer), ()))),
            files=(producer, consumer) in files,
        )
        for producer, consumer in sorted({*names, *files}, key=lambda pair: (place[pair[0]], place[pair[1]]))
    )


def _by_files(stretches: Sequence[Stretch]) -> Iterable[tuple[str, str]]:
    """Steps that touch files wait for those above that write some, and those that write wait for those that read."""
    for later in stretches:
        for earlier in stretches[: stretches.index(later)]:
            touched = _meet(earlier.writes_to, later.reads | later.writes_to) or _meet(earlier.reads, later.writes_to)
            if touched and earlier.step != later.step:
                yield str(earlier.step), str(later.step)


def _meet(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two sets of paths may name a file or a folder in common."""
    pairs = ((one, other) for one in some for other in others)
    return any(ANY_FILE in pair or _holds(*pair) or _holds(*reversed(pair)) for pair in pairs)


def _holds(folder: str, path: str) -> bool:
    """Whether a path is in a folder, or the same with an ending that was added; one of them may not be absolute."""
    return folder == "." or path.startswith(folder) or folder.startswith("/") != path.startswith("/")


def _levels(steps: Sequence[str], edges: Sequence[Edge]) -> tuple[tuple[str, ...], ...]:
    """Steps that do not wait for each other together, each as early as it can be."""
    waits = {step: {edge.producer for edge in edges if edge.consumer == step} for step in steps}
    done: list[str] = []
    found = []
    while len(done) < len(steps):
        ready = [step for step in steps if step not in done and waits[step] <= set(done)]
        if not ready:
            return ()
        found.append(tuple(ready))
        done += ready
    return tuple(found)
