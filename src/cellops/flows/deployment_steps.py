"""The steps of a test deployment: package, fresh environment, server, parity over the wire, load, stop."""

import contextlib
import time
from pathlib import Path

from cellops.errors import PackageError
from cellops.packaging.deployment.environment import PLACE, Fresh, environment
from cellops.packaging.deployment.load import PATH, load
from cellops.packaging.deployment.server import Server, serving, stop
from cellops.packaging.deployment.trial import Trial
from cellops.packaging.deployment.wire import ask_all, single_rows
from cellops.packaging.layout import ENVIRONMENT, SERVING
from cellops.packaging.load import OpenedPackage
from cellops.packaging.manifest import verify
from cellops.records.deployment import BuiltEnvironment, DeploymentStep
from cellops.settings import Settings

ANEW = "Package the run anew: cellops package RUN"


def take_steps(
    trial: Trial,
    package: OpenedPackage,
    folder: Path,
    *,
    python: str | None,
    seconds: float,
    keep: bool,
    settings: Settings,
) -> None:
    """Take one step after the other.

    Parameters
    ----------
    folder
        A temporary folder for what the server keeps.
    python, seconds, keep
        As for `try_deployment`.

    Raises
    ------
    EndedError
        When one has failed, which then stands in the trial.
    """
    with trial.step(DeploymentStep.PACKAGE) as said:
        content = verify(package.path, wanted=(ENVIRONMENT, SERVING)).content
        size = sum(file.size for file in package.manifest.files)
        said.append(f"{len(package.manifest.files)} files, {size / 1e6:.1f} MB, digest {package.digest[:12]}")
    place = settings.folder / PLACE
    fresh = environment(content, place, project=settings.project, python=python, keep=keep, on_stage=trial.on_stage)
    with contextlib.ExitStack() as open_things:
        with trial.step(DeploymentStep.ENVIRONMENT) as said:
            built = open_things.enter_context(fresh)
            trial.environment = built.about
            said.append(_of_environment(built.about))
        _serve(trial, package, built, folder, seconds=seconds, settings=settings)


def _serve(
    trial: Trial, package: OpenedPackage, built: Fresh, folder: Path, *, seconds: float, settings: Settings
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
