"""Stages of DVC."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from cellops.pipeline.export import commands
from cellops.pipeline.export.workflow import Workflow, Written
from cellops.yaml_text import yaml_text

SECRETS = None
IN_GIT = True
LOCKS = True
TEMPLATE = re.compile(r"\$(?=\{)")


def place(workflow: Workflow) -> str:
    del workflow  # DVC looks for this name alone
    return "dvc.yaml"


def write(workflow: Workflow) -> Written:
    folder = os.path.relpath(workflow.root, (workflow.root / workflow.file).parent)
    stages = {
        name: {**({} if folder == "." else {"wdir": folder}), **stage} for name, stage in _stages(workflow).items()
    }
    lines = [line for stage in stages.values() for line in stage["cmd"]]
    return Written(yaml_text({"stages": _literally(stages)}), tuple(lines), tuple(_notes(workflow)))


def _stages(workflow: Workflow) -> dict[str, dict[str, Any]]:
    """A stage for each step where there are several, then the whole notebook, which judges the gates."""
    slug, results = workflow.slug, workflow.results
    steps = workflow.steps if len(workflow.steps) > 1 else ()
    found = {
        f"{slug}-step-{step.name}": _executing(
            workflow, step.name, [_of_step(workflow, name) for name in step.waits_for], [_of_step(workflow, step.name)]
        )
        for step in steps
    }
    whole = [commands.executed(workflow), f"{results}/junit.xml", f"{results}/summary.md"]
    found[slug] = _executing(workflow, None, [_of_step(workflow, step.name) for step in steps], whole)
    if workflow.drift is not None:
        cmd, deps = list(commands.drift(workflow)), [commands.executed(workflow), workflow.drift]
        found[f"{slug}-drift"] = {"cmd": cmd, "deps": deps, "outs": _kept([f"{results}/drift"])}
    if workflow.promote is not None:
        behind = [] if workflow.drift is None else [f"{results}/drift"]
        deps = [commands.executed(workflow), *behind]
        found[f"{slug}-promote"] = {"cmd": list(commands.promote_on_branch(workflow)), "deps": deps}
    return found


def _executing(workflow: Workflow, step: str | None, needs: list[str], outs: list[str]) -> dict[str, Any]:
    """A stage that executes steps: cellops itself knows which of them need not be executed again."""
    files = (workflow.notebook, workflow.lock, workflow.parameters_file)
    return {
        "cmd": [commands.execute(workflow, step)],
        "deps": [*(file for file in files if file is not None), *needs],
        "outs": _kept(outs),
        "always_changed": True,
    }


def _of_step(workflow: Workflow, step: str) -> str:
    return f"{workflow.results}/{step}.ipynb"


def _kept(paths: Iterable[str]) -> list[dict[str, Any]]:
    return [{path: {"cache": False}} for path in paths]


def _literally(value: Any) -> Any:
    """The same with no text in which DVC looks for its own variables."""
    match value:
        case str():
            return TEMPLATE.sub(r"\\$", value)
        case list():
            return [_literally(one) for one in value]
        case dict():
            return {_literally(name): _literally(one) for name, one in value.items()}
    return value


def _notes(workflow: Workflow) -> Iterator[str]:
    if PurePosixPath(workflow.file).name != place(workflow):
        yield f"DVC reads files of the name {place(workflow)} only: rename {workflow.file}"
    yield "DVC does not know what a cell reads, so each dvc repro asks cellops, which executes what has changed"
    yield f"dvc repro takes the cellops of its own environment: Python {workflow.python} with {workflow.lock}"
    if workflow.schedule:
        yield f"DVC has no schedules: {workflow.schedule} is not carried over; export to cron or to CI for it"
    if workflow.promote is not None:
        yield f"A model is promoted where the working copy has the branch {workflow.branch}, the default one"
    for name in workflow.variables:
        yield f"The variable {name}, a secret, is not carried over: set it where dvc repro is executed"
    for one in workflow.open:
        yield f"The parameter {one.name} has its default: fix it with -p, or set CELLOPS_PARAM_{one.name.upper()}"
