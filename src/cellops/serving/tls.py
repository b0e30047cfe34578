"""What a server says who it is with, to clients that ask over TLS."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

from cellops.errors import UsageError

PASSWORD = "the private key is encrypted"  # noqa: S105 - what is said, not one


class CountedContext(ssl.SSLContext):
    """Begins no more handshakes when so many connections are open: one holds a file before anybody else knows of it."""

    def __init__(self, *_: object) -> None:
        self.most = 0
        self._open: WeakSet[ssl.SSLObject] = WeakSet()

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """What an event loop asks for when a connection has come; an `SSLError` ends the connection."""
        if len(self._open) >= self.most:
            message = "there are too many connections"
            raise ssl.SSLError(message)
        made = super().wrap_bio(*arguments, **named)
        self._open.add(made)
        return made


@dataclass(frozen=True)
class Certificate:
    """A certificate with those of its issuers, and its private key, as PEM."""

    chain: Path
    key: Path | None = None
    """None where it stands in the file of the certificate."""

    def check(self) -> None:
        """Refuse what no server could start with.

        Raises
        ------
        UsageError
            When a file is not there, is no certificate or no key, is encrypted, or they do not belong together.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        asked: list[str] = []

        def password() -> str:
            asked.append(PASSWORD)
            return ""

        try:
            context.load_cert_chain(self.chain, self.key, password)
        except OSError as error:  # ssl's errors are such, too
            said = asked[0] if asked else error.strerror or str(error)
            if isinstance(error, ssl.SSLError) and not asked:
                said = (error.reason or "not PEM").lower().replace("_", " ")
            fact = f"The server cannot speak TLS with {self.chain}{f' and {self.key}' if self.key else ''}: {said}"
            remedy = "Give a certificate and its private key, not encrypted, as PEM files that the server can read"
            raise UsageError(fact, remedy=remedy) from error

    def context(self, most: int) -> ssl.SSLContext:
        """What connections are made with, so many at a time."""
        context = CountedContext(ssl.PROTOCOL_TLS_SERVER)
        context.most = most
        context.load_cert_chain(self.chain, self.key)
        return context


def certificate(chain: Path | None, key: Path | None) -> Certificate | None:
    """The certificate that is asked for; None where none is.

    Raises
    ------
    UsageError
        When there is a key without a certificate, or as `Certificate.check` does.
    """
    if chain is None:
        if key is not None:
            fact = "There is a private key for TLS, and no certificate"
            raise UsageError(fact, remedy="Give --tls-certificate, too")
        return None
    found = Certificate(chain, key)
    found.check()
    return found
