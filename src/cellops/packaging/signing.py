"""A signature put beside the manifest of a package, in its folder or in its archive."""

from pathlib import Path
from typing import TYPE_CHECKING

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

    Raises
    ------
    NotFoundError, IntegrityError
        As `verify`.
    SignatureError
        When the signatures that are there cannot be read.
    PackageError
        When it cannot be written. What was there stays.
    """
    verified = verify(package)
    found = read_signatures(verified.signatures).signatures
    before = tuple(one for one in found if holds(verified.digest, one))
    made = sign(verified.digest, key, Signatures(version=VERSION, signatures=before))
    try:
        if package.is_dir():
            with replacing(package / SIGNATURE) as file:
                file.write(made.to_pretty_json())
        else:
            pack(package, package, made.to_pretty_json())
    except OSError as error:
        fact = f"The signature cannot be written to {package}: {error.strerror or error}"
        raise PackageError(fact, remedy="Choose a package that you may change, on a disk with room") from error
    return verified, made
