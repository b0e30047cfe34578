"""What a step does otherwise when it is executed in a kernel of its own: no fault of the notebook in one kernel."""

from collections.abc import Iterator

from cellops.pipeline.steps.reading import Reading, problem_at
from cellops.records.finding import Severity
from cellops.records.step import StepProblem


def _interpreter(reading: Reading) -> Iterator[StepProblem]:
    for part in reading.parts[:-1]:
        if part.changes_interpreter:
            yield problem_at(
                "interpreter-state",
                part.place("(interpreter)", "changed"),
                f"step {part.step} changes what the whole kernel shares (options, seeds, the environment, modules); "
                "later steps have kernels of their own and do not see it",
                "Move it above the first step: cells there that do so are executed by every step",
                stretch=part,
                severity=Severity.WARNING,
            )


def _generators(reading: Reading) -> Iterator[StepProblem]:
    """Draws from a generator that a step before has moved on."""
    for part in reading.parts:
        above = [other for other in reading.stretches[: part.order - 1] if other.step not in (None, part.step)]
        seeded = any(other.reader.seeded for other in reading.stretches[: part.order - 1])
        if part.reader.draws is not None and seeded and any(o.reader.draws or o.reader.seeded for o in above):
            yield problem_at(
                "generator-state",
                part.reader.draws,
                f"step {part.step} draws from a generator of all cells that earlier steps have seeded or drawn from; "
                "in a kernel of its own it begins elsewhere",
                "Seed it in the step, or draw from numpy.random.default_rng(seed) under a name",
                stretch=part,
                severity=Severity.WARNING,
            )


def _shared_files(reading: Reading) -> Iterator[StepProblem]:
    for stretch in reading.stretches:
        place = stretch.cells[0].place
        again = [step.name for step in reading.graph.steps if place in step.shared]
        if stretch.step is None and stretch.writes_to and len(again) > 1:
            yield problem_at(
                "shared-writes",
                stretch.place("(files)", "changed"),
                f"the cell writes files or starts programs, and is executed by each of the steps {', '.join(again)}",
                "Give it to a step",
                stretch=stretch,
                severity=Severity.WARNING,
                steps=tuple(again),
            )


def _perhaps_changed(reading: Reading) -> Iterator[StepProblem]:
    """Steps that wait only because code that is not known was given what they take."""
    for edge in reading.graph.edges:
        consumers = [part for part in reading.parts if part.step == edge.consumer]
        given = [
            (n, o, n in part.used) for part in consumers for n, o in reading.taken(part) if o.step == edge.producer
        ]
        if edge.files or not given or any(origin.unknown or (used and n in origin.surely) for n, origin, used in given):
            continue
        name, origin, _ = next((one for one in given if one[2]), given[0])
        names = sorted({name for name, _, _ in given})
        yield problem_at(
            "perhaps-changed",
            origin.place(name, "changed"),
            f"step {edge.consumer} waits for step {edge.producer}, which may change {', '.join(names)}: code that is "
            "not known, or another name of the same object, has it",
            f"If it is left as it is, say what the step gives: %%mlops step {edge.producer} --out NAMES",
            stretch=origin,
            severity=Severity.INFO,
            steps=(edge.producer, edge.consumer),
            names=tuple(names),
        )


def _functions(reading: Reading) -> Iterator[StepProblem]:
    """Functions that are passed as values keep the names that they use as these were."""
    for part in reading.parts:
        for name, origin in reading.taken(part):
            effects = origin.reader.notes.functions.get(name)
            between = reading.stretches[origin.order : part.order]
            for used in effects.uses if effects is not None else ():
                if used not in origin.defined and any(used in other.writes for other in between):
                    yield problem_at(
                        "function-by-value",
                        part.place(name, "read"),
                        f"step {part.step} takes {name} of step {origin.step} as a value, with {used} as it was there; "
                        f"{used} is bound or changed since",
                        f"Define {name} above the first step, or give it {used} as an argument",
                        stretch=part,
                        severity=Severity.WARNING,
                        names=(name, used),
                    )


CHECKS = (_interpreter, _generators, _shared_files, _perhaps_changed, _functions)
