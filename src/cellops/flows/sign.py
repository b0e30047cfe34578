"""Keys that sign packages, and signing with them."""

from pathlib import Path

from cellops.records.base import Record


class NewKeys(Record, frozen=True, kw_only=True):
    """A pair of keys that was made."""

    private: str
    """Path of the key that signs."""
    public: str
    """Path of the key that others trust."""
    text: str
    """The public key itself, as CELLOPS_TRUSTED_KEYS takes it."""


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


def new_keys(path: Path) -> NewKeys:
    """Make a pair of keys: a private one in the file, and a public one in the file of this name and `.pub`.

    Raises
    ------
    SignatureError
        When one of the files is there already, or cannot be written.
    """
    from cellops.packaging.signature import new_keys as make

    made = make(path)
    return NewKeys(private=str(made.private), public=str(made.public), text=made.text)


def sign(package: Path | str, key: Path) -> Signed:
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

    owned = read_private_key(key)
    verified, made = sign_package(Path(package), owned)
    text = public_text(public_key(owned))
    return Signed(
        path=str(package), name=verified.manifest.name, digest=verified.digest, key=text, keys=len(made.signatures)
    )
