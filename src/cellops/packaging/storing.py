"""A package as one file in a folder, or at any address that fsspec takes, proven to have arrived as it was."""

import hashlib
import uuid
from pathlib import Path
from typing import Any

from cellops.capture.temporary import temporary_folder
from cellops.errors import PackageError
from cellops.packaging.copying import pack
from cellops.packaging.load import OpenedPackage
from cellops.packaging.manifest import verify
from cellops.settings import without_credentials

DIGITS = 16
"""Of the digest, in the name of the file: different packages of one name stand beside each other."""
OBJECTS = frozenset({"abfs", "abfss", "adl", "az", "gcs", "gs", "oci", "oss", "s3", "s3a"})
"""Where an object is there in whole or not at all; elsewhere a file is moved to its name at the end."""


def store_package(package: OpenedPackage, place: str) -> str:
    """Write a package as a zip archive into `place`, under its name and the beginning of its digest.

    Its files are checked as they are read, and what has been written is read again. One that is there already is kept.

    Parameters
    ----------
    place
        A folder, or an address as fsspec takes it.

    Returns
    -------
    str
        Where the archive lies, without credentials.

    Raises
    ------
    IntegrityError
        When the files of the package are not those of its manifest any more.
    PackageError
        When it cannot be written, or something else lies there.
    """
    name = f"{package.manifest.name}-{package.digest[:DIGITS]}.zip"
    return _to_address(package, place, name) if "://" in place else _to_folder(package, Path(place), name)


def _to_folder(package: OpenedPackage, place: Path, name: str) -> str:
    target = place.expanduser().resolve() / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            pack(package.path, target, digest=package.digest)
    except OSError as error:
        raise _unwritable(str(target.parent), error) from error
    there, here = verify(target), verify(package.path)
    if (there.digest, there.signatures) != (package.digest, here.signatures):
        raise _other(str(target))
    return str(target)


def _to_address(package: OpenedPackage, place: str, name: str) -> str:
    public = f"{without_credentials(place).rstrip('/')}/{name}"
    with temporary_folder() as temporary:
        packed = temporary / name
        try:
            pack(package.path, packed, digest=package.digest)
            files, root = _opened(place, public)
            path = f"{root.rstrip('/')}/{name}"
            if not files.exists(path):
                _write(files, packed, path)
            with files.open(path, "rb") as there, packed.open("rb") as here:
                is_same = hashlib.file_digest(there, "sha256").digest() == hashlib.file_digest(here, "sha256").digest()
        except PackageError:
            raise
        except Exception as error:  # drivers raise errors of their own
            raise _unwritable(public, error) from error
    if not is_same:
        raise _other(public)
    return public


def _other(place: str) -> PackageError:
    fact = f"{place} is already there, and is not this package with these signatures"
    return PackageError(fact, remedy="Delete it, or choose another place with --to")


def _write(files: Any, packed: Path, path: str) -> None:
    protocols = {files.protocol} if isinstance(files.protocol, str) else {*files.protocol}
    if OBJECTS & protocols:
        files.put_file(str(packed), path)
        return
    files.makedirs(path.rpartition("/")[0], exist_ok=True)
    part = f"{path}.{uuid.uuid4().hex}.part"
    files.put_file(str(packed), part)
    files.mv(part, path)


def _opened(place: str, public: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs

        files, root = url_to_fs(place, use_listings_cache=False, skip_instance_cache=True)
    except ImportError as error:
        fact = f"{public} is reached by fsspec, and it or a driver for such addresses is not installed: {error}"
        raise PackageError(fact, remedy='Run: pip install "cellops[store]", and the driver, such as s3fs') from error
    return files, root


def _unwritable(place: str, error: Exception) -> PackageError:
    said = without_credentials(str(getattr(error, "strerror", None) or error))[:200]
    fact = f"The package cannot be written to {place}: {said}"
    return PackageError(fact, remedy="Choose a place where you may write, with --to")
