"""The manifest: every file of a package with its size and SHA-256, checked before anything else is read."""

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from cellops.errors import IntegrityError, NotFoundError, PackageError
from cellops.packaging.layout import MANIFEST
from cellops.records.package import FileDigest, Manifest

VERSION = 1
LARGEST_MANIFEST = 4_000_000
"""In bytes: some twenty thousand files."""
DEEPEST = 64
"""Folders inside of each other."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What a package can be called: its name becomes part of folders and addresses."""
NOT_PLAIN = re.compile(r'[\\:*?"<>|\x00-\x1f\x7f]|[. ](/|$)|(^|/)(con|prn|aux|nul|com\d|lpt\d)(\.|/|$)', re.IGNORECASE)
"""Paths that are no file, or another one, on some system: other separators, devices, endings that are dropped."""


@dataclass(frozen=True)
class Verified:
    """A package whose files are those of its manifest."""

    manifest: Manifest
    digest: str
    """SHA-256 of the manifest, which stands for the whole package."""
    content: Mapping[str, bytes]
    """What the wanted files hold: the very bytes that were digested."""


def plain_name(text: str) -> str:
    """The name nearest to a text that a package can be called.

    >>> plain_name("../Späte Flüge"), plain_name("…")
    ('Sp-te-Fl-ge', 'model')
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-_")[:128] or "model"


def write(folder: Path, name: str, run: str | None) -> Manifest:
    """List every file under `folder` in its manifest.

    Raises
    ------
    PackageError
        When a package cannot be called so.
    IntegrityError
        When the folder holds something other than files and folders of plain names.
    """
    if not NAME.fullmatch(name):
        fact = "A package's name is of letters, digits, dots, underscores and hyphens, 128 at most, no mark first"
        raise PackageError(fact, received=name, remedy=f"Call it {plain_name(name)}")
    files = tuple(_digest(folder, path) for path in sorted(_walk(folder)) if path != MANIFEST)
    manifest = Manifest(version=VERSION, name=name, run=run, files=files)
    _listed(manifest)
    (folder / MANIFEST).write_bytes(manifest.to_pretty_json())
    return manifest


def verify(folder: Path, wanted: Collection[str] = ()) -> Verified:
    """Check that the files under `folder` are those that its manifest lists, byte for byte.

    Parameters
    ----------
    wanted
        Paths of the files whose content is given back, where they are there. Reading them again could give another.

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
    folder = folder.resolve()
    content = _manifest_bytes(folder)
    try:
        manifest = Manifest.from_json(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _broken(MANIFEST, f"cannot be read ({error})") from error
    if manifest.version != VERSION:
        raise _broken(MANIFEST, f"is of version {manifest.version}, where this cellops reads version {VERSION}")
    if not NAME.fullmatch(manifest.name):
        raise _broken(MANIFEST, f"gives the package a name that it cannot have: {manifest.name[:50]!r}")
    listed = _listed(manifest)
    found = set(_walk(folder)) - {MANIFEST}
    for path in sorted(listed.keys() - found):
        raise _broken(path, "is missing")
    for path in sorted(found - listed.keys()):
        raise _broken(path, "is not in the manifest")
    held = {path: _unchanged(folder, expected, keep=path in wanted) for path, expected in listed.items()}
    kept = {path: data for path, data in held.items() if path in wanted}
    return Verified(manifest, hashlib.sha256(content).hexdigest(), kept)


def _unchanged(folder: Path, expected: FileDigest, *, keep: bool) -> bytes:
    """The content of a file that is to be kept, once it is what it was; nothing for one that is only checked."""
    with (folder / expected.path).open("rb") as file:
        if os.fstat(file.fileno()).st_size != expected.size:
            raise _broken(expected.path, "is not the file that was packaged")
        content = file.read(expected.size) if keep else b""
        digest = hashlib.sha256(content) if keep else hashlib.file_digest(file, "sha256")
    if digest.hexdigest() != expected.sha256:
        raise _broken(expected.path, "is not the file that was packaged")
    return content


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
    spelt: dict[str, str] = {}
    for file in manifest.files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or str(path) != file.path or NOT_PLAIN.search(file.path):
            raise _broken(file.path, "is listed under a path that is not plain and inside the package")
        if file.path in listed or file.path == MANIFEST:
            raise _broken(file.path, "is listed twice")
        for part in (path, *path.parents):
            if spelt.setdefault(str(part).casefold(), str(part)) != str(part):
                raise _broken(file.path, "differs from another path in upper and lower case only")
        listed[file.path] = file
    return listed


def _walk(folder: Path) -> Iterator[str]:
    """Paths of all files, relative, with forward slashes; links are never followed."""
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        if inside.count("/") > DEEPEST:
            raise _broken(inside, f"lies deeper than the {DEEPEST} folders of any real package")
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                path = f"{inside}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{path}/")
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
