"""A DAG of Airflow 3."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from cellops.pipeline.export import commands
from cellops.pipeline.export.python_text import distinct, identifier, literal
from cellops.pipeline.export.workflow import Workflow, Written

SECRETS = "the password of a connection of Airflow"
IN_GIT = False
LOCKS = True
TEMPLATE = re.compile(r"\{(?=[{%#])|\r")
"""What Jinja would read, or change."""
HEAD = """\
import os
from datetime import datetime, timezone
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

OWN_FOLDER = {root}
PROJECT = os.environ.get("CELLOPS_AIRFLOW_PROJECT") or OWN_FOLDER

with DAG(
    dag_id={dag},
    schedule={schedule},
    start_date=datetime(2020, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    tags=["cellops"],
):
"""
TASK = """\
    {name} = BashOperator(
        task_id={task},
        bash_command={command},
        cwd=PROJECT,{environment}
        append_env=True,
        retries={retries},
    )
"""


def place(workflow: Workflow) -> str:
    return f"dags/cellops_{identifier(workflow.slug)}.py"


def write(workflow: Workflow) -> Written:
    steps = workflow.steps if len(workflow.steps) > 1 else ()
    schedule = "None" if workflow.schedule is None else literal(workflow.schedule)
    parts = [HEAD.format(root=_root(workflow), dag=literal(f"cellops-{workflow.slug}"), schedule=schedule)]
    lines = [commands.execute(workflow, step.name) for step in steps]
    names = distinct("step", [step.name for step in steps])
    parts += [
        _task(workflow, names[step.name], f"step-{step.name}", [line]) for step, line in zip(steps, lines, strict=True)
    ]
    rest = {
        "execute": [commands.execute(workflow)],
        "drift": list(commands.drift(workflow)),
        "promote": list(commands.promote_on_branch(workflow)),
    }
    chain = [name for name, own in rest.items() if own]
    # What judges the gates is not tried again: it would come to the same.
    parts += [_task(workflow, name, name, rest[name], retries=0) for name in chain]
    last = [names[step.name] for step in steps if not any(step.name in other.waits_for for other in steps)]
    pairs = [(names[before], names[step.name]) for step in steps for before in step.waits_for]
    pairs += [*((name, "execute") for name in last), *pairwise(chain)]
    waits = [f"    {before} >> {behind}\n" for before, behind in pairs]
    text = "".join(parts) + (f"\n{''.join(waits)}" if waits else "")
    return Written(text, (*lines, *(line for own in rest.values() for line in own)), tuple(_notes(workflow)))


def _root(workflow: Workflow) -> str:
    """The project's folder: found from the DAG's own file where that lies within."""
    if Path(workflow.file).is_absolute():
        return literal(str(workflow.root))
    return f"str(Path(__file__).resolve().parents[{len(Path(workflow.file).parts) - 1}])"


def _task(workflow: Workflow, name: str, task: str, lines: list[str], retries: int = 1) -> str:
    connections = {variable: _connection(variable) for variable, needed in workflow.variables.items() if needed}
    pairs = [
        f"            {literal(variable)}: {literal(f'{{{{ conn.{connection}.password }}}}')},\n"
        for variable, connection in connections.items()
    ]
    environment = f"\n        env={{\n{''.join(pairs)}        }}," if pairs else ""
    command = literal(_literally(" && ".join(lines)))
    return TASK.format(name=name, task=literal(task), command=command, environment=environment, retries=retries)


def _connection(variable: str) -> str:
    return f"cellops_{variable.lower().removeprefix('cellops_')}"


def _literally(text: str) -> str:
    """A text in which Jinja finds nothing; Airflow would take one with a certain ending for the name of a file."""
    return TEMPLATE.sub(lambda found: '{{ "\\r" }}' if found[0] == "\r" else '{{ "{" }}', text)


def _notes(workflow: Workflow) -> Iterator[str]:
    yield f"Workers need the repository, and on their PATH a cellops of Python {workflow.python} with {workflow.lock}"
    yield "Its folder is found from the file of the DAG, else by the variable CELLOPS_AIRFLOW_PROJECT"
    if workflow.schedule:
        yield f"The schedule {workflow.schedule} is in UTC"
    if not workflow.store and len(workflow.steps) > 1:
        yield "Steps hand on their values by the folder .cellops: workers on several machines need --store"
    for variable, needed in workflow.variables.items():
        if needed:
            yield f"{variable} is {SECRETS}, {_connection(variable)}: make it"
        else:
            yield f"The secret variable {variable} is not carried over: its parameter has its default"
    for one in workflow.open:
        yield f"The parameter {one.name} has its default: fix it with -p or --params"
    if workflow.promote is not None:
        yield f"A model is promoted where the working copy of the worker has the branch {workflow.branch}"
