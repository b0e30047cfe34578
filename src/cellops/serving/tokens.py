"""The tokens of clients: kept as digests in one private file, each with a name, what it allows and until when.

A token is 32 random bytes, so its SHA-256 says nothing of it, and a slow hash would only cost each request.
"""

import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from cellops.capture.turn import turn
from cellops.errors import UsageError
from cellops.records.base import Record

DAY = 86_400
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PREFIX = "cellops_"
"""So that those who search files for secrets know one."""
PRIVATE = 0o600


class TokenScope(StrEnum):
    """What a token allows."""

    PREDICT = "predict"
    FEEDBACK = "feedback"
    METRICS = "metrics"
    ADMIN = "admin"


class Token(Record, frozen=True, kw_only=True):
    """What the file knows of a token: never the token itself."""

    name: str
    sha256: str
    scopes: tuple[TokenScope, ...]
    created: float
    """Seconds since the epoch."""
    expires: float | None = None

    def is_valid(self, now: float) -> bool:
        return self.expires is None or now < self.expires


class TokenFile(Record, frozen=True, kw_only=True):
    version: int = 1
    tokens: tuple[Token, ...] = ()


def digest(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()


def read_tokens(path: Path) -> tuple[Token, ...]:
    """The tokens of a file; none where there is no file.

    Raises
    ------
    UsageError
        When others can write or read it, or it is not what `add_token` writes.
    """
    try:
        with path.open("rb") as file:
            status, content = os.fstat(file.fileno()), file.read()
    except FileNotFoundError:
        return ()
    except OSError as error:
        fact = f"The file of tokens {path} cannot be read: {error.strerror}"
        raise UsageError(fact, remedy="Let the server's user read it") from error
    if os.name == "posix" and (status.st_mode & 0o077 or status.st_uid not in {os.geteuid(), 0}):
        fact = f"The file of tokens {path} can be read or written by others"
        raise UsageError(fact, remedy=f"Make it your own: chown $USER {path}; chmod 600 {path}")
    try:
        return TokenFile.from_json(content).tokens
    except (msgspec.DecodeError, RecursionError) as error:
        fact = f"The file of tokens {path} cannot be read: {error}"
        raise UsageError(fact, remedy="Put back a copy, or remove it and make new tokens") from error


def add_token(path: Path, name: str, scopes: Iterable[TokenScope], days: float | None = None) -> str:
    """Make a token, keep its digest, and give it: it is never seen again.

    Raises
    ------
    UsageError
        When the name is taken or is none, or the file cannot be read or written.
    """
    if not NAME.fullmatch(name):
        fact = f"A token cannot be called {name}"
        raise UsageError(fact, remedy="Take up to 64 letters, digits and characters of ._-")
    with _changing(path):
        known, now = read_tokens(path), time.time()
        if any(token.name == name and token.is_valid(now) for token in known):
            fact = f"There is a token {name} already"
            raise UsageError(fact, remedy=f"Replace it: cellops token rotate {name}; or choose another name")
        return _added(path, [token for token in known if token.name != name], name, scopes, days)


def rotate_token(path: Path, name: str, hours: float) -> str:
    """Make another token in place of one, which is taken for some hours more so that clients can change over.

    Raises
    ------
    UsageError
        When there is no such token, or the file cannot be read or written.
    """
    with _changing(path):
        known, now = read_tokens(path), time.time()
        newest = _newest(known, name, now)
        ends = now + hours * 3600
        kept = [
            token.replace(expires=min(ends, token.expires or ends)) if token.name == name else token
            for token in known
            if token.is_valid(now)
        ]
        days = None if newest.expires is None else (newest.expires - newest.created) / DAY
        return _added(path, kept, name, newest.scopes, days)


def revoke_token(path: Path, name: str) -> None:
    """Take a token no more, nor those that it has replaced.

    Raises
    ------
    UsageError
        When there is no such token, or the file cannot be read or written.
    """
    with _changing(path):
        known = read_tokens(path)
        _newest(known, name, 0)
        _write(path, [token for token in known if token.name != name])


@contextlib.contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Let nobody write what was read before: a token that is revoked meanwhile would be there again."""
    with contextlib.suppress(OSError):  # writing says why
        path.parent.mkdir(parents=True, exist_ok=True)
    with turn(path.parent):
        yield


def _newest(known: Iterable[Token], name: str, now: float) -> Token:
    found = [token for token in known if token.name == name and token.is_valid(now)]
    if not found:
        names = ", ".join(sorted({token.name for token in known})) or "none"
        fact = f"There is no token {name}"
        raise UsageError(fact, remedy=f"The tokens are: {names}")
    return max(found, key=lambda token: token.created)


def _added(path: Path, known: Iterable[Token], name: str, scopes: Iterable[TokenScope], days: float | None) -> str:
    made, now = PREFIX + secrets.token_urlsafe(32), time.time()
    expires = None if days is None else now + days * DAY
    token = Token(name=name, sha256=digest(made.encode()), scopes=tuple(scopes), created=now, expires=expires)
    _write(path, [*known, token])
    return made


def _write(path: Path, tokens: Iterable[Token]) -> None:
    """All of it or nothing: a server reads it at any time."""
    beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - private from the start
            file.write(TokenFile(tokens=tuple(tokens)).to_pretty_json())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        fact = f"The file of tokens {path} cannot be written: {error.strerror}"
        raise UsageError(fact, remedy="Choose another with CELLOPS_SERVER_TOKENS") from error
