"""Where a server listens."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from cellops.errors import UsageError

HIGHEST_PORT = 65_535


class Listener:
    """An address that is held, and not listened on yet: clients are refused until the server can answer.

    Parameters
    ----------
    host, port
        The address; port 0 takes a free one.
    option
        What names the port on the command line.

    Raises
    ------
    UsageError
        When it cannot be had.
    """

    def __init__(self, host: str, port: int, option: str) -> None:
        self._asked = (host, port, option)
        with self._errors():
            # getaddrinfo keeps the lower 16 bits of a larger number, and another port would be served.
            if not 0 <= port <= HIGHEST_PORT:
                raise OSError(errno.EINVAL, f"ports go from 0 to {HIGHEST_PORT}")
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            self.socket = socket.socket(family, kind, protocol)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self.socket.bind(address)
            except BaseException:
                self.socket.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def listen(self) -> None:
        """Of two servers that start together both could bind; only one can listen.

        Raises
        ------
        UsageError
            In the other.
        """
        with self._errors():
            self.socket.listen()

    def url(self, *, tls: bool) -> str:
        """The address, for clients."""
        host, port = self.socket.getsockname()[:2]
        shown = f"[{host}]" if self.socket.family == socket.AF_INET6 else host
        return f"{'https' if tls else 'http'}://{shown}:{port}"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        host, port, option = self._asked
        try:
            yield
        except OSError as error:
            fact = f"Nothing can listen on {host}, port {port}: {error.strerror or error}"
            remedy = f"Choose another port with {option}, or 0 for a free one"
            if error.errno == errno.EADDRNOTAVAIL:
                remedy = f"Give an address of this machine with {option.replace('port', 'host')}"
            raise UsageError(fact, remedy=remedy) from error
