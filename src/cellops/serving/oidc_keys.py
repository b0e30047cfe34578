"""The public keys of an issuer of tokens: read from a file or an address, kept, and read again as they change."""

import ipaddress
import json
import logging
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cellops.errors import SettingsError

if TYPE_CHECKING:
    from jwt import PyJWK

KINDS = frozenset({"RSA", "EC", "OKP"})
"""Kinds of keys of which the half that a server has can sign nothing."""
LEAST_RSA_BITS = 2048
READ_EVERY = 300.0
"""Seconds between two reads."""
LEAST_BETWEEN = 10.0
"""Seconds between two reads at least, however many tokens name a key that is not known."""
KEPT = 86_400.0
"""Seconds for which keys are taken that could not be read again."""
PATIENCE = 10.0
LARGEST = 1_000_000
"""Bytes of a document."""
DISCOVERY = "/.well-known/openid-configuration"
logger = logging.getLogger(__name__)


class OidcKeys:
    """Keys by their ids.

    Parameters
    ----------
    issuer
        Whose they are; where no place is given, its discovery document says where they are.
    place
        A file, or an address with https; with http on this machine only.

    Raises
    ------
    SettingsError
        When an address is not one to take keys from.
    """

    def __init__(self, issuer: str, place: str | None = None) -> None:
        self._issuer = issuer
        self._place = place
        self._by_id: dict[str | None, PyJWK] = {}
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._turn = threading.Lock()
        if place is None or "://" in place:
            _require_safe(place or issuer)

    def find(self, key_id: str | None) -> "PyJWK | None":
        """The key of an id; of a token that names none, the only one."""
        if time.monotonic() - self._read_at > KEPT:
            return None
        if key_id is None:
            return next(iter(self._by_id.values())) if len(self._by_id) == 1 else None
        return self._by_id.get(key_id)

    @property
    def may_ask(self) -> bool:
        """Whether the last try is long enough ago for another."""
        return time.monotonic() - self._tried_at > LEAST_BETWEEN

    @property
    def are_old(self) -> bool:
        """Whether it is time to read them again."""
        return time.monotonic() - self._tried_at > READ_EVERY

    def read(self) -> bool:
        """Read the keys, and say whether they are others than before; where it fails those that are known stay."""
        with self._turn:
            if not self.may_ask:
                return False
            self._tried_at = time.monotonic()
            try:
                found = _usable(self._document())
            except Exception as error:  # noqa: BLE001 - whatever a network or a file does, the server goes on
                logger.error("The keys of %s cannot be read: %s", self._issuer, type(error).__name__)  # noqa: TRY400
                return False
            changed = {name: key.key for name, key in found.items()} != {n: k.key for n, k in self._by_id.items()}
            self._by_id, self._read_at = found, time.monotonic()
            return changed

    def _document(self) -> Any:
        if self._place is not None and "://" not in self._place:
            return json.loads(Path(self._place).read_bytes())
        return _fetched(self._place or self._discovered())

    def _discovered(self) -> str:
        """Where the issuer says that its keys are (OpenID Connect Discovery 1.0, section 4)."""
        told = _fetched(self._issuer.rstrip("/") + DISCOVERY)
        if told["issuer"] != self._issuer:
            message = "the document is another issuer's"
            raise ValueError(message)
        place = str(told["jwks_uri"])
        _require_safe(place)
        return place


def _usable(document: Any) -> "dict[str | None, PyJWK]":
    """The keys of a JWKS by which signatures can be checked and that nobody but the issuer can sign with."""
    from jwt import PyJWK
    from jwt.exceptions import PyJWTError

    found: dict[str | None, PyJWK] = {}
    for number, told in enumerate(document["keys"]):
        if told.get("kty") not in KINDS or told.get("use", "sig") != "sig":
            continue
        try:
            key = PyJWK.from_dict(told)
        except PyJWTError:
            # Of a kind that this library does not know.
            continue
        if getattr(key.key, "key_size", LEAST_RSA_BITS) >= LEAST_RSA_BITS or told["kty"] != "RSA":
            found[told.get("kid", f"key {number}")] = key
    return found


def _fetched(address: str) -> Any:
    opener = urllib.request.build_opener(_NoRedirect)
    with opener.open(address, timeout=PATIENCE) as answer:
        content = answer.read(LARGEST + 1)
    if len(content) > LARGEST:
        message = "the document is too large"
        raise ValueError(message)
    return json.loads(content)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from where they are said to be, and from nowhere else."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def _require_safe(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or "")):
        return
    fact = "Keys that tokens are held against come by https only"
    raise SettingsError(
        fact, received=address, remedy="Correct CELLOPS_SERVER_OIDC_ISSUER, or CELLOPS_SERVER_OIDC_KEYS"
    )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
