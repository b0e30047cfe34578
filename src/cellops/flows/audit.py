"""What loading a package would run, held against the settings."""

from pathlib import Path

from cellops.records.audit import Audit
from cellops.settings import Settings, load


def audit(package: Path | str, *, settings: Settings | None = None) -> Audit:
    """Say what loading a package would run, without loading it, and whether the settings allow it.

    Parameters
    ----------
    package
        Its folder or its archive. Also a broken one: what is not what the manifest says is named first, and is not
        looked into.

    Raises
    ------
    NotFoundError
        When there is no such package.
    PackageError
        When it is neither a folder nor an archive.
    SettingsError
        When the trusted keys cannot be read.
    """
    from cellops.flows.opening import trusted_keys
    from cellops.packaging.audit.package import audit_package
    from cellops.packaging.formats import Trust

    settings = settings or load()
    trust = Trust(frozenset(settings.trusted), pickle=settings.allow_pickle)
    return audit_package(Path(package), trust, trusted_keys(settings))
