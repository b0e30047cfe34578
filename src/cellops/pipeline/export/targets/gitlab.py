"""A job of GitLab CI, in a file that the project's own includes."""

import json
from collections.abc import Iterator
from typing import Any

from cellops.pipeline.export import commands
from cellops.pipeline.export.targets.github import install, require_server
from cellops.pipeline.export.workflow import Workflow, Written
from cellops.records.parameter import ParameterDescription
from cellops.yaml_text import yaml_text

SECRETS = "a masked variable of the project (Settings, CI/CD, Variables)"
IN_GIT = True
LOCKS = True
ON_DEFAULT_BRANCH = '[ "$CI_COMMIT_BRANCH" = "$CI_DEFAULT_BRANCH" ]'
MERGE_REQUEST = '$CI_PIPELINE_SOURCE == "merge_request_event"'
RULES = (
    '$CI_PIPELINE_SOURCE == "schedule"',
    '$CI_PIPELINE_SOURCE == "web"',
    "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
)
KEPT_FOR = "90 days"


def place(workflow: Workflow) -> str:
    return f".gitlab/cellops-{workflow.slug}.yml"


def write(workflow: Workflow) -> Written:
    name = f"cellops-{workflow.slug}"
    variables = {variable: _asked(one) for variable, one in workflow.asked.items()}
    content: dict[str, Any] = {"variables": variables} if variables else {}
    content[name] = {
        "image": f"python:{workflow.python}",
        "rules": [{"if": MERGE_REQUEST, "interruptible": True}, *({"if": rule} for rule in RULES)],
        "timeout": "6 hours",
        **({"resource_group": f"{name}-$CI_COMMIT_REF_SLUG"} if workflow.promote else {}),
        **({"cache": _cache(workflow)} if workflow.steps and workflow.kept else {}),
        "script": [*install(workflow), commands.execute(workflow), *commands.drift(workflow), *_promotion(workflow)],
        "artifacts": {
            "when": "always",
            "expire_in": KEPT_FOR,
            "paths": [f"{workflow.results}/"],
            "reports": {"junit": f"{workflow.results}/junit.xml"},
        },
    }
    return Written(yaml_text(content), commands.everything(workflow), tuple(_notes(workflow)))


def _asked(parameter: ParameterDescription) -> dict[str, str]:
    """A variable that the page "Run pipeline" asks for; an empty one counts as not set."""
    default = f" = {parameter.default}" if parameter.default else ""
    text = f"{parameter.name}: {parameter.kind}{default}; {parameter.help}".rstrip("; ")
    return {"value": "", "description": " ".join(text.split())}


def _cache(workflow: Workflow) -> dict[str, Any]:
    """Steps are kept by their content, so those of any earlier execution are of use."""
    name = f"cellops-{workflow.slug}"
    return {
        "key": f"{name}-$CI_COMMIT_REF_SLUG",
        "fallback_keys": [f"{name}-$CI_DEFAULT_BRANCH"],
        "paths": [f"{workflow.kept}/"],
        "when": "always",
    }


def _promotion(workflow: Workflow) -> Iterator[str]:
    """Lines behind the gates, as a failure before them ends the job; merge requests have no branch of their own."""
    for line in commands.promote(workflow):
        yield "\n".join((f"if {ON_DEFAULT_BRANCH}; then", *require_server(workflow), line, "fi"))


def _notes(workflow: Workflow) -> Iterator[str]:
    yield f"Include it in .gitlab-ci.yml: include: [{{local: {json.dumps('/' + workflow.file, ensure_ascii=False)}}}]"
    if workflow.kept is None:
        yield "Steps are kept outside of the repository, and not restored"
    if workflow.schedule:
        yield f"GitLab keeps schedules outside of files: enter {workflow.schedule} under Build, Pipeline schedules"
    for one in workflow.open:
        if not one.name.isascii():
            yield f"Whoever starts the pipeline cannot set {one.name}: it has its default, or give it with -p"
    for name, required in workflow.variables.items():
        yield f"{name} is {SECRETS}: set it{'' if required else ', if it is to be given'}"
    if workflow.has_server:
        yield "MLFLOW_TRACKING_USERNAME and its password, or a token, are masked variables too, where the server asks"
    else:
        are = "MLFLOW_TRACKING_URI, its user and password or token are masked variables too"
        yield f"{are}: {workflow.without_a_server}"
