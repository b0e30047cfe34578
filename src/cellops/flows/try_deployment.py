"""A package tried as it will be deployed, and a report of it."""

import contextlib
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cellops.capture.environment.processes import terminable
from cellops.capture.temporary import temporary_folder
from cellops.errors import DeploymentError, UsageError
from cellops.flows.deciding import report_of
from cellops.flows.deployment_steps import take_steps
from cellops.flows.opening import unpacked
from cellops.packaging.deployment.trial import EndedError, Trial
from cellops.packaging.load import read_contract
from cellops.records.deployment import DeploymentReport, StepReport
from cellops.settings import Settings, load, prepare
from cellops.version import __version__

SECONDS = 3.0
MOST_SECONDS = 600


def _silent(_: object) -> None:
    pass


def try_deployment(
    package: Path | str,
    *,
    python: str | None = None,
    seconds: float = SECONDS,
    keep: bool = False,
    output: Path | None = None,
    on_stage: Callable[[str], None] = _silent,
    on_step: Callable[[StepReport], None] = _silent,
    settings: Settings | None = None,
) -> DeploymentReport:
    """Build a fresh environment of what serving a package needs, serve the package there, and ask it over the wire.

    The report is kept in `.cellops/deployment-tests`, where `promote` finds it by the digest of the package.

    Parameters
    ----------
    package
        The folder of the package, or its zip archive. A verified copy of it is what is tested.
    python
        The Python of the environment: a path, a command, or a version that uv finds. Default: as the run's.
    seconds
        How long it is asked as fast as it answers.
    keep
        Whether the environment stays for the next test; else it is deleted, unless it was there before.
    output
        A file for the report, besides.
    on_stage, on_step
        Told what takes a while, and each step when it has been taken.

    Raises
    ------
    NotFoundError, IntegrityError, SignatureError
        When there is no such package, it is not what was packaged, or no trusted key has signed it.
    UsageError
        When the time of the load is none, or the report cannot be written.
    """
    if not 0 < seconds <= MOST_SECONDS:
        fact = "The time of the load is none"
        raise UsageError(fact, received=seconds, remedy=f"Give seconds from above 0 to {MOST_SECONDS}")
    if output is not None and (output.is_dir() or not output.parent.is_dir()):
        fact = f"The report cannot be written to {output}"
        raise UsageError(fact, remedy="Give a file in a folder that is there, with --output")
    settings = settings or load()
    prepare(settings.folder)
    started, began = datetime.now(UTC), time.perf_counter()
    trial = Trial(on_stage, on_step)
    with terminable(), unpacked(Path(package), settings) as (copy, _), temporary_folder() as temporary:
        opened = read_contract(copy)
        with contextlib.suppress(EndedError):
            take_steps(trial, opened, temporary, python=python, seconds=seconds, keep=keep, settings=settings)
    report = DeploymentReport(
        package=opened.manifest.name,
        digest=opened.digest,
        run=opened.manifest.run,
        model_format=opened.provenance.model_format,
        cellops=__version__,
        platform=platform.platform(),
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - began, 3),
        steps=tuple(trial.steps),
        environment=trial.environment,
        parity=trial.parity,
        load=trial.load,
    )
    _keep(report, output, settings)
    return report


def refuse(report: DeploymentReport) -> None:
    """Raise the step that has failed.

    Raises
    ------
    DeploymentError
        With `data["step"]`, and in `data["log"]` the last lines of the installer or the server.
    """
    failed = report.failed
    if failed is not None:
        fact = f"The test deployment of {report.package} has failed at its step {failed.step}: {failed.said}"
        raise DeploymentError(fact, remedy=failed.remedy, step=failed.step, log=failed.log)


def _keep(report: DeploymentReport, output: Path | None, settings: Settings) -> None:
    """Keep the report where it is looked for, unless there was no environment: then nothing was tested."""
    content = report.to_pretty_json()
    if report.environment is not None:
        kept = report_of(report.digest, settings)
        kept.parent.mkdir(exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_bytes(content)
        part.replace(kept)
    if output is None:
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        fact = f"The report cannot be written to {output}: {error.strerror or error}"
        raise UsageError(fact, remedy="Choose another file with --output") from error
