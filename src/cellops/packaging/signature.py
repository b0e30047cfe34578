"""Signatures: Ed25519 over the digest of the manifest, by keys that whoever loads a package has chosen."""

import base64
import binascii
import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cellops.errors import SettingsError, SignatureError
from cellops.packaging.layout import SIGNATURE
from cellops.records.package import KeySignature, Signatures

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VERSION = 1
DOMAIN = b"cellops package manifest v1\0"
"""What is signed begins with it, so that no signature of something else can ever be one of a package."""
ALGORITHM = "ed25519:"
KEY_BYTES, SIGNATURE_BYTES = 32, 64
LARGEST_SIGNATURE = 100_000
"""In bytes: some hundred keys."""
LARGEST_KEY_FILE = 100_000
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class PairOfKeys(NamedTuple):
    """Where two keys lie that belong together."""

    private: Path
    public: Path
    text: str
    """The public one, as the setting CELLOPS_TRUSTED_KEYS takes it."""


def new_keys(path: Path) -> PairOfKeys:
    """Make a pair of keys: a private one that its owner alone can read, and a public one beside it, called `.pub`.

    Raises
    ------
    SignatureError
        When one of the files is there already, or cannot be written.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    public = path.with_name(f"{path.name}.pub")
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    text = public_text(public_key(key))
    for place, content, mode in ((public, f"{text} {path.name}\n".encode(), 0o644), (path, secret, 0o600)):
        try:
            _create(place, content, mode)
        except OSError as error:
            if place is path:
                public.unlink()
            fact = f"The key cannot be written to {place}: {error.strerror or error}"
            raise SignatureError(fact, remedy="Choose another name, in a folder where you may write") from error
    return PairOfKeys(path, public, text)


def _create(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)


def read_private_key(path: Path) -> "Ed25519PrivateKey":
    """The private key in a file, as `new_keys` or openssl writes it.

    Raises
    ------
    SignatureError
        When there is none, or others than its owner can read it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(LARGEST_KEY_FILE)
    except OSError as error:
        fact = f"The key {path} cannot be read: {error.strerror or error}"
        raise SignatureError(fact, remedy="Make one: cellops key FILE") from error
    if content.startswith(ALGORITHM.encode()):
        fact = f"{path} is a public key, which signs nothing"
        raise SignatureError(fact, remedy="Give the private one, in the file without .pub")
    if os.name == "posix" and mode & OTHERS:
        fact = f"Others than its owner can read the key {path} (mode {stat.S_IMODE(mode):04o})"
        raise SignatureError(
            fact, remedy=f"Take their rights away: chmod 600 {path}. If they had time to, make a new one"
        )
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        fact = f"{path} is no private key that can be used: it is no PEM file, or has a passphrase"
        raise SignatureError(fact, remedy="Make one: cellops key FILE") from error
    if not isinstance(key, Ed25519PrivateKey):
        fact = f"The key {path} is not one of Ed25519"
        raise SignatureError(fact, remedy="Make one: cellops key FILE")
    return key


def public_key(key: "Ed25519PrivateKey") -> bytes:
    """The public key that belongs to a private one."""
    return key.public_key().public_bytes_raw()


def public_text(key: bytes) -> str:
    """A public key as text."""
    return f"{ALGORITHM}{base64.b64encode(key).decode()}"


def read_keys(values: Iterable[str], project: Path) -> tuple[bytes, ...]:
    """The public keys that a setting names: as they stand, or in files with one a line.

    Parameters
    ----------
    values
        `ed25519:…`, or paths of files; a relative one begins at the project.

    Raises
    ------
    SettingsError
        When one of them is no key, cannot be read or holds none: what should be trusted must not get lost.
    """
    keys: list[bytes] = []
    for value in values:
        lines = [value] if value.startswith(ALGORITHM) else _lines(project / Path(value).expanduser())
        keys += [_key(line) for line in lines]
    return tuple(dict.fromkeys(keys))


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LARGEST_KEY_FILE + 1)
    except (OSError, UnicodeDecodeError) as error:
        fact = f"CELLOPS_TRUSTED_KEYS names {path}, which cannot be read: {getattr(error, 'strerror', None) or error}"
        raise SettingsError(fact, remedy="Name keys that begin with ed25519: or files that hold some") from error
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if any("PRIVATE KEY" in line for line in found[:1]):
        fact = f"CELLOPS_TRUSTED_KEYS names {path}, which is a private key"
        raise SettingsError(fact, remedy="Name the public one, in the file with .pub behind")
    if not found or len(text) > LARGEST_KEY_FILE:
        fact = f"CELLOPS_TRUSTED_KEYS names {path}, which holds {'no key' if not found else 'more than keys'}"
        raise SettingsError(fact, remedy="Put a public key a line into it, as `cellops key FILE` writes it to FILE.pub")
    return found


def _key(line: str) -> bytes:
    text = line.split(maxsplit=1)[0]
    key = _decoded(text.removeprefix(ALGORITHM)) if text.startswith(ALGORITHM) else b""
    if len(key) != KEY_BYTES:
        fact = "CELLOPS_TRUSTED_KEYS names something that is no public key"
        raise SettingsError(fact, received=line[:80], remedy="A key is as `cellops key FILE` writes it to FILE.pub")
    return key


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def sign(digest: str, key: "Ed25519PrivateKey", before: Signatures) -> Signatures:
    """The signatures of a manifest with that of one more key; a key signs once.

    Parameters
    ----------
    digest
        SHA-256 of the manifest, in hexadecimal digits.
    """
    name = public_text(public_key(key))
    made = KeySignature(key=name, signature=base64.b64encode(key.sign(_message(digest))).decode())
    others = [one for one in before.signatures if one.key != name]
    return Signatures(version=VERSION, signatures=tuple(sorted([*others, made], key=lambda one: one.key)))


def _message(digest: str) -> bytes:
    return DOMAIN + bytes.fromhex(digest)


def read_signatures(content: bytes | None) -> Signatures:
    """The signatures in the bytes of their file; none where there is no such file.

    Raises
    ------
    SignatureError
        When it is not one of signatures.
    """
    if content is None:
        return Signatures(version=VERSION)
    try:
        found = Signatures.from_json(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    if found.version != VERSION:
        reason = f"it is of version {found.version}, where this cellops reads version {VERSION}"
        raise _unreadable(reason)
    return found


def _unreadable(reason: str) -> SignatureError:
    fact = f"{SIGNATURE} cannot be read: {reason}"
    return SignatureError(fact, remedy="Sign the package again: cellops sign PACKAGE --key FILE", path=SIGNATURE)


def holds(digest: str, signature: KeySignature) -> bool:
    """Whether a signature is that of its key over a manifest with this digest."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = _decoded(signature.key.removeprefix(ALGORITHM)) if signature.key.startswith(ALGORITHM) else b""
    made = _decoded(signature.signature)
    if len(key) != KEY_BYTES or len(made) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(made, _message(digest))
    except (InvalidSignature, ValueError):
        return False
    return True


def require_signed(digest: str, found: Signatures, trusted_keys: Collection[bytes]) -> None:
    """Refuse a manifest that none of the trusted keys has signed.

    Raises
    ------
    SignatureError
        Saying whether nobody has, or others have, or what is there is not a signature of this manifest.
    """
    trusted = {public_text(key) for key in trusted_keys}
    theirs = [one for one in found.signatures if one.key in trusted]
    if any(holds(digest, one) for one in theirs):
        return
    if not found.signatures:
        fact, remedy = "Nobody has signed the package", "Have it signed: cellops sign PACKAGE --key FILE"
    elif theirs:
        fact, remedy = "The package was changed after it was signed", "Do not use it; build or copy it again"
    else:
        fact = f"The package is signed by {', '.join(one.key[:60] for one in found.signatures[:3])}"
        remedy = "If you trust that key, add it to CELLOPS_TRUSTED_KEYS"
    fact = f"{fact}, and CELLOPS_TRUSTED_KEYS asks for a key of its list"
    raise SignatureError(fact, remedy=remedy, keys=sorted(trusted))
