"""A decision on a version: who makes it, when, and on what evidence."""

import hashlib
import math
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cellops.errors import RegistryError
from cellops.flows.meant import Meant
from cellops.flows.person import person
from cellops.records.deployment import DeploymentReport
from cellops.records.registry import Decision, DeploymentEvidence, Evidence, RegisteredVersion, Stage
from cellops.settings import Settings

REPORTS = "deployment-tests"
"""The folder of the reports of test deployments, each named by the digest of its package."""
LONGEST_REASON = 300


def decision(
    verb: str,
    found: Meant,
    version: RegisteredVersion,
    settings: Settings,
    *,
    stage: Stage,
    aliases: Mapping[str, str | None],
    others: Mapping[str, Stage] | None = None,
    archive: str | None = None,
    overridden: tuple[str, ...] = (),
    reason: str = "",
) -> Decision:
    """What is decided of a version, with all that is known of it."""
    now = datetime.now(UTC)
    return Decision(
        id=f"{now:%Y%m%dT%H%M%S.%f}-{uuid.uuid4().hex[:8]}",
        verb=verb,
        model=found.model,
        version=version.version,
        time=now.isoformat(timespec="seconds"),
        who=person(settings.project),
        before=version.stage,
        stage=stage,
        aliases={alias: given for alias, given in aliases.items() if given or alias in version.aliases},
        others=dict(others or {}),
        evidence=evidence(found, version, settings).replace(archive=archive),
        overridden=overridden,
        reason=reason[:LONGEST_REASON],
    )


def evidence(found: Meant, version: RegisteredVersion | None, settings: Settings) -> Evidence:
    """The run with its gates and metrics, the package, and how its test deployment went."""
    run, digest = found.run, found.digest
    return Evidence(
        run=run.run,
        mlflow_run_id=run.mlflow_run_id,
        package=digest,
        gates={result.gate: result.outcome.value for result in run.gates},
        metrics={name: value for name, value in run.metrics.items() if math.isfinite(value)},
        test=deployment_of(digest, version, settings) if digest else None,
    )


def deployment_of(digest: str, version: RegisteredVersion | None, settings: Settings) -> DeploymentEvidence | None:
    """How the test deployment of a package went: by its report here, else as an earlier decision has it."""
    path = report_of(digest, settings)
    if not path.is_file():
        return version.test if version is not None and version.package == digest else None
    content = path.read_bytes()
    try:
        report = DeploymentReport.from_json(content)
    except msgspec.DecodeError as error:
        fact = f"The report of the test deployment cannot be read: {path.name}"
        raise RegistryError(fact, remedy="Test the package again: cellops package test PACKAGE") from error
    return DeploymentEvidence(
        package=report.digest,
        passed=report.passed and report.digest == digest,
        started=report.started,
        report=hashlib.sha256(content).hexdigest(),
    )


def report_of(digest: str, settings: Settings) -> Path:
    """Where the newest report of the test deployment of a package stands."""
    return settings.folder / REPORTS / f"{digest}.json"
