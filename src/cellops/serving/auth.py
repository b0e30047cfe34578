"""Who may ask: those who send the server's token."""

import hmac
import ipaddress

from cellops.errors import CredentialsError, UsageError

SCHEME = b"bearer"


def authorise(header: bytes | None, token: bytes) -> None:
    """Let a request pass that sends `Authorization: Bearer TOKEN`; the comparison takes the same time for any token.

    Raises
    ------
    CredentialsError
        When no token is sent, or another one.
    """
    scheme, _, given = (header or b"").partition(b" ")
    if scheme.lower() != SCHEME or not given.strip():
        fact = "The request has no token"
        raise CredentialsError(fact, remedy="Send the header Authorization: Bearer TOKEN", given=False)
    if not hmac.compare_digest(given.strip(), token):
        fact = "The token is not this server's"
        raise CredentialsError(fact, remedy="Send the token that the server printed or was given", given=True)


def require_chosen_token(host: str, *, chosen: bool) -> None:
    """Refuse to listen to other machines with a token that nobody has chosen.

    Raises
    ------
    UsageError
        When `host` is not loopback and the token was made up by the server.
    """
    if chosen or _is_loopback(host):
        return
    fact = f"{host} can be reached from other machines, and no token was chosen"
    raise UsageError(fact, remedy="Set CELLOPS_SERVER_TOKEN or give --token, or listen on 127.0.0.1")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
