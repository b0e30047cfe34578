"""The manifest: every file of a package with its size and SHA-256, checked before anything else is read."""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Protocol

import msgspec

from cellops.errors import PackageError
from cellops.packaging.contents import Contents, contents
from cellops.packaging.folder import Folder
from cellops.packaging.layout import MANIFEST, SIGNATURE
from cellops.packaging.paths import absent, broken, require_plain, unlisted
from cellops.packaging.signature import LARGEST_SIGNATURE, read_signatures, require_signed
from cellops.records.package import FileDigest, Manifest

VERSION = 1
LARGEST_MANIFEST = 4_000_000
"""In bytes: some twenty thousand files."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What a package can be called: its name becomes part of folders and addresses."""
UNLISTED = frozenset({MANIFEST, SIGNATURE})
"""What no manifest lists: itself, and what was signed when it was complete."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Verified:
    """A package whose files are those of its manifest."""

    manifest: Manifest
    digest: str
    """SHA-256 of the manifest, which stands for the whole package."""
    content: Mapping[str, bytes]
    """What the wanted files hold: the very bytes that were digested."""
    signatures: bytes | None = None
    """What stands beside the manifest as signatures. Nobody has looked at it where no keys are trusted."""


class Writable(Protocol):
    def write(self, content: bytes | memoryview, /) -> int: ...


class Target(Protocol):
    """Where the files of a package are copied to while they are verified."""

    def create(self, name: str) -> AbstractContextManager[Writable]:
        """A new file to write to."""


def plain_name(text: str) -> str:
    """The name nearest to a text that a package can be called.

    >>> plain_name("../Späte Flüge"), plain_name("…")
    ('Sp-te-Fl-ge', 'model')
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-_")[:128] or "model"


def require_name(name: str) -> None:
    """A package's name becomes part of folders and addresses.

    Raises
    ------
    PackageError
        When no package can be called so.
    """
    if not NAME.fullmatch(name):
        fact = "A package's name is of letters, digits, dots, underscores and hyphens, 128 at most, no mark first"
        raise PackageError(fact, received=name, remedy=f"Call it {plain_name(name)}")


def write(folder: Path, name: str, run: str | None) -> Manifest:
    """List every file under `folder` in its manifest.

    Raises
    ------
    PackageError
        When a package cannot be called so.
    IntegrityError
        When the folder holds something other than files and folders of plain names.
    """
    require_name(name)
    held = Folder(folder)
    files = tuple(_digest(held, path) for path in sorted(held.names()) if path not in UNLISTED)
    manifest = Manifest(version=VERSION, name=name, run=run, files=files)
    listed_files(manifest)
    (folder / MANIFEST).write_bytes(manifest.to_pretty_json())
    return manifest


def verify(
    package: Path,
    wanted: Collection[str] = (),
    *,
    trusted_keys: Collection[bytes] = (),
    target: Target | None = None,
) -> Verified:
    """Check that the files of a package are those that its manifest lists, byte for byte.

    Parameters
    ----------
    package
        Its folder or its archive.
    wanted
        Paths of the files whose content is given back, where they are there. Reading them again could give another.
    trusted_keys
        Public keys, of which one must have signed the manifest. Where there are none, nobody needs to have signed it.
    target
        Gets a copy of the manifest and of each file of it; what it got is worth nothing before this returns.

    Raises
    ------
    NotFoundError
        When there is no such package.
    SignatureError
        When no trusted key has signed it, before its manifest is parsed.
    IntegrityError
        For a file that is missing, extra, changed, a link, or listed under a path that leaves the folder;
        `data["path"]` names it.
    """
    with contents(package) as held:
        said = bounded(held, MANIFEST, LARGEST_MANIFEST)
        digest = hashlib.sha256(said).hexdigest()
        found = set(held.names())
        signed = bounded(held, SIGNATURE, LARGEST_SIGNATURE) if SIGNATURE in found else None
        if trusted_keys:
            require_signed(digest, read_signatures(signed), trusted_keys)
        manifest = read_manifest(said)
        listed = listed_files(manifest)
        for path in sorted(listed.keys() - found):
            raise absent(path)
        for path in sorted(found - listed.keys() - UNLISTED):
            raise unlisted(path)
        if target is not None:
            with target.create(MANIFEST) as file:
                file.write(said)
        kept = {
            path: content
            for path, expected in listed.items()
            if (content := unchanged(held, expected, keep=path in wanted, target=target)) is not None
        }
    return Verified(manifest, digest, kept, signed)


def read_manifest(content: bytes) -> Manifest:
    """The manifest in the bytes of its file.

    Raises
    ------
    IntegrityError
        When it is none, or one of another version.
    """
    try:
        manifest = Manifest.from_json(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise broken(MANIFEST, f"cannot be read ({error})") from error
    if manifest.version != VERSION:
        raise broken(MANIFEST, f"is of version {manifest.version}, where this cellops reads version {VERSION}")
    if not NAME.fullmatch(manifest.name):
        raise broken(MANIFEST, f"gives the package a name that it cannot have: {manifest.name[:50]!r}")
    return manifest


def unchanged(held: Contents, expected: FileDigest, *, keep: bool, target: Target | None = None) -> bytes | None:
    """Read a file once, and refuse one that is not what it was; its content where it is to be kept.

    Raises
    ------
    IntegrityError
        Naming it.
    """
    file, size = held.open(expected.path)
    if size != expected.size:
        file.close()
        raise broken(expected.path, "is not the file that was packaged")
    with file, nullcontext() if target is None else target.create(expected.path) as copy:
        digest, content = hashlib.sha256(), None
        if keep:
            content = file.read(expected.size + 1)
        for chunk in _chunks(file, expected.size) if content is None else (content,):
            digest.update(chunk)
            if copy is not None:
                copy.write(chunk)
    if digest.hexdigest() != expected.sha256:
        raise broken(expected.path, "is not the file that was packaged")
    return content


def _chunks(file: BufferedReader, size: int) -> Iterator[memoryview]:
    """The content of a file, and one byte of what is behind it, if there is more; one that grows comes to an end.

    Each chunk is gone with the next: they share their memory.
    """
    left = size + 1
    view = memoryview(bytearray(min(CHUNK, left)))
    while left and (count := file.readinto(view[:left])):
        left -= count
        yield view[:count]


def bounded(held: Contents, path: str, most: int) -> bytes:
    """The whole of a small file that no digest speaks of.

    Raises
    ------
    IntegrityError
        When it is not there or larger.
    """
    file, size = held.open(path)
    with file:
        content = b"" if size > most else file.read(most + 1)
    if max(size, len(content)) > most:
        raise broken(path, f"has {size} bytes, more than the {most} of any real package")
    return content


def listed_files(manifest: Manifest) -> dict[str, FileDigest]:
    """The files of a manifest by their paths.

    Raises
    ------
    IntegrityError
        When a path is not plain, or there twice.
    """
    for file in manifest.files:
        if file.path in UNLISTED:
            raise broken(file.path, "is listed twice")
    require_plain(file.path for file in manifest.files)
    return {file.path: file for file in manifest.files}


def _digest(folder: Folder, path: str) -> FileDigest:
    file, size = folder.open(path)
    digest = hashlib.sha256()
    with file:
        for chunk in _chunks(file, size):
            digest.update(chunk)
    return FileDigest(path=path, sha256=digest.hexdigest(), size=size)
