"""Packages as the settings allow them: every verb that opens one does it here, so that none forgets a check."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.settings import Settings

if TYPE_CHECKING:
    from cellops.packaging.load import LoadedPackage, OpenedPackage
    from cellops.packaging.manifest import Verified


def load_package(package: Path, settings: Settings) -> "LoadedPackage":
    """A package with its model.

    Parameters
    ----------
    package
        Its folder or its archive.

    Raises
    ------
    NotFoundError, SignatureError, IntegrityError, TrustError, PackageError
        As `packaging.load.load_package`.
    SettingsError
        When the trusted keys cannot be read.
    """
    return loader(settings)(package)


def loader(settings: Settings) -> "Callable[[Path], LoadedPackage]":
    """What loads packages as `load_package` does, also on another machine: the trusted keys have been read here.

    Raises
    ------
    SettingsError
        When they cannot be read.
    """
    from cellops.packaging.load import load_package as load

    return partial(
        load,
        trusted_types=settings.trusted,
        allow_pickle=settings.allow_pickle,
        trusted_keys=trusted_keys(settings),
    )


def open_package(package: Path, settings: Settings) -> "OpenedPackage":
    """A package without its model, from its folder or its archive.

    Raises
    ------
    NotFoundError, SignatureError, IntegrityError
        As `packaging.load.read_contract`.
    SettingsError
        When the trusted keys cannot be read.
    """
    from cellops.packaging.load import read_contract

    return read_contract(package, trusted_keys=trusted_keys(settings))


@contextmanager
def unpacked(package: Path, settings: Settings) -> Iterator[tuple[Path, "Verified"]]:
    """A verified copy of a package in a private folder that goes away, for what needs files rather than contents.

    Raises
    ------
    NotFoundError, SignatureError, IntegrityError, PackageError
        As `packaging.copying.unpacked`.
    SettingsError
        When the trusted keys cannot be read.
    """
    from cellops.packaging.copying import unpacked as copied

    with copied(package, trusted_keys=trusted_keys(settings)) as copy:
        yield copy


def trusted_keys(settings: Settings) -> tuple[bytes, ...]:
    """The public keys of which one must have signed a package; `SettingsError` when they cannot be read."""
    from cellops.packaging.signature import read_keys

    return read_keys(settings.trusted_keys, settings.project)
