"""Whose a package is: a signature beside its manifest."""

from pathlib import Path

from cellops.capture.environment.processes import terminable
from cellops.records.base import Record


class Signed(Record, frozen=True, kw_only=True):
    """A package that was signed."""

    path: str
    name: str
    digest: str
    """SHA-256 of the manifest, which is what was signed."""
    key: str
    """The public key."""
    keys: int
    """How many keys have signed it by now."""


def sign(package: Path | str, key: Path | str) -> Signed:
    """Sign a package: its files are checked, and the digest of its manifest is signed.

    Parameters
    ----------
    package
        Its folder or its archive. Signatures of other keys stay, as long as they are of this manifest.
    key
        The file of the private key.

    Raises
    ------
    SignatureError
        When the key cannot be used, or what lies there as signatures cannot be read.
    NotFoundError, IntegrityError
        When there is no such package, or its files are not those of its manifest.
    PackageError
        When the signature cannot be written.
    """
    from cellops.packaging.signature import public_key, public_text, read_private_key
    from cellops.packaging.signing import sign_package

    owned = read_private_key(Path(key))
    with terminable():
        verified, made = sign_package(Path(package), owned)
    text = public_text(public_key(owned))
    return Signed(
        path=str(package), name=verified.manifest.name, digest=verified.digest, key=text, keys=len(made.signatures)
    )
