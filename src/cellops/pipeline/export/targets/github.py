"""A workflow of GitHub Actions."""

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from cellops.pipeline.export import commands
from cellops.pipeline.export.workflow import Workflow, Written
from cellops.records.parameter import ParameterDescription
from cellops.yaml_text import yaml_text

SECRETS = "a secret of the repository (Settings, Secrets and variables, Actions)"
IN_GIT = True
LOCKS = True
CHECKOUT, PYTHON = "actions/checkout@v7", "actions/setup-python@v7"
RESTORE, SAVE = "actions/cache/restore@v6", "actions/cache/save@v6"
UPLOAD, DOWNLOAD = "actions/upload-artifact@v7", "actions/download-artifact@v8"
LONGEST_MINUTES = 360
"""After which GitHub's own machines stop a job."""
MOST_INPUTS = 10
"""Of a workflow that is started by hand, on every version of GitHub's server."""
LONGEST_COMMENT = 65_000
"""Bytes, somewhat less than GitHub takes."""
OF_MLFLOW = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
COMMENT = """\
if [ ! -f results/summary.md ]; then echo Nothing was executed; exit 0; fi
{{ echo '{mark}'; head -c {longest} results/summary.md; }} > comment.md
own='.[] | select(.user.type == "Bot" and (.body | startswith("{mark}"))) | .id'
found=$(gh api --paginate "repos/$GH_REPO/issues/$NUMBER/comments" --jq "$own" | tail -n 1)
if [ -n "$found" ]; then
gh api --silent --method PATCH "repos/$GH_REPO/issues/comments/$found" --field body=@comment.md
else
gh pr comment "$NUMBER" --body-file comment.md
fi
"""
"""Ours begins with its mark: comments that the same robot wrote for other notebooks and workflows stay as they are."""


def place(workflow: Workflow) -> str:
    return f".github/workflows/cellops-{workflow.slug}.yml"


def write(workflow: Workflow) -> Written:
    asked = dict(list(workflow.asked.items())[:MOST_INPUTS])
    left = [one.name for one in workflow.open if one not in asked.values()]
    jobs = {"execute": _execute(workflow, asked), "comment": _comment(workflow)}
    content = {
        "name": f"cellops {workflow.slug}",
        "on": _triggers(workflow, asked),
        "permissions": {},
        "concurrency": {
            "group": f"cellops-{workflow.slug}-${{{{ github.ref }}}}",
            "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
        },
        "defaults": {"run": {"shell": "bash"}},
        "jobs": jobs,
    }
    return Written(yaml_text(content), commands.everything(workflow), tuple(_notes(workflow, left)))


def literally(text: str) -> str:
    """A text in which GitHub evaluates nothing."""
    return text.replace("${{", "${{ '${{' }}")


def _quoted(text: str) -> str:
    """A text within an expression."""
    return "'" + text.replace("'", "''") + "'"


def _triggers(workflow: Workflow, asked: dict[str, ParameterDescription]) -> dict[str, Any]:
    branch = re.sub(r"([!+])", r"\\\1", workflow.branch)
    inputs = {
        one.name: {"description": _described(one), "type": "string", "required": False, "default": ""}
        for one in asked.values()
    }
    return {
        "push": {"branches": [branch]},
        "pull_request": {},
        **({"schedule": [{"cron": workflow.schedule}]} if workflow.schedule else {}),
        "workflow_dispatch": {"inputs": inputs} if inputs else {},
    }


def _described(parameter: ParameterDescription) -> str:
    kind = f": {parameter.kind}" if parameter.kind else ""
    default = f" = {parameter.default}" if parameter.default else ""
    text = " ".join(f"{parameter.name}{kind}{default}; {parameter.help}".rstrip("; ").split())
    return text.replace("${{", "$ {{")


def _execute(workflow: Workflow, asked: dict[str, ParameterDescription]) -> dict[str, Any]:
    return {
        "runs-on": "ubuntu-latest",
        "timeout-minutes": LONGEST_MINUTES,
        "permissions": {"contents": "read"},
        "steps": list(_steps(workflow, asked)),
    }


def _steps(workflow: Workflow, asked: dict[str, ParameterDescription]) -> Iterator[dict[str, Any]]:
    """The steps of the job; only those that are cellops see what they need of the secrets."""
    mlflow = _secrets(OF_MLFLOW)
    given = {variable: f"${{{{ inputs.{one.name} }}}}" for variable, one in asked.items()}
    is_cached = bool(workflow.steps) and workflow.kept is not None
    yield {"uses": CHECKOUT, "with": {"persist-credentials": False}}
    yield {"uses": PYTHON, "with": {"python-version": workflow.python, **_downloads(workflow)}}
    yield {"name": "Install", "run": literally("\n".join(install(workflow)))}
    if is_cached:
        yield {"name": "Restore the steps", "uses": RESTORE, "with": _cache(workflow, ends=True)}
    own = given | _secrets(workflow.variables) | mlflow
    yield {"name": "Execute", "env": own, "run": literally(commands.execute(workflow))}
    if is_cached:
        yield {"name": "Keep the steps", "if": "always()", "uses": SAVE, "with": _cache(workflow, ends=False)}
    if workflow.drift is not None:
        yield {"name": "Drift", "env": mlflow, "run": literally("\n".join(commands.drift(workflow)))}
    if workflow.promote is not None:
        yield {
            "name": "Promote",
            "if": f"github.event_name != 'pull_request' && github.ref == {_quoted(f'refs/heads/{workflow.branch}')}",
            "env": mlflow,
            "run": literally("\n".join((*require_server(workflow), *commands.promote(workflow)))),
        }
    results = workflow.results
    yield {
        "name": "Show the summary",
        "if": "always()",
        "run": f'if [ -f {results}/summary.md ]; then cat {results}/summary.md >> "$GITHUB_STEP_SUMMARY"; fi',
    }
    yield {
        "name": "Keep the results",
        "if": "always()",
        "uses": UPLOAD,
        "with": {"name": f"cellops-{workflow.slug}", "path": results, "if-no-files-found": "ignore"},
    }


def _secrets(names: Iterable[str]) -> dict[str, str]:
    return {name: f"${{{{ secrets.{name} }}}}" for name in names}


def _downloads(workflow: Workflow) -> dict[str, str]:
    """What pip has downloaded is kept for as long as the lock is the same."""
    return {"cache": "pip", "cache-dependency-path": _glob(workflow.lock)}


def require_server(workflow: Workflow) -> Iterator[str]:
    """The line that ends a job without a server, with which the registry would go with the machine."""
    if not workflow.has_server:
        yield ': "${MLFLOW_TRACKING_URI:?Set it: the model is promoted in the registry of that MLflow server}"'


def install(workflow: Workflow) -> Iterator[str]:
    """The lines that make the environment."""
    yield shlex.join(["python", "-m", "pip", "install", "--no-deps", "--requirement", workflow.lock])
    if not workflow.locked:
        yield shlex.join(["python", "-m", "pip", "install", "--no-deps", f"cellops=={workflow.cellops}"])


def _cache(workflow: Workflow, *, ends: bool) -> dict[str, str]:
    """Steps are kept by their content, so those of any earlier execution are of use."""
    lock, notebook = (f"${{{{ hashFiles({_quoted(_glob(path))}) }}}}" for path in (workflow.lock, workflow.notebook))
    of_lock = f"cellops-{workflow.slug}-${{{{ runner.os }}}}-{lock}-"
    key = f"{of_lock}{notebook}-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}"
    cache = {"path": _glob(str(workflow.kept)), "key": key}
    return cache | {"restore-keys": f"{of_lock}{notebook}-\n{of_lock}\n"} if ends else cache


def _glob(path: str) -> str:
    """A pattern for a path: what could mean something else there stands for any one character."""
    return re.sub(r"[^\w./ -]|^ ", "?", path)


def _comment(workflow: Workflow) -> dict[str, Any]:
    """Shows the summary in the pull request; of one from a fork GitHub gives no right to.

    The results are looked for by a pattern: where nothing was executed there are none, which then is no error.
    """
    name = f"cellops-{workflow.slug}"
    same = "github.event.pull_request.head.repo.full_name == github.repository"
    return {
        "needs": "execute",
        "if": f"!cancelled() && github.event_name == 'pull_request' && {same}",
        "runs-on": "ubuntu-latest",
        "timeout-minutes": 10,
        "permissions": {"pull-requests": "write"},
        "steps": [
            {"uses": DOWNLOAD, "with": {"pattern": name, "path": "results", "merge-multiple": True}},
            {
                "name": "Comment",
                "env": {
                    "GH_TOKEN": "${{ github.token }}",
                    "GH_REPO": "${{ github.repository }}",
                    "NUMBER": "${{ github.event.pull_request.number }}",
                },
                "run": COMMENT.format(mark=f"<!-- {name} -->", longest=LONGEST_COMMENT),
            },
        ],
    }


def _notes(workflow: Workflow, left: list[str]) -> Iterator[str]:
    if PurePosixPath(workflow.file).parent != PurePosixPath(place(workflow)).parent:
        yield f"GitHub finds workflows in {PurePosixPath(place(workflow)).parent} only: move {workflow.file} there"
    yield "The actions are pinned to their major versions; replace these by digests where your rules ask for it"
    if workflow.schedule:
        yield f"The schedule {workflow.schedule} is in UTC, and GitHub follows it on the branch {workflow.branch} only"
    if workflow.promote is not None:
        yield f"A model is promoted on the branch {workflow.branch} only, the default one: export again when it changes"
    if workflow.kept is None:
        yield "Steps are kept outside of the repository, and not restored"
    for name in left:
        yield f"Whoever starts the workflow cannot set {name}: it has its default, or give it with -p"
    for name, required in workflow.variables.items():
        yield f"{name} is {SECRETS}: set it{'' if required else ', if it is to be given'}"
    if workflow.has_server:
        yield "MLFLOW_TRACKING_USERNAME and its password, or a token, are secrets too, where the MLflow server asks"
    else:
        yield f"MLFLOW_TRACKING_URI, its user and password or token are secrets too: {workflow.without_a_server}"
