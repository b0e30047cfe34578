"""The manifest: every file of a package with its size and SHA-256, checked before anything else is read."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

from cellops.errors import IntegrityError, NotFoundError
from cellops.packaging.layout import MANIFEST
from cellops.records.package import FileDigest, Manifest

VERSION = 1
LARGEST_MANIFEST = 4_000_000
"""In bytes: some twenty thousand files."""


def write(folder: Path, name: str, run: str | None) -> Manifest:
    """List every file under `folder` in its manifest.

    Raises
    ------
    IntegrityError
        When the folder holds something other than files and folders.
    """
    files = tuple(_digest(folder, path) for path in sorted(_walk(folder)) if path != MANIFEST)
    manifest = Manifest(version=VERSION, name=name, run=run, files=files)
    (folder / MANIFEST).write_bytes(manifest.to_pretty_json())
    return manifest


def verify(folder: Path) -> tuple[Manifest, str]:
    """Check that the files under `folder` are those that its manifest lists, byte for byte.

    Returns
    -------
    Manifest
        What was listed.
    str
        The SHA-256 of the manifest itself, which stands for the whole package.

    Raises
    ------
    NotFoundError
        When there is no such folder.
    IntegrityError
        For a file that is missing, extra, changed, a link, or listed under a path that leaves the folder;
        `data["path"]` names it.
    """
    if not folder.is_dir():
        fact = f"There is no package at {folder}"
        raise NotFoundError(fact, remedy="Give the folder that `cellops package` wrote")
    content = _manifest_bytes(folder)
    try:
        manifest = Manifest.from_json(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _broken(MANIFEST, f"cannot be read ({error})") from error
    if manifest.version != VERSION:
        raise _broken(MANIFEST, f"is of version {manifest.version}, where this cellops reads version {VERSION}")
    listed = _listed(manifest)
    found = set(_walk(folder)) - {MANIFEST}
    for path in sorted(listed.keys() - found):
        raise _broken(path, "is missing")
    for path in sorted(found - listed.keys()):
        raise _broken(path, "is not in the manifest")
    for path, expected in listed.items():
        if (folder / path).stat().st_size != expected.size or _digest(folder, path) != expected:
            raise _broken(path, "is not the file that was packaged")
    return manifest, hashlib.sha256(content).hexdigest()


def _manifest_bytes(folder: Path) -> bytes:
    path = folder / MANIFEST
    try:
        status = path.lstat()
    except FileNotFoundError as error:
        raise _broken(MANIFEST, "is missing") from error
    if not stat.S_ISREG(status.st_mode):
        raise _broken(MANIFEST, "is not a file")
    if status.st_size > LARGEST_MANIFEST:
        raise _broken(MANIFEST, f"has {status.st_size} bytes, more than the {LARGEST_MANIFEST} of any real package")
    return path.read_bytes()


def _listed(manifest: Manifest) -> dict[str, FileDigest]:
    listed: dict[str, FileDigest] = {}
    for file in manifest.files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or "\\" in file.path or str(path) != file.path:
            raise _broken(file.path, "is listed under a path that is not plain and inside the package")
        if file.path in listed:
            raise _broken(file.path, "is listed twice")
        listed[file.path] = file
    return listed


def _walk(folder: Path, inside: str = "") -> Iterator[str]:
    """Paths of all files, relative, with forward slashes; links are never followed."""
    with os.scandir(folder / inside) as entries:
        for entry in entries:
            path = f"{inside}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(folder, f"{path}/")
            elif entry.is_file(follow_symlinks=False):
                yield path
            else:
                raise _broken(path, "is a link or a special file")


def _digest(folder: Path, path: str) -> FileDigest:
    with (folder / path).open("rb") as file:
        return FileDigest(
            path=path, sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=os.fstat(file.fileno()).st_size
        )


def _broken(path: str, what: str) -> IntegrityError:
    fact = f"{path} {what}"
    return IntegrityError(fact, remedy="Do not use this package; build or copy it again", path=path)
