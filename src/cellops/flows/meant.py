"""Which version of a registered model a person means, and what stands behind it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cellops.errors import NotFoundError, PackageError, UsageError
from cellops.flows.gates import refuse
from cellops.flows.opening import open_package
from cellops.flows.package import carried, model_uri
from cellops.flows.runs import show
from cellops.records.registry import CHALLENGER, CHAMPION, RegisteredModel, RegisteredVersion
from cellops.records.run import RunStatus, RunSummary
from cellops.settings import Settings

if TYPE_CHECKING:
    from cellops.packaging.load import OpenedPackage
    from cellops.tracking.registry import Registry

ADDRESS = re.compile(r"models:/(?P<model>[^/@]+)(?:/(?P<version>\d+)|@(?P<alias>[^/@]+))")
"""As MLflow writes a version of a registered model."""
SCHEME = "models:"
MANIFEST, ARCHIVE = "manifest.json", ".zip"
"""By which a package is known, as a folder or as an archive."""


class Meant(NamedTuple):
    """A version, or what one can be made of."""

    model: str
    """The name of the registered model."""
    run: RunSummary
    registered: RegisteredModel | None = None
    version: RegisteredVersion | None = None
    """None where it is not registered yet."""
    package: "OpenedPackage | None" = None
    """Verified, where a package was named."""

    @property
    def digest(self) -> str | None:
        """The package that is known of it: the one that was named, else the one that was registered."""
        return self.package.digest if self.package else self.version.package if self.version else None


def meant(what: str, model: str | None, registry: "Registry", settings: Settings) -> Meant:
    """Find what a person means.

    Parameters
    ----------
    what
        A package's folder or zip archive, `models:/NAME/3`, `models:/NAME@champion`, `champion`, `challenger`, or a
        run.
    model
        The registered model; default is that of the address, else the name of the run's experiment.

    Raises
    ------
    UsageError
        When the name of the model is empty, or another one than that of the address, or the address is none.
    NotFoundError
        When there is no such version, run or package.
    IntegrityError, SignatureError
        When the package is not what was packaged, or no trusted key has signed it.
    PackageError
        When the package names no run.
    """
    if model is not None and not model.strip():
        fact = "The name of the registered model is empty"
        raise UsageError(fact, remedy="Give it a name, or leave --model out")
    address = ADDRESS.fullmatch(what)
    if address is None and what in {CHAMPION, CHALLENGER}:
        return _registered(model or settings.experiment, None, what, registry, settings)
    if address is not None:
        if model not in {None, address["model"]}:
            fact = f"{what} is no version of {model}"
            raise UsageError(fact, remedy="Leave --model out")
        return _registered(address["model"], address["version"], address["alias"], registry, settings)
    if what.startswith(SCHEME):
        fact = "This names no version of a registered model"
        raise UsageError(fact, received=what, remedy="Write models:/NAME/3 or models:/NAME@champion")
    package = _package(what, settings)
    try:
        run = _carried(what if package is None else _run_of(package), registry.settings)
    except NotFoundError as error:
        if package is None and Path(what).is_dir():
            fact = f"{error.fact}, and the folder of that name holds no package"
            raise NotFoundError(fact, remedy=error.remedy) from error
        raise
    name = model or run.experiment or settings.experiment
    registry.repair(name)
    held = registry.model(name)
    versions, uri = held.versions if held else (), next(filter(None, run.models.values()), None)
    own = [v for v in versions if v.mlflow_run_id == run.mlflow_run_id and v.source == uri]
    return Meant(name, run, held, own[-1] if own else None, package)


def require_good(found: Meant) -> None:
    """Refuse what nobody should register or promote.

    Raises
    ------
    PackageError
        When the run has not finished, or has no model.
    GateError
        When it has not passed a gate that it was held against.
    """
    run = found.run
    if run.status is not RunStatus.FINISHED:
        fact = f"The run {run.name} ({run.run[:8]}) is {run.status.lower()}"
        raise PackageError(fact, remedy="Choose one that has finished: cellops runs")
    refuse(run.gates)
    model_uri(run)


def registered(found: Meant) -> tuple[RegisteredModel, RegisteredVersion]:
    """The version with its model.

    Raises
    ------
    NotFoundError
        When it is not registered.
    """
    if found.registered is None or found.version is None:
        fact = f"The run {found.run.name} ({found.run.run[:8]}) is not registered as {found.model}"
        raise NotFoundError(fact, remedy="See what is: cellops models")
    return found.registered, found.version


def _registered(name: str, number: str | None, alias: str | None, registry: "Registry", settings: Settings) -> Meant:
    registry.repair(name)
    held = registry.model(name)
    if held is None:
        fact = f"There is no registered model {name}"
        raise NotFoundError(fact, remedy="See which there are with: cellops models")
    version = held.version(number) if number else held.of(alias or "")
    if version is None:
        fact = f"The model {name} has no version {number}" if number else f"The model {name} has no {alias}"
        raise NotFoundError(fact, remedy=f"See its versions with: cellops models {name}")
    if version.mlflow_run_id is None:
        fact = f"Version {version.version} of {name} comes from no run, so nothing is known of it"
        raise NotFoundError(fact, remedy="Register the model of a run: cellops register RUN")
    return Meant(name, _carried(version.mlflow_run_id, settings), held, version)


def _package(what: str, settings: Settings) -> "OpenedPackage | None":
    """A package, verified; None for what is not one: a run may be called as a folder is."""
    path = Path(what)
    is_one = (
        (path / MANIFEST).is_file()
        or (path.suffix == ARCHIVE and path.is_file())
        or (path.is_dir() and len(path.parts) > 1)
    )
    return open_package(path, settings) if is_one else None


def _run_of(package: "OpenedPackage") -> str:
    if package.manifest.run is None:
        fact = f"The package {package.manifest.name} names no run"
        raise PackageError(fact, remedy="Package the run anew: cellops package RUN")
    return package.manifest.run


def _carried(run: str, settings: Settings) -> RunSummary:
    """A run of the tracking store."""
    from cellops.tracking.store import Store

    summary = show(run, settings=settings)
    return summary if summary.synced else carried(Store(settings), summary)
