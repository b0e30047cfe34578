"""What an exported file says: one notebook, how it is executed, when, and what becomes of its result."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cellops.pipeline.parameters.sources import VARIABLE
from cellops.records.parameter import ParameterDescription

RESULTS = "cellops-results"
"""The folder below the top of the repository in which each pipeline has a folder of its results."""
NOT_PLAIN = re.compile(r"[^A-Za-z0-9_]+")
PLAIN = re.compile(r"\w+([-/]\w+)*", re.ASCII)


class Task(NamedTuple):
    """A step of the notebook, with the steps that it waits for."""

    name: str
    waits_for: tuple[str, ...] = ()


class SecretNeeded(NamedTuple):
    """A parameter that is a secret, and the variable of the environment in which its value is looked for."""

    parameter: str
    variable: str
    required: bool


class Written(NamedTuple):
    """The text of a target's file."""

    text: str
    commands: tuple[str, ...]
    """The lines that it executes."""
    notes: tuple[str, ...] = ()
    """What it does not carry over, and what it needs where it is executed."""


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """One notebook on its way to a CI system or an orchestrator; paths begin at the top of the repository."""

    root: Path
    """The top of the repository, on this machine."""
    notebook: str
    python: str
    """The version of Python, `3.11`."""
    interpreter: Path
    """The Python of this environment, on this machine."""
    cellops: str
    """The version of cellops."""
    file: str = ""
    """Where the target's file goes; absolute where that lies outside."""
    lock: str = ""
    """The lock of the environment, beside it."""
    locked: bool = True
    """Whether the lock pins cellops itself, which an index then brings."""
    project: str = "."
    """The folder of the project, whose settings hold."""
    kept: str | None = ".cellops/steps"
    """Where its steps are kept; None where that lies outside of the repository."""
    branch: str = "main"
    """The only one from which a model is promoted."""
    has_server: bool = False
    """Whether the project's pyproject.toml names the MLflow server, which then holds wherever it is executed."""
    steps: tuple[Task, ...] = ()
    """In the order of the notebook; none where it has no steps."""
    parameters: tuple[tuple[str, str], ...] = ()
    """Those that are fixed, as they are typed."""
    parameters_file: str | None = None
    open: tuple[ParameterDescription, ...] = ()
    """Those that whoever starts the pipeline may choose."""
    secrets: tuple[SecretNeeded, ...] = ()
    gates: tuple[str, ...] = ()
    schedule: str | None = None
    store: str | None = None
    jobs: int | None = None
    seed: int | None = None
    drift: str | None = None
    """A table that is held against the profile of the model."""
    promote: str | None = None
    """The registered model whose champion the run becomes."""

    @property
    def slug(self) -> str:
        """The notebook's path in letters, digits, - and _; one that has other characters is told apart by a digest."""
        path = str(PurePosixPath(self.notebook).with_suffix(""))
        plain = NOT_PLAIN.sub("-", path).strip("-")
        if PLAIN.fullmatch(path):
            return plain
        digest = hashlib.sha256(self.notebook.encode(errors="surrogateescape")).hexdigest()[:8]
        return "-".join(filter(None, (plain, digest)))

    @property
    def results(self) -> str:
        """The folder of what its executions leave."""
        return f"{RESULTS}/{self.slug}"

    @property
    def asked(self) -> dict[str, ParameterDescription]:
        """What whoever starts the pipeline may choose, by the variables that set it."""
        names = [one.name.upper() for one in self.open]
        return {
            f"{VARIABLE}{one.name.upper() if names.count(one.name.upper()) == 1 else one.name}": one
            for one in self.open
            if one.name.isascii()
        }

    @property
    def name_of_lock(self) -> str:
        return f"cellops-{self.slug}.lock.txt"

    @property
    def without_a_server(self) -> str:
        """What becomes of runs on a machine that goes when they have ended."""
        promoted = "" if self.promote is None else ", and no model is promoted"
        return f"without an MLflow server, runs are gone with the machine{promoted}"

    @property
    def variables(self) -> dict[str, bool]:
        """The secret variables of the environment that its commands read, and whether one cannot do without."""
        found = {secret.variable: secret.required for secret in self.secrets}
        return found | ({"CELLOPS_STEP_STORE_KEY": True} if self.store else {})
