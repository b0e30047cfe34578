"""One file a target, each of the same shape: `place(workflow)` and `write(workflow)`.

`place` gives the path at which the target looks for its file, from the top of the repository on; `write` gives the text
of that file below its head, the command lines in it, and what it does not carry over. `SECRETS` says where the target
keeps secrets, None where it has no place for them; `IN_GIT` whether it executes what a repository of git holds; `LOCKS`
whether its environment is made from a lock.
"""

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import Protocol, cast

from cellops.errors import UsageError
from cellops.pipeline.export.workflow import Workflow, Written

TARGETS = ("github", "gitlab", "kfp", "airflow", "dvc", "cron")


class Target(Protocol):
    """The shape of a target's module."""

    SECRETS: str | None
    IN_GIT: bool
    LOCKS: bool
    place: Callable[[Workflow], str]
    write: Callable[[Workflow], Written]


def target(name: str) -> Target:
    """The target of a name.

    Raises
    ------
    UsageError
        When there is none.
    """
    if name not in TARGETS:
        near = get_close_matches(name, TARGETS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(TARGETS)}"
        fact = f"There is no target {name}"
        raise UsageError(fact, remedy=hint)
    return cast("Target", import_module(f"{__name__}.{name}"))
