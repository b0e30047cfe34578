"""A signature put beside the manifest of a package, in its folder or in its archive."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.turn import turn
from cellops.errors import PackageError
from cellops.packaging.copying import pack, replacing
from cellops.packaging.layout import SIGNATURE
from cellops.packaging.manifest import Verified, verify
from cellops.packaging.signature import VERSION, holds, read_signatures, sign
from cellops.records.package import Signatures

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def sign_package(package: Path, key: "Ed25519PrivateKey") -> tuple[Verified, Signatures]:
    """Check a package and add the signature of a key; those of another manifest go.

    Of several who sign it at once, each waits for the one before.

    Raises
    ------
    NotFoundError, IntegrityError
        As `verify`.
    SignatureError
        When the signatures that are there cannot be read.
    PackageError
        When it cannot be written. What was there stays.
    """
    with turn(package.resolve().parent):
        verified = verify(package)
        found = read_signatures(verified.signatures).signatures
        before = tuple(one for one in found if holds(verified.digest, one))
        made = sign(verified.digest, key, Signatures(version=VERSION, signatures=before))
        try:
            _put(package.resolve(), made.to_pretty_json(), verified.digest)
        except OSError as error:
            fact = f"The signature cannot be written to {package}: {error.strerror or error}"
            raise PackageError(fact, remedy="Choose a package that you may change, on a disk with room") from error
    return verified, made


def _put(package: Path, signatures: bytes, digest: str) -> None:
    if not package.is_dir():
        pack(package, package, signatures, digest=digest)
        return
    with replacing(package / SIGNATURE, _outside(package)) as file:
        file.write(signatures)


def _outside(package: Path) -> Path:
    """Where a signature is written until it is whole: in the package's folder it would be a file of nobody's list."""
    parent = package.parent
    may = os.access(parent, os.W_OK | os.X_OK) and parent.stat().st_dev == package.stat().st_dev
    return parent if may else package
