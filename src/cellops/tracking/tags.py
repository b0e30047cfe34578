"""The tags by which cellops finds its own runs, and those by which MLflow's screens show a run's source."""

import getpass
from datetime import UTC, datetime

from cellops.records.proof import Proof
from cellops.records.run import RunClosed, RunOpened
from cellops.tracking.names import LONGEST as LONGEST_NAME
from cellops.tracking.names import shortened
from cellops.version import __version__

RUN = "cellops.run"
SESSION = "cellops.session"
EXECUTION = "cellops.execution"
EXECUTION_STATUS = "cellops.execution.status"
FINDINGS = "cellops.findings"
MODEL = "cellops.model"
SEED = "cellops.seed"
SPLIT = "cellops.split"
"""How `cellops.split` divided the rows that the run depends on."""
PROOF = "cellops.proof"
"""The verdict of the newest proof, and when it was made."""
GATES = "cellops.gates"
"""What holding the run against gates has shown."""
PIPELINE = "cellops.pipeline"
"""Marks the run of a whole execution with its identifier, and that of a step with this and the name of the step."""
STEP = "cellops.step"
"""The step that a run belongs to."""
PARENT = "mlflow.parentRunId"
STEP_STATE = "cellops.step.state"
STEP_REASONS = "cellops.step.reasons"
SWEEP = "cellops.sweep"
"""Marks the run of a sweep with its name."""
TRIAL = "cellops.trial"
TRIAL_STATE = "cellops.trial.state"
COMPLETE = "cellops.complete"
"""Set last: a run without it is still being carried over."""
LONGEST = 4500
"""MLflow refuses longer tag values."""


def of_opened(run: RunOpened) -> dict[str, str]:
    tags = {
        RUN: run.run,
        SESSION: run.session,
        "cellops.version": __version__,
        "mlflow.runName": shortened(run.name, LONGEST_NAME),
        "mlflow.source.type": "NOTEBOOK",
    }
    optional: dict[str, object] = {"mlflow.user": _user(), "mlflow.source.name": run.notebook}
    optional |= {SEED: run.seed, EXECUTION: run.execution, STEP: run.step}
    return tags | {name: str(value) for name, value in optional.items() if value is not None}


def of_proof(proof: Proof) -> str:
    return f"{proof.verdict.value}, {datetime.fromtimestamp(proof.started, UTC).isoformat(timespec='seconds')}"


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def of_closed(run: RunClosed) -> dict[str, str]:
    tags = {}
    if run.code is not None and run.code.commit is not None:
        tags["mlflow.source.git.commit"] = run.code.commit
        tags["mlflow.source.git.branch"] = run.code.branch or "detached"
        tags["cellops.git.dirty"] = str(run.code.dirty).lower()
    made = [split.made.told() for split in run.splits if split.made is not None]
    if made:
        tags[SPLIT] = "; ".join(made)[:LONGEST]
    return tags
