"""Where a server listens."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from cellops.errors import UsageError

HIGHEST_PORT = 65_535


@contextmanager
def bound(host: str, port: int, option: str) -> Iterator[socket.socket]:
    """A socket at the address, which does not listen yet: clients are refused until the server can answer.

    Parameters
    ----------
    option
        What names the port on the command line.

    Raises
    ------
    UsageError
        When it cannot be had.
    """
    with address_errors(host, port, option):
        # getaddrinfo keeps the lower 16 bits of a larger number, and another port would be served.
        if not 0 <= port <= HIGHEST_PORT:
            raise OSError(errno.EINVAL, f"ports go from 0 to {HIGHEST_PORT}")
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    with listener:
        yield listener


@contextmanager
def address_errors(host: str, port: int, option: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fact = f"Nothing can listen on {host}, port {port}: {error.strerror or error}"
        raise UsageError(fact, remedy=f"Choose another port with {option}, or 0 for a free one") from error


def url(listener: socket.socket, *, tls: bool) -> str:
    """The address of a socket, for clients."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if listener.family == socket.AF_INET6 else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"
