"""The files of a package, also of a broken one: those that are what the manifest says, and why others are not."""

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cellops.errors import CellopsError, IntegrityError, PackageError, SignatureError
from cellops.packaging.contents import Contents, contents
from cellops.packaging.layout import MANIFEST, SIGNATURE
from cellops.packaging.manifest import LARGEST_MANIFEST, UNLISTED, bounded, listed_files, read_manifest, unchanged
from cellops.packaging.paths import absent, unlisted
from cellops.packaging.signature import LARGEST_SIGNATURE, read_signatures, require_signed
from cellops.records.package import Manifest, Signatures


@dataclass
class Found:
    """What is there of a package."""

    problems: list[CellopsError] = field(default_factory=list)
    """Why it is not what its manifest says; where nobody trusted has signed it, that alone."""
    digest: str | None = None
    signatures: Signatures | None = None
    manifest: Manifest | None = None
    content: dict[str, bytes] = field(default_factory=dict)
    """Of the wanted files that are what they were, the bytes that were digested."""


def find(package: Path, wanted: Callable[[str], bool], trusted_keys: Collection[bytes]) -> Found:
    """Read a package as far as it is what it says.

    Raises
    ------
    NotFoundError
        When there is no such package.
    PackageError
        When it is neither a folder nor an archive.
    """
    found = Found()
    try:
        with contents(package) as held:
            _read(held, found, wanted, trusted_keys)
    except (IntegrityError, SignatureError) as error:
        found.problems.append(error)
    return found


def _read(held: Contents, found: Found, wanted: Callable[[str], bool], trusted_keys: Collection[bytes]) -> None:
    said = bounded(held, MANIFEST, LARGEST_MANIFEST)
    found.digest = hashlib.sha256(said).hexdigest()
    names: set[str] = set()
    try:
        names.update(held.names())
    except PackageError as error:
        found.problems.append(error)
    signed = bounded(held, SIGNATURE, LARGEST_SIGNATURE) if SIGNATURE in names else None
    _sign(found, signed, trusted_keys)
    found.manifest = read_manifest(said)
    listed = listed_files(found.manifest)
    if not found.problems:
        found.problems += [absent(path) for path in sorted(listed.keys() - names)]
        found.problems += [unlisted(path) for path in sorted(names - listed.keys() - UNLISTED)]
    for path in sorted(listed):
        try:
            content = unchanged(held, listed[path], keep=wanted(path))
        except PackageError as error:
            found.problems.append(error)
        else:
            found.content |= {} if content is None else {path: content}


def _sign(found: Found, signed: bytes | None, trusted_keys: Collection[bytes]) -> None:
    try:
        found.signatures = read_signatures(signed)
    except PackageError as error:
        if trusted_keys:
            raise
        found.problems.append(error)
    if trusted_keys:
        require_signed(str(found.digest), found.signatures or Signatures(version=1), trusted_keys)


def several(problems: list[CellopsError]) -> Iterator[CellopsError]:
    """Each problem once: a file that is missing cannot be read either."""
    told: set[str] = set()
    for problem in problems:
        if problem.fact not in told:
            told.add(problem.fact)
            yield problem
