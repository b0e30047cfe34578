"""A package tried as it will be deployed: fresh environment, server, parity over the wire, load, stop; and a report."""

import contextlib
import platform
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cellops.capture.environment.processes import terminable
from cellops.errors import DeploymentError, PackageError, UsageError
from cellops.flows.deciding import report_of
from cellops.flows.opening import unpacked
from cellops.packaging.deployment.environment import PLACE, Fresh, environment
from cellops.packaging.deployment.load import PATH, load
from cellops.packaging.deployment.server import Server, serving, stop
from cellops.packaging.deployment.trial import EndedError, Trial
from cellops.packaging.deployment.wire import ask_all, single_rows
from cellops.packaging.layout import ENVIRONMENT, SERVING
from cellops.packaging.load import OpenedPackage, read_contract
from cellops.packaging.manifest import verify
from cellops.records.deployment import BuiltEnvironment, DeploymentReport, DeploymentStep, StepReport
from cellops.settings import Settings, prepare
from cellops.settings import load as load_settings
from cellops.version import __version__

SECONDS = 3.0
MOST_SECONDS = 600
ANEW = "Package the run anew: cellops package RUN"


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
    """Build a fresh environment from a package's lock, serve the package there, and ask it over the wire.

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
    settings = settings or load_settings()
    prepare(settings.folder)
    started, began = datetime.now(UTC), time.perf_counter()
    trial = Trial(on_stage, on_step)
    with (
        terminable(),
        unpacked(Path(package), settings) as (copy, _),
        contextlib.suppress(EndedError),
        tempfile.TemporaryDirectory() as temporary,
    ):
        opened = read_contract(copy)
        with trial.step(DeploymentStep.PACKAGE) as said:
            content = verify(opened.path, wanted=(ENVIRONMENT, SERVING)).content
            size = sum(file.size for file in opened.manifest.files)
            said.append(f"{len(opened.manifest.files)} files, {size / 1e6:.1f} MB, digest {opened.digest[:12]}")
        fresh = environment(
            content,
            settings.folder / PLACE,
            project=settings.project,
            python=python,
            keep=keep,
            on_stage=on_stage,
        )
        with contextlib.ExitStack() as open_things:
            with trial.step(DeploymentStep.ENVIRONMENT) as said:
                built = open_things.enter_context(fresh)
                trial.environment = built.about
                said.append(_of_environment(built.about))
            _serve(trial, opened, built, Path(temporary), seconds=seconds, settings=settings)
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


def _serve(
    trial: Trial,
    package: OpenedPackage,
    built: Fresh,
    folder: Path,
    *,
    seconds: float,
    settings: Settings,
) -> None:
    """The steps that need a server."""
    own = folder / "cellops"
    begin = serving(built.python, package.path, project=settings.project, folder=own, settings=_told(settings))
    with contextlib.ExitStack() as open_things:
        trial.on_stage("Starting the server there")
        with trial.step(DeploymentStep.START) as said:
            began = time.perf_counter()
            server = open_things.enter_context(begin)
            said.append(f"ready after {time.perf_counter() - began:.1f} s, its own parity rows agree")
        with trial.step(DeploymentStep.PARITY) as said:
            _ask(trial, server, package, said)
        trial.on_stage(f"Asking single rows for {seconds:g} s")
        with trial.step(DeploymentStep.LOAD) as said:
            _load(trial, server, package, seconds, said)
        trial.on_stage("Stopping the server by SIGTERM")
        with trial.step(DeploymentStep.STOP) as said:
            stop(server, PATH, single_rows(package.contract)[0])
            said.append(_drained(own / "log", trial.answered + 1, server))


def _ask(trial: Trial, server: Server, package: OpenedPackage, said: list[str]) -> None:
    try:
        with server.wire() as wire:
            trial.parity = ask_all(wire, package.manifest.name, package.contract)
    except PackageError as error:
        raise server.failure(DeploymentStep.PARITY, error.fact, error.remedy) from error
    except (OSError, KeyError, TypeError, ValueError) as error:
        fact = f"The server does not answer the parity rows: {type(error).__name__} {error}"
        raise server.failure(DeploymentStep.PARITY, fact, ANEW) from error
    trial.answered += sum(one.rows for one in trial.parity)
    wrong = [one for one in trial.parity if one.different]
    if wrong:
        first = wrong[0]
        fact = f"Over {first.protocol} parity row {first.different[0]} is answered otherwise than in training"
        remedy = "The distributions of the lock do not compute what those of the run did: package the run anew"
        raise server.failure(DeploymentStep.PARITY, fact, remedy)
    largest = max(one.largest for one in trial.parity)
    rows, protocols = trial.parity[0].rows, ", ".join(one.protocol for one in trial.parity)
    said.append(f"{rows} rows agree over {protocols}; largest difference {largest:.3g}")


def _load(trial: Trial, server: Server, package: OpenedPackage, seconds: float, said: list[str]) -> None:
    trial.load, answered = load(server.wire, single_rows(package.contract), seconds)
    trial.answered += answered
    if trial.load.errors or not answered:
        fact = f"{trial.load.errors} requests failed, beside {answered} that were answered"
        raise server.failure(DeploymentStep.LOAD, fact, "See the server's log, and its limits in the settings")
    figures = trial.load
    said.append(
        f"{figures.requests_per_second:,.0f} requests/s, p50 {figures.p50_ms:.1f} ms, p99 {figures.p99_ms:.1f} ms"
        f" ({figures.connections} connections from this machine: indicative)"
    )


def _drained(log: Path, asked: int, server: Server) -> str:
    """Whether all that was answered stands in the prediction log, once the server has ended."""
    from cellops.monitoring import prediction_log

    logged = len(prediction_log.read(log))
    if logged != asked:
        fact = f"The server has answered {asked} rows, and its prediction log holds {logged}"
        raise server.failure(DeploymentStep.STOP, fact, "See the server's log, and whether the disk is full")
    return f"the request under way was answered, exit code 0, all {asked:,} rows are in the prediction log"


def _told(settings: Settings) -> dict[str, str]:
    """What of these settings the server must know, however they were given."""
    told = {"CELLOPS_PROJECT": str(settings.project), "CELLOPS_ALLOW_PICKLE": str(settings.allow_pickle).lower()}
    told["CELLOPS_ALLOW_CODE"] = str(settings.allow_code).lower()
    told["CELLOPS_TRUSTED_KEYS"] = ",".join(settings.trusted_keys)
    return told | {"CELLOPS_TRUSTED_TYPES": ",".join(settings.trusted_types)}


def _of_environment(about: BuiltEnvironment) -> str:
    again = ", the one of an earlier test" if about.reused else f" by {about.installer}"
    return f"Python {about.python}, {about.distributions} distributions{again}"


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
