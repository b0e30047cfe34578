"""What is wrong with the steps of a notebook: names without a producer, circles, wrong declarations."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from cellops.pipeline.steps import own_kernel
from cellops.pipeline.steps.cells import Division
from cellops.pipeline.steps.flow import Stretch
from cellops.pipeline.steps.modules import Modules
from cellops.pipeline.steps.reading import Reading, problem_at, who
from cellops.pipeline.steps.wiring import Wiring, is_of_python
from cellops.records.finding import Severity
from cellops.records.step import StepGraph, StepProblem


def all_of(
    found: StepGraph, division: Division, stretches: Sequence[Stretch], wiring: Wiring, modules: Modules
) -> list[StepProblem]:
    """All problems at once."""
    reading = Reading(found, division, stretches, wiring, modules)
    checks = (
        _missing,
        _undeclared_inputs,
        _undeclared_outputs,
        _cycles,
        _split,
        _ambiguous,
        _unknown,
        *own_kernel.CHECKS,
    )
    several = len(found.steps) > 1
    return [problem for check in checks if several or check is _missing for problem in check(reading)]


def _missing(reading: Reading) -> Iterator[StepProblem]:
    """Names that nothing above binds."""
    for stretch in reading.stretches:
        if stretch.unknown or any(above.unknown for above in reading.stretches[: stretch.order - 1]):
            continue
        for name in sorted(stretch.used | set(stretch.reader.notes.needs)):
            bound = name in stretch.before and name not in stretch.gone_before
            if bound or name in stretch.reader.bound or is_of_python(name) or _comes_later(name, stretch, reading):
                continue
            yield problem_at(
                "missing-producer",
                stretch.place(name, "read"),
                f"{who(stretch)} reads {name}, which nothing above binds",
                _where_it_is(name, stretch, reading),
                stretch=stretch,
                names=(name,),
            )


def _comes_later(name: str, stretch: Stretch, reading: Reading) -> bool:
    """Whether only functions that are kept somewhere use it, which may not be called before a cell below binds it."""
    kept = stretch.step is None or name not in stretch.reader.notes.needs
    return (
        kept
        and (name, "read") not in stretch.reader.at
        and any(name in other.reader.bound for other in reading.stretches[stretch.order :])
    )


def _where_it_is(name: str, stretch: Stretch, reading: Reading) -> str:
    below = next((other for other in reading.stretches[stretch.order :] if name in other.reader.bound), None)
    if below is not None:
        cell, _ = below.place(name, "bound")
        return f"Cell {cell + 1} further down binds it: move that up"
    if name in stretch.gone_before:
        return "It was deleted above: bind it again, or delete it later"
    known = [*(one for one in stretch.before if one not in stretch.gone_before), *stretch.reader.bound]
    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else "Bind it in a cell above, or correct the name"


def _undeclared_inputs(reading: Reading) -> Iterator[StepProblem]:
    for part in reading.parts:
        declared = reading.division.declared[str(part.step)].inputs
        taken = (
            [] if declared is None else [(name, origin) for name, origin in reading.taken(part) if name in part.used]
        )
        whole = ",".join(dict.fromkeys((*(declared or ()), *(name for name, _ in taken))))
        for name, origin in taken:
            if name not in (declared or ()):
                yield problem_at(
                    "undeclared-input",
                    part.place(name, "read"),
                    f"step {part.step} reads {name} of step {origin.step}, and --in does not name it",
                    f"Write --in {whole}",
                    stretch=part,
                    names=(name,),
                )


def _undeclared_outputs(reading: Reading) -> Iterator[StepProblem]:
    for step, declared in reading.division.declared.items():
        if declared.outputs is None:
            continue
        own = [part for part in reading.parts if part.step == step]
        given = {name for other in reading.parts for name, origin in reading.taken(other) if origin.step == step}
        for name in sorted(given - set(declared.outputs)):
            part = next((part for part in own if name in part.surely), own[0])
            how = "bound" if name in part.reader.bound else "changed"
            yield problem_at(
                "undeclared-output",
                part.place(name, how),
                f"step {step} gives {name} to a step below, and --out does not name it",
                f"Write --out {','.join((*declared.outputs, *sorted(given - set(declared.outputs))))}",
                stretch=part,
                names=(name,),
            )
        for name in declared.outputs:
            if not any(name in part.writes or part.unknown for part in own):
                near = get_close_matches(name, sorted(set().union(*(part.reader.bound for part in own))), n=1)
                yield problem_at(
                    "missing-output",
                    (own[0].cells[0].place, None),
                    f"step {step} declares --out {name}, and binds no {name}",
                    f"Did you mean {near[0]}?" if near else "Bind it in the step, or take it out of --out",
                    stretch=own[0],
                    names=(name,),
                )


def _cycles(reading: Reading) -> Iterator[StepProblem]:
    """Steps that wait for each other: one of them stands in two places."""
    graph = reading.graph
    reached = {step.name: set(graph.needed(step.name)) for step in graph.steps}
    done = set[str]()
    for step in graph.steps:
        circle = [other for other in reached[step.name] if step.name in reached[other]]
        if len(circle) < 2 or step.name in done:  # noqa: PLR2004 - a step needs itself
            continue
        done.update(circle)
        inside = [edge for edge in graph.edges if edge.producer in circle and edge.consumer in circle]
        names = [f"{edge.consumer} needs {', '.join(edge.names) or 'files'} of {edge.producer}" for edge in inside]
        split = next(part for part in reversed(reading.parts) if part.step in circle and _again(part, reading))
        yield problem_at(
            "cycle",
            (split.cells[0].place, None),
            f"the steps {', '.join(sorted(circle))} wait for each other: {'; '.join(names)}",
            f"Give the cells of {split.step} from here on to a step of another name",
            stretch=split,
            steps=tuple(sorted(circle)),
        )


def _again(part: Stretch, reading: Reading) -> bool:
    """Whether its step has begun further up already."""
    return any(other.step == part.step and other.order < part.order for other in reading.parts)


def _split(reading: Reading) -> Iterator[StepProblem]:
    """A step in two places is executed in one go: then each name that crosses its border has to have one value."""
    circles = [set(problem.steps) for problem in _cycles(reading)]
    for part in reading.parts:
        if any(part.step in circle for circle in circles):
            continue
        others = [other for other in reading.parts if other.step == part.step and other is not part]
        for name, origin in reading.taken(part):
            earlier = next((o for o in others if o.order < part.order and _has_another(name, origin, o, reading)), None)
            if earlier is not None:
                yield _two_values(name, part, f"takes {name} of step {origin.step}", earlier)
        for other in reading.parts:
            for name, origin in reading.taken(other):
                later = next((o for o in others if o.order > part.order and name in o.writes), None)
                if origin is part and later is not None:
                    yield _two_values(name, later, f"changes {name}", part, f", after step {other.step} has taken it")


def _has_another(name: str, origin: Stretch, part: Stretch, reading: Reading) -> bool:
    return name in part.writes or reading.wiring.takes[part.order].get(name, origin.order) != origin.order


def _two_values(name: str, part: Stretch, does: str, other: Stretch, why: str = "") -> StepProblem:
    here = f"step {part.step} {does} here{why}"
    return problem_at(
        "split-step",
        part.place(name, "bound" if name in part.reader.bound else "read"),
        f"{here}, and has another {name} in cell {other.cells[0].place + 1}, but one namespace for both",
        "Give the cells from here on to a step of another name",
        stretch=part,
        names=(name,),
    )


def _ambiguous(reading: Reading) -> Iterator[StepProblem]:
    """Two steps that do not wait for each other bind what a third one takes."""
    seen = set[tuple[str, int]]()
    for part in reading.parts:
        for name, origin in reading.taken(part):
            rival = reading.origin(origin.before.get(name, 0)) if origin.before.get(name) else None
            if (
                rival is None
                or rival.step in (None, origin.step)
                or name not in rival.surely
                or (name, origin.order) in seen
            ):
                continue
            if name not in origin.binds or rival.step in reading.graph.needed(str(origin.step)):
                continue
            seen.add((name, origin.order))
            yield problem_at(
                "ambiguous-writers",
                origin.place(name, "bound"),
                f"steps {rival.step} and {origin.step} both bind {name}, and neither needs the other; "
                f"step {part.step} gets that of {origin.step}, the last above it",
                "Give them different names",
                stretch=origin,
                severity=Severity.WARNING,
                steps=(str(rival.step), str(origin.step), str(part.step)),
                names=(name,),
            )


def _unknown(reading: Reading) -> Iterator[StepProblem]:
    for stretch in reading.stretches:
        for reason in stretch.unknown:
            takes = "takes all that stands above it and may change it" if stretch.step else "may bind any name"
            what = "its imports and functions are taken to be untouched"
            yield problem_at(
                "unknown-names",
                stretch.place(reason, "unknown"),
                f"{who(stretch)} has {reason}, so nobody can read which names it uses: it {takes}; {what}",
                "Import names one by one, or declare them: --in and --out"
                if stretch.step
                else "Import names one by one",
                stretch=stretch,
                severity=Severity.WARNING,
            )
