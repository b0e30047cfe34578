"""A line for a crontab."""

import shlex
import sys
from collections.abc import Iterator

from cellops.errors import UsageError
from cellops.pipeline.export import commands
from cellops.pipeline.export.workflow import Workflow, Written

SECRETS = None
IN_GIT = False
LOCKS = False
LONGEST = 998
"""Characters of a command that every cron takes."""


def place(workflow: Workflow) -> str:
    return f"cellops-{workflow.slug}.cron"


def write(workflow: Workflow) -> Written:
    """The line: it waits for nothing that is still going on, and says only what has failed, which cron then mails.

    Raises
    ------
    UsageError
        When there is no schedule, or the command cannot stand in one line.
    """
    if workflow.schedule is None:
        fact = "A line for cron needs a schedule"
        raise UsageError(fact, remedy='Give it with --schedule "0 6 * * 1": Mondays at 6:00')
    command = line(workflow)
    if "\n" in command or "\r" in command:
        fact = "A parameter, gate or path has more than one line, and a crontab has one for each command"
        raise UsageError(fact, remedy="Put the parameter into a file: --params FILE")
    return Written(
        f"{workflow.schedule} {_in_crontab(command)}\n",
        commands.on_one_machine(workflow),
        tuple(_notes(workflow, command)),
    )


def line(workflow: Workflow) -> str:
    """What cron gives to the shell."""
    log, lock = f"{workflow.results}/cron.log", f"{workflow.results}/cron.lock"
    bins = shlex.quote(str(workflow.interpreter.parent))
    work = " && ".join(commands.on_one_machine(workflow))
    say = f"echo {shlex.quote(workflow.notebook)}: exit code $code; tail -n 20 {log}; exit $code"
    return (
        f"cd {shlex.quote(str(workflow.root))} && PATH={bins}:$PATH && export PATH && mkdir -p {workflow.results} && "
        f"exec 9> {lock} && flock -n 9 && {{ {{ {work}; }} >> {log} 2>&1 9>&-; code=$?; "
        f"[ $code = 0 ] || {{ {say}; }}; }}"
    )


def _in_crontab(command: str) -> str:
    """A command in which cron sees no end of line."""
    return command.replace("%", "\\%")


def _notes(workflow: Workflow, command: str) -> Iterator[str]:
    yield f"Add it with crontab -e on this machine, in whose time {workflow.schedule} is"
    yield f"It takes the Python of this environment, {workflow.interpreter}"
    if workflow.python != f"{sys.version_info.major}.{sys.version_info.minor}":
        yield f"Python {workflow.python} is not carried over"
    yield "It says nothing unless it fails; cron mails that to MAILTO. One that comes while another goes on is left out"
    if workflow.promote is not None:
        yield f"A model is promoted where the working copy has the branch {workflow.branch}, the default one"
    if len(command) > LONGEST:
        yield f"The command has {len(command)} characters, and some crons take {LONGEST}: put parameters into a file"
    for secret in workflow.secrets:
        yield f"The variable {secret.variable}, a secret, is not carried over: set it where cron finds it"
    if workflow.store:
        yield "The variable CELLOPS_STEP_STORE_KEY, a secret, is not carried over: set it where cron finds it"
    for one in workflow.open:
        yield f"The parameter {one.name} has its default: fix it with -p or --params"
    yield "Variables such as MLFLOW_TRACKING_URI are not carried over: put them into [tool.cellops] of pyproject.toml"
