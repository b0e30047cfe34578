"""Who may ask for what: those with the server's token, or one of the file of tokens or of a provider that allows it."""

import asyncio
import hmac
import ipaddress
import logging
import time
from pathlib import Path

from cellops.errors import CredentialsError, UsageError
from cellops.serving.oidc import Oidc
from cellops.serving.tokens import Token, TokenScope, digest, read_tokens

SCHEME = b"bearer"
LOOKED_AFTER = 1.0
"""Seconds after which it is looked whether the file of tokens is another: a token that is revoked is refused then."""
SHORTEST = 16
"""Characters of a token that other machines may try to guess."""
OWNER = "token"
"""How logs call whoever sends the server's own token."""
logger = logging.getLogger(__name__)


class Access:
    """Knows the clients of a server.

    Parameters
    ----------
    token
        The server's own, which allows everything.
    file
        Where more tokens are kept, read again when it changes.
    oidc
        Knows the tokens of a provider; None for none of them.
    """

    def __init__(self, token: str, file: Path | None = None, oidc: Oidc | None = None) -> None:
        self._oidc = oidc
        self._token = token.encode()
        self._file = file
        self._tokens: dict[str, Token] = {}
        self._looked = float("-inf")
        self._seen: tuple[int, int, int] | None = None
        self._look()

    def client(self, header: bytes | None, scope: TokenScope | None) -> str:
        """The name of the client that sends `Authorization: Bearer TOKEN`; any comparison takes the same time.

        Parameters
        ----------
        header
            The value of the header, None where there is none.
        scope
            What the request is for; None for what every client may read.

        Raises
        ------
        UnknownKeyError
            When it is a provider's, with a key that `learn` may find.
        CredentialsError
            When no token is sent, or one that is not known, or that does not allow this.
        """
        given = _given(header)
        if not given:
            fact = "The request has no token"
            raise CredentialsError(fact, remedy="Send the header Authorization: Bearer TOKEN", given=False)
        if hmac.compare_digest(given, self._token):
            return OWNER
        if self._oidc is not None and self._oidc.is_token(given):
            return self._oidc.client(given, scope)
        if self._file is not None and time.monotonic() - self._looked > LOOKED_AFTER:
            self._look()
        found = self._tokens.get(digest(given)) if self._tokens else None
        if found is None or not found.is_valid(time.time()):
            fact = "The token is not one that this server takes"
            remedy = "Send a token that the server was given, and that is valid"
            raise CredentialsError(fact, remedy=remedy, given=True, wrong=True)
        if scope is not None and scope not in found.scopes:
            fact = f"The token does not allow {scope}"
            remedy = f"Send one that does: cellops token new NAME --scope {scope}"
            raise CredentialsError(fact, remedy=remedy, given=True)
        return found.name

    def is_owner(self, header: bytes | None) -> bool:
        """Whether it has the server's own token, which holds as long as the server runs."""
        given = _given(header)
        return bool(given) and hmac.compare_digest(given, self._token)

    async def learn(self) -> bool:
        """Read the keys of the provider again, as a token has named another; whether that could help."""
        if self._oidc is None or not self._oidc.may_learn:
            return False
        await asyncio.get_running_loop().run_in_executor(None, self._oidc.learn)
        return True

    def _look(self) -> None:
        """Read the file where it is another than before; one that cannot be read leaves no token valid."""
        self._looked = time.monotonic()
        if self._file is None:
            return
        try:
            status = self._file.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            seen = None
        if seen == self._seen and seen is not None:
            return
        self._seen, found = seen, {}
        try:
            found = {token.sha256: token for token in read_tokens(self._file)}
        except UsageError as error:
            logger.error("%s. %s", error.fact, error.remedy)  # noqa: TRY400 - whoever runs the server needs no traceback
        # In one step: the public port and the admin port ask in threads of their own.
        self._tokens = found


def _given(header: bytes | None) -> bytes:
    """The token in a header; empty where there is none."""
    scheme, _, rest = (header or b"").partition(b" ")
    return rest.strip() if scheme.lower() == SCHEME else b""


def require_chosen_token(host: str, token: str, *, chosen: bool) -> None:
    """Refuse to listen to other machines with a token that nobody has chosen, or that is soon guessed.

    Raises
    ------
    UsageError
        When `host` is not loopback, and the token was made up by the server or has fewer than `SHORTEST` characters.
    """
    if _is_loopback(host):
        return
    if chosen and len(token) < SHORTEST:
        fact = f"{host} can be reached from other machines, and the token has only {len(token)} characters"
        raise UsageError(fact, remedy=f"Choose a random one of {SHORTEST} or more, or listen on 127.0.0.1")
    if chosen:
        return
    fact = f"{host} can be reached from other machines, and no token was chosen"
    raise UsageError(
        fact, remedy="Set CELLOPS_SERVER_TOKEN, make one by cellops token new NAME, or listen on 127.0.0.1"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
