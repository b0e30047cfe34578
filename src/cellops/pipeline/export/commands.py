"""The command lines of an exported pipeline: those that a person would type at the top of the repository."""

import shlex
from collections.abc import Iterator

from cellops.pipeline.export.workflow import Workflow


def execute(workflow: Workflow, step: str | None = None) -> str:
    """The line that executes the notebook; of one step, with those that it waits for, where `step` names it."""
    words = [*_cellops(workflow), "execute", _path(workflow.notebook), *_values(workflow)]
    if workflow.steps and not workflow.store:
        words.append("--cache")
    words += _options(workflow)
    if step is not None:
        return shlex.join([*words, "--step", step, "-o", f"{workflow.results}/{step}.ipynb"])
    words += _gates(workflow)
    results = workflow.results
    words += ["-o", executed(workflow), "--junit", f"{results}/junit.xml", "--summary", f"{results}/summary.md"]
    return shlex.join(words)


def export(workflow: Workflow, target: str, *, is_placed: bool) -> str:
    """The line that writes the target's file, from the top of the repository."""
    words = ["cellops", "export", target, _path(workflow.notebook), *_values(workflow)]
    words += ["-o", _path(workflow.file)] if is_placed else []
    words += [*_options(workflow), *_gates(workflow)]
    for option, value in {"--schedule": workflow.schedule, "--promote": workflow.promote}.items():
        words += [] if value is None else [option, value]
    words += [] if workflow.drift is None else ["--drift", _path(workflow.drift)]
    return shlex.join([*words, "--python", workflow.python])


def executed(workflow: Workflow) -> str:
    """Where the executed notebook goes."""
    return f"{workflow.results}/executed.ipynb"


def drift(workflow: Workflow) -> tuple[str, ...]:
    """The lines that hold a table against the profile of the model; none where that is not asked for."""
    if workflow.drift is None:
        return ()
    package = f"{workflow.results}/package"
    return (
        shlex.join(["rm", "-rf", package]),  # a package is never replaced
        shlex.join([*_cellops(workflow), "package", executed(workflow), "-o", package]),
        shlex.join([*_cellops(workflow), "drift", package, _path(workflow.drift), "-o", f"{workflow.results}/drift"]),
    )


def promote(workflow: Workflow) -> tuple[str, ...]:
    """The line that makes the model of the execution the champion; none where that is not asked for."""
    if workflow.promote is None:
        return ()
    return (shlex.join([*_cellops(workflow), "promote", executed(workflow), "--model", workflow.promote]),)


def promote_on_branch(workflow: Workflow) -> tuple[str, ...]:
    """The same for where a working copy may have any branch: on the default one only."""
    branch = shlex.quote(workflow.branch)
    asked = f'[ "$(git rev-parse --abbrev-ref HEAD)" = {branch} ]'
    other = f"echo Not promoted: the branch is not {branch}"
    return tuple(f"if {asked}; then {line}; else {other}; fi" for line in promote(workflow))


def on_one_machine(workflow: Workflow) -> tuple[str, ...]:
    """All lines for a working copy, in the order in which they are executed."""
    return (execute(workflow), *drift(workflow), *promote_on_branch(workflow))


def everything(workflow: Workflow) -> tuple[str, ...]:
    """All lines, in the order in which they are executed on one machine."""
    return tuple(_all(workflow))


def _all(workflow: Workflow) -> Iterator[str]:
    yield execute(workflow)
    yield from drift(workflow)
    yield from promote(workflow)


def _cellops(workflow: Workflow) -> list[str]:
    """The command; at the top of a repository with several projects none but its own is meant."""
    return ["cellops"] if workflow.project == "." else ["env", f"CELLOPS_PROJECT={workflow.project}", "cellops"]


def _values(workflow: Workflow) -> Iterator[str]:
    for name, value in workflow.parameters:
        yield from ("-p", f"{name}={value}") if value.startswith("-") else ("-p", name, value)
    if workflow.parameters_file is not None:
        yield from ("--params", workflow.parameters_file)


def _options(workflow: Workflow) -> Iterator[str]:
    options = {"--store": workflow.store, "--jobs": workflow.jobs, "--seed": workflow.seed}
    for option, value in options.items():
        if value is not None:
            yield from (option, str(value))


def _gates(workflow: Workflow) -> Iterator[str]:
    for gate in workflow.gates:
        yield from ("--gate", gate)


def _path(path: str) -> str:
    """A path that no command line takes for an option."""
    return f"./{path}" if path.startswith("-") else path
