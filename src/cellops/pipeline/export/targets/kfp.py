"""A pipeline of Kubeflow, as the Python file from which its SDK compiles it."""

from collections.abc import Iterator

from cellops.pipeline.export import commands
from cellops.pipeline.export.python_text import distinct, identifier, literal
from cellops.pipeline.export.workflow import Workflow, Written

SECRETS = "a key of the Kubernetes secret cellops"
IN_GIT = False
LOCKS = True
HEAD = """\
import os
import sys

from kfp import compiler, dsl{kubernetes}

IMAGE = os.environ.get("CELLOPS_KFP_IMAGE", "")
{secrets}

@dsl.component(base_image=IMAGE or "python:{python}")
def cellops_task(lines: list, project: str, parameters: dict):
    import os
    import subprocess

    variables = dict(os.environ)
    for name, value in parameters.items():
        variables["CELLOPS_PARAM_" + name] = str(value)
    for line in lines:
        done = subprocess.run(["sh", "-c", line], cwd=project, env=variables)
        if done.returncode:
            raise SystemExit(done.returncode)


@dsl.component(base_image=IMAGE or "python:{python}")
def cellops_result(
    lines: list,
    project: str,
    parameters: dict,
    results: str,
    summary: dsl.Output[dsl.Markdown],
    notebook: dsl.Output[dsl.Artifact],
):
    import os
    import shutil
    import subprocess

    variables = dict(os.environ)
    for name, value in parameters.items():
        variables["CELLOPS_PARAM_" + name] = str(value)
    code = 0
    for line in lines:
        code = subprocess.run(["sh", "-c", line], cwd=project, env=variables).returncode
        if code:
            break
    for name, kept in (("summary.md", summary), ("executed.ipynb", notebook)):
        made = os.path.join(project, results, name)
        if os.path.exists(made):
            shutil.copy(made, kept.path)
    if code:
        raise SystemExit(code)


@dsl.pipeline(name={name})
def pipeline(project: str = "/workspace", parameters: dict = {{}}):
"""
STEP = """\
    {name} = cellops_task(
        lines=[
{lines}        ],
        project=project,
        parameters=parameters,
    )
"""
RESULT = """\
    result = cellops_result(
        lines=[
{lines}        ],
        project=project,
        parameters=parameters,
        results={results},
    )
"""
EACH = """\
    for task in [
{tasks}    ]:
        # cellops itself knows which steps need not be executed again.
        task.set_caching_options(False)
"""
KUBERNETES = """\
        kubernetes.use_secret_as_env(
            task, secret_name="cellops", secret_key_to_env=SECRETS, optional=True
        )
"""
MAIN = """\


if __name__ == "__main__":
    if not IMAGE:
        sys.exit(
            "Set CELLOPS_KFP_IMAGE: an image with the repository in it and its environment"
        )
    compiler.Compiler().compile(pipeline, sys.argv[1])
"""


def place(workflow: Workflow) -> str:
    return f"cellops_{identifier(workflow.slug)}_kfp.py"


def write(workflow: Workflow) -> Written:
    # Containers have no folder in common: steps are components only where a store hands on their values.
    steps = workflow.steps if workflow.store and len(workflow.steps) > 1 else ()
    secrets = "".join(f"    {literal(name)}: {literal(name)},\n" for name in workflow.variables)
    parts = [
        HEAD.format(
            kubernetes=", kubernetes" if secrets else "",
            secrets=f"SECRETS = {{\n{secrets}}}\n" if secrets else "",
            python=workflow.python,
            name=literal(f"cellops-{workflow.slug}".lower().replace("_", "-")),
        )
    ]
    lines = [commands.execute(workflow, step.name) for step in steps]
    names = distinct("step", [step.name for step in steps])
    for step, line in zip(steps, lines, strict=True):
        name, waits = names[step.name], ", ".join(names[one] for one in step.waits_for)
        parts.append(STEP.format(name=name, lines=_lines([line])))
        parts += [f"    {name}.after({waits})\n"] if waits else []
    whole = commands.on_one_machine(workflow)
    parts.append(RESULT.format(lines=_lines(whole), results=literal(workflow.results)))
    last = [names[step.name] for step in steps if not any(step.name in other.waits_for for other in steps)]
    parts += [f"    result.after({', '.join(last)})\n"] if last else []
    parts.append(EACH.format(tasks="".join(f"        {name},\n" for name in (*names.values(), "result"))))
    parts += [KUBERNETES] if secrets else []
    return Written("".join((*parts, MAIN)), (*lines, *whole), tuple(_notes(workflow, is_split=bool(steps))))


def _lines(lines: tuple[str, ...] | list[str]) -> str:
    return "".join(f"            {literal(line)},\n" for line in lines)


def _notes(workflow: Workflow, *, is_split: bool) -> Iterator[str]:
    yield f"Compile it where kfp is installed: CELLOPS_KFP_IMAGE=IMAGE python {workflow.file} pipeline.yaml"
    yield "A component installs kfp itself with pip, without what it depends on, where the image has none"
    yield f"IMAGE has the repository in /workspace, or where the argument project says, and what {workflow.lock} pins"
    if len(workflow.steps) > 1 and not is_split:
        yield "Steps are components of their own with --store only, which hands on their values: it is one component"
    if is_split:
        yield "A step of which nobody knows what it reads is executed again in every component behind it"
    if workflow.schedule:
        yield f"A compiled pipeline has no schedule: make a recurring run of it with {workflow.schedule}"
    if workflow.open:
        names = ", ".join(one.name for one in workflow.open)
        yield f"The argument parameters of a run sets {names}, as in {{{workflow.open[0].name!r}: VALUE}}"
    for name, required in workflow.variables.items():
        yield f"{name} is {SECRETS}: make it{'' if required else ', if it is to be given'}"
    if workflow.variables:
        yield "Compiling it needs kfp[kubernetes], for its secrets"
    if not workflow.has_server:
        yield f"Set MLFLOW_TRACKING_URI in the image: {workflow.without_a_server}"
    if workflow.promote is not None:
        yield f"A model is promoted where the repository in the image has the branch {workflow.branch}"
