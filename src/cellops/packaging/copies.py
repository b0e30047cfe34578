"""A package copied to a folder or to any address that fsspec takes, and proven to have arrived as it was."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from cellops.errors import PackageError
from cellops.packaging.layout import MANIFEST
from cellops.packaging.load import OpenedPackage
from cellops.packaging.manifest import verify
from cellops.settings import without_credentials

DIGITS = 16
"""Of the digest, in the name of the folder: copies of different packages of one name stand beside each other."""


def copy_package(package: OpenedPackage, place: str) -> str:
    """Copy a verified package below `place`, into a folder that is called as the package and its digest.

    The manifest is written last: what was stopped in the middle is no package, and the next call writes it whole.

    Returns
    -------
    str
        Where the copy lies, without credentials.

    Raises
    ------
    PackageError
        When it cannot be written, or something else lies there, or what has arrived is not the package.
    """
    name = f"{package.manifest.name}-{package.digest[:DIGITS]}"
    return _to_address(package, place, name) if "://" in place else _to_folder(package, Path(place), name)


def _to_folder(package: OpenedPackage, place: Path, name: str) -> str:
    target = place.expanduser().resolve() / name
    try:
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".cellops-", dir=target.parent) as temporary:
                made = Path(temporary) / name
                for path in _paths(package):
                    (made / path).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(package.path / path, made / path)
                if verify(made).digest != package.digest:
                    raise _changed(package)
                _flush(made)
                made.rename(target)
    except OSError as error:
        raise _unwritable(str(target.parent), error) from error
    if verify(target).digest != package.digest:
        fact = f"{target} is already there, and is not this package"
        raise PackageError(fact, remedy="Choose another place with --to")
    return str(target)


def _to_address(package: OpenedPackage, place: str, name: str) -> str:
    public = without_credentials(place).rstrip("/")
    try:
        files, root = _opened(place, public)
        root = f"{root.rstrip('/')}/{name}"
        expected = {file.path: file.sha256 for file in package.manifest.files} | {MANIFEST: package.digest}
        if not _is_there(files, f"{root}/{MANIFEST}", package.digest):
            for path in _paths(package):
                files.makedirs(f"{root}/{path}".rpartition("/")[0], exist_ok=True)
                files.put_file(str(package.path / path), f"{root}/{path}")
        other = [path for path, digest in expected.items() if not _is_there(files, f"{root}/{path}", digest)]
    except PackageError:
        raise
    except Exception as error:
        raise _unwritable(public, error) from error
    if other:
        fact = f"{other[0]} in {public}/{name} is not what was packaged"
        raise PackageError(fact, remedy="Delete that folder, and archive again", path=other[0])
    return f"{public}/{name}"


def _opened(place: str, public: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs

        files, root = url_to_fs(place, use_listings_cache=False, skip_instance_cache=True)
    except ImportError as error:
        fact = f"{public} is reached by fsspec, and it or a driver for such addresses is not installed: {error}"
        raise PackageError(fact, remedy='Run: pip install "cellops[store]", and the driver, such as s3fs') from error
    return files, root


def _is_there(files: Any, path: str, digest: str) -> bool:
    """Whether a file holds what it should, read again from where it was written to."""
    try:
        with files.open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except FileNotFoundError:
        return False


def _paths(package: OpenedPackage) -> list[str]:
    return [*(file.path for file in package.manifest.files), MANIFEST]


def _flush(folder: Path) -> None:
    """Have the system write it to the disk: the archive may be the only copy."""
    if os.name != "posix":
        return
    for path in (*folder.rglob("*"), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _changed(package: OpenedPackage) -> PackageError:
    fact = f"The package {package.path.name} has changed while it was copied"
    return PackageError(fact, remedy="Archive it again")


def _unwritable(place: str, error: Exception) -> PackageError:
    said = without_credentials(str(getattr(error, "strerror", None) or error))[:200]
    fact = f"The package cannot be copied to {place}: {said}"
    return PackageError(fact, remedy="Choose a place where you may write, with --to")
