"""The tokens of a server's clients: made, listed, replaced, revoked."""

import time
from collections.abc import Sequence

from cellops.errors import UsageError
from cellops.records.tokens import ServerToken
from cellops.settings import Settings, load, prepare

SCOPES = ("predict", "feedback", "metrics", "admin")
HOURS = 24.0


def tokens(*, settings: Settings | None = None) -> tuple[ServerToken, ...]:
    """The tokens that were made, oldest first; raises `UsageError` where their file cannot be read."""
    from cellops.serving.tokens import read_tokens

    settings, now = settings or load(), time.time()
    return tuple(
        ServerToken(
            name=token.name,
            scopes=token.scopes,
            created=token.created,
            expires=token.expires,
            is_valid=token.is_valid(now),
        )
        for token in read_tokens(settings.tokens)
    )


def new_token(
    name: str, *, scopes: Sequence[str] = (), days: float | None = None, settings: Settings | None = None
) -> ServerToken:
    """Make a token for a client.

    Parameters
    ----------
    name
        Of the client, as lists call it.
    scopes
        What it allows, of `SCOPES`; `predict` and `feedback` where none is named.
    days
        For how long; for ever where it is None.

    Raises
    ------
    UsageError
        When there is one of this name, a scope is unknown, or the file of tokens cannot be read or written.
    """
    from cellops.serving.tokens import TokenScope, add_token

    settings = settings or load()
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        fact = f"There is no scope {unknown[0]}"
        raise UsageError(fact, remedy=f"Give some of {', '.join(SCOPES)}")
    asked = tuple(TokenScope(scope) for scope in scopes or SCOPES[:2])
    prepare(settings.folder)
    return _newest(settings, name, add_token(settings.tokens, name, dict.fromkeys(asked), days))


def rotate_token(name: str, *, hours: float = HOURS, settings: Settings | None = None) -> ServerToken:
    """Make another token in place of one, which is taken for `hours` more; raises as `new_token` does."""
    from cellops.serving.tokens import rotate_token as work

    settings = settings or load()
    return _newest(settings, name, work(settings.tokens, name, hours))


def revoke_token(name: str, *, settings: Settings | None = None) -> None:
    """Take the tokens of this name no more, within a second; raises as `new_token` does."""
    from cellops.serving.tokens import revoke_token as work

    work((settings or load()).tokens, name)


def _newest(settings: Settings, name: str, made: str) -> ServerToken:
    found = [token for token in tokens(settings=settings) if token.name == name]
    return max(found, key=lambda token: token.created).replace(token=made)
