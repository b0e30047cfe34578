"""What a step does otherwise when it is executed in a kernel of its own: no fault of the notebook in one kernel."""

import ast
from collections.abc import Iterator

from cellops.capture.names.libraries import last
from cellops.pipeline.steps.flow import Stretch
from cellops.pipeline.steps.modules import words
from cellops.pipeline.steps.reading import Reading, problem_at
from cellops.records.finding import Severity
from cellops.records.step import StepProblem

IMPORTS = (ast.Import, ast.ImportFrom)


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
                if used != name and used not in origin.defined and any(used in other.writes for other in between):
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


def _caches(reading: Reading) -> Iterator[StepProblem]:
    """What a function with a cache has given is changed, and the function is asked again by another step."""
    for part in reading.parts:
        for name in sorted(name for name in part.shares if name.startswith("(cache ")):
            if name not in part.reader.notes.needs:
                continue
            above = [other for other in reading.parts if other.order < part.order and other.step != part.step]
            other = next((one for one in above if one.changed & part.shares[name]), None)
            if other is not None:
                function = name.removeprefix("(cache ").removesuffix(")")
                yield problem_at(
                    "cached-result",
                    part.place(function, "read"),
                    f"step {other.step} may change what {function} has given and keeps; in step {part.step}, a kernel "
                    f"of its own, {function} computes it anew",
                    f"Let {function} give a copy, or hand on what it gave under a name",
                    stretch=part,
                    severity=Severity.WARNING,
                    steps=(str(other.step), str(part.step)),
                    names=(function,),
                )


def _modules(reading: Reading) -> Iterator[StepProblem]:
    """What a module of the project keeps in itself is changed, and the module is used by a step below."""
    for part in reading.parts:
        for above in (other for other in reading.parts if other.order < part.order and other.step != part.step):
            changed = next((module for module in _own(above, reading) if _changes(above, module, reading)), None)
            if changed is None or not any(
                reading.modules.reached(changed) & reading.modules.reached(module) for module in _own(part, reading)
            ):
                continue
            yield problem_at(
                "module-state",
                part.place(f"(module {changed})", "read"),
                f"step {above.step} may change what module {changed} keeps in itself; step {part.step}, in a kernel of "
                "its own, imports it anew",
                "Let the module's functions take and give what they change, or do both in one step",
                stretch=part,
                severity=Severity.WARNING,
                steps=(str(above.step), str(part.step)),
            )
            break


def _own(part: Stretch, reading: Reading) -> list[str]:
    """The modules of the project that a part uses: itself, by functions, or by what shared cells have made of them."""
    states = [name for name in part.shares if name.startswith("(module ")]
    used = {name for name in part.used if name.startswith("(module ")}
    used |= {state for state in states if _held_by(part, state)}
    named = [name.removeprefix("(module ").removesuffix(")") for name in used]
    return sorted(module for module in named if reading.modules.reached(module))


def _held_by(part: Stretch, state: str) -> list[str]:
    """The names that a part uses and that are no module, and lead to one."""
    names = [name for name in part.used if not name.startswith("(") and name not in part.defined]
    return [name for name in names if part.shares.get(name, 0) & part.shares.get(state, 0)]


def _changes(part: Stretch, module: str, reading: Reading) -> bool:
    """Whether its code, with the definitions that it uses, names what changes a module, or has it by another name."""
    changing = reading.modules.changing(module)
    others = {last(part.reader.kind_of(name).origin) for name in part.used}
    if changing & others or (changing and _held_by(part, f"(module {module})")):
        return True
    definitions = [node for name in part.used & set(part.defined) for _, node in part.defined[name].nodes]
    code = [*(cell.tree for cell in part.cells), *(node for node in definitions if not isinstance(node, IMPORTS))]
    return not changing.isdisjoint(words(code))


CHECKS = (_interpreter, _generators, _shared_files, _perhaps_changed, _functions, _caches, _modules)
