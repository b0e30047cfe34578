"""Results as text for a terminal, or as a table in a notebook: what `cli` and `magics` show."""

from cellops.screens.audited import audited
from cellops.screens.compare import comparison
from cellops.screens.deployment import deployed, deployment_step
from cellops.screens.drift import drift
from cellops.screens.execution import executed, progress, stage
from cellops.screens.expectations import expectations, findings_of_suite
from cellops.screens.exported import exported
from cellops.screens.gates import annotated
from cellops.screens.graph import graph, problems
from cellops.screens.journals import cleaned, kept, synced
from cellops.screens.live import watching
from cellops.screens.packages import package
from cellops.screens.parameters import parameters
from cellops.screens.profile import profiled, saved
from cellops.screens.proof import proof
from cellops.screens.reading import reading
from cellops.screens.registry import decided, models, promoted
from cellops.screens.restored import restored
from cellops.screens.review import review_file, review_queue, reviewed, reviewing
from cellops.screens.rollout import rollout
from cellops.screens.runs import run, run_line, runs
from cellops.screens.score import scored, scoring
from cellops.screens.server import changed, served, serving
from cellops.screens.session import status
from cellops.screens.signed import keys, signed
from cellops.screens.steps import explained
from cellops.screens.sweep import sweeping, swept
from cellops.screens.tokens import revoked, token, tokens

__all__ = [
    "annotated",
    "audited",
    "changed",
    "cleaned",
    "comparison",
    "decided",
    "deployed",
    "deployment_step",
    "drift",
    "executed",
    "expectations",
    "explained",
    "exported",
    "findings_of_suite",
    "graph",
    "kept",
    "keys",
    "models",
    "package",
    "parameters",
    "problems",
    "profiled",
    "progress",
    "promoted",
    "proof",
    "reading",
    "restored",
    "review_file",
    "review_queue",
    "reviewed",
    "reviewing",
    "revoked",
    "rollout",
    "run",
    "run_line",
    "runs",
    "saved",
    "scored",
    "scoring",
    "served",
    "serving",
    "signed",
    "stage",
    "status",
    "sweeping",
    "swept",
    "synced",
    "token",
    "tokens",
    "watching",
]
