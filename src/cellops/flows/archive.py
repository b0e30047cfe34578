"""A version's package goes into the archive."""

from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.environment.processes import terminable
from cellops.errors import CellopsError, NotFoundError, RegistryError
from cellops.flows.deciding import decision
from cellops.flows.meant import Meant, meant, registered
from cellops.flows.opening import open_package
from cellops.records.registry import CHALLENGER, CHAMPION, Decided, RegisteredVersion, Stage
from cellops.settings import Settings, load, prepare
from cellops.tracking.registry import Registry

if TYPE_CHECKING:
    from cellops.packaging.load import OpenedPackage


def archive(
    what: str,
    *,
    to: str | None = None,
    model: str | None = None,
    reason: str = "",
    settings: Settings | None = None,
) -> Decided:
    """Put the package of a version into the archive as a zip file, check it there, and mark the version `archived`.

    Doing it twice is as doing it once.

    Parameters
    ----------
    what
        A package, as a folder or a zip archive; else a version or a run, whose package is looked for in
        `.cellops/packages` by its digest.
    to
        A folder, or an address as fsspec takes it; default is the setting `archive`, else `.cellops/archive`.
    model
        The registered model. Default: the one that has the name of the run's experiment.
    reason
        What is to be remembered with the decision.

    Raises
    ------
    NotFoundError, IntegrityError
        When there is no such version or package, or the package is not what was packaged.
    PackageError
        When it cannot be written, or something else lies there.
    RegistryError
        When the version is the champion, has another package, or somebody is changing the model.
    TrackingError
        When the tracking store does not answer, or refuses it.
    """
    from cellops.packaging.storing import store_package

    settings = settings or load()
    registry = Registry(settings)
    found = meant(what, model, registry, settings)
    held, version = registered(found)
    _require_retired(version)
    package = found.package or package_of(version, settings)
    if version.package not in {None, package.digest}:
        fact = f"Version {version.version} of {version.model} has another package than {what}"
        raise RegistryError(fact, remedy=f"Its package has the digest {version.package}", model=version.model)
    place = to or settings.archive or str(prepare(settings.folder) / "archive")
    with terminable():
        stored = store_package(package, place)
    if version.stage is Stage.ARCHIVED and version.archive == _shown(stored, settings):
        return Decided(version=version, decision=None)
    made = decision(
        "archive",
        Meant(found.model, found.run, held, version, package),
        version,
        settings,
        stage=Stage.ARCHIVED,
        aliases={CHALLENGER: None},
        archive=_shown(stored, settings),
        reason=reason,
    )
    return Decided(version=registry.decide(held, made), decision=made)


def _require_retired(version: RegisteredVersion) -> None:
    if version.stage is Stage.PRODUCTION or CHAMPION in version.aliases:
        fact = f"Version {version.version} of {version.model} is the champion"
        raise RegistryError(fact, remedy=f"Retire it first: cellops retire models:/{version.model}/{version.version}")


def package_of(version: RegisteredVersion, settings: Settings) -> "OpenedPackage":
    """The package of a version among those that were built here.

    Raises
    ------
    NotFoundError
        When it is not among them.
    """
    for folder in sorted((settings.folder / "packages").glob("*")):
        try:
            package = open_package(folder, settings)
        except CellopsError:
            continue
        if package.digest == version.package:
            return package
    known = f"with the digest {version.package[:16]} " if version.package else ""
    fact = f"The package {known}of version {version.version} of {version.model} is not in {settings.folder}/packages"
    raise NotFoundError(fact, remedy="Give its folder: cellops archive PACKAGE")


def _shown(stored: str, settings: Settings) -> str:
    """Where an archive lies; inside of the project from there on, as a registry says nothing of the machine."""
    path = Path(stored)
    if "://" not in stored and path.is_relative_to(settings.project):
        return path.relative_to(settings.project).as_posix()
    return stored
