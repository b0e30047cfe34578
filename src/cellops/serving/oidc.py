"""Clients that come with a token of an OpenID Connect provider: a JWT, signed with a key that only the provider has."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cellops.errors import CredentialsError, SettingsError
from cellops.serving.oidc_keys import OidcKeys
from cellops.serving.tokens import TokenScope, digest

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric ones alone: with the others whoever can check a token can make one."""
SKEW = 30
"""Seconds by which the clocks of provider and server may differ."""
LONGEST_TOKEN = 16_384
LONGEST_NAME = 128
MOST_KNOWN = 10_000
"""Tokens whose signature need not be checked again."""
NEEDED = ["exp", "iss", "aud", "sub"]
PREFIX = "oidc:"
"""Before the subject of a token, in logs and counts: no name of another token has a colon."""
DOTS = 2
TOO_LONG, NO_KEY, FORGED = "It is too long", "It names no key of the issuer", "Its signature does not hold"
NO_TIME = "The end that it names is no time"
WHY = {
    "ExpiredSignatureError": "It has expired",
    "ImmatureSignatureError": "It is not valid yet",
    "InvalidAudienceError": "It is for another audience",
    "InvalidIssuerError": "It is of another issuer",
    "MissingRequiredClaimError": f"It lacks one of the claims {', '.join(NEEDED)}",
}
"""What PyJWT's errors mean, of which a client is told no more."""


class UnknownKeyError(CredentialsError):
    """A token that names a key which has not been read yet."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a token that was checked says."""

    client: str
    scopes: frozenset[TokenScope]
    expires: float


class Oidc:
    """Holds tokens against what one provider signs for one audience.

    Parameters
    ----------
    keys
        Of the provider.
    issuer, audience
        As the tokens must say.
    claim
        The claim that says what a token allows: a list, or words in a text.
    prefix
        Before each scope of ours there: `cellops:predict`.

    Raises
    ------
    SettingsError
        When PyJWT is not installed, or no audience is given.
    """

    def __init__(
        self, keys: OidcKeys, issuer: str, audience: str | None, *, claim: str = "scope", prefix: str = "cellops:"
    ) -> None:
        try:
            import jwt
        except ImportError as error:
            fact = "CELLOPS_SERVER_OIDC_ISSUER needs PyJWT"
            raise SettingsError(fact, remedy="pip install 'cellops[oidc]'") from error
        if not audience:
            fact = "Tokens of an issuer are for many: the server takes those for its own audience only"
            raise SettingsError(fact, remedy="Set CELLOPS_SERVER_OIDC_AUDIENCE")
        self._jwt = jwt
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._claim = claim
        self._prefix = prefix
        self._known: dict[str, Known] = {}
        self._reading = threading.Lock()
        self.learn()

    @staticmethod
    def is_token(given: bytes) -> bool:
        """Whether this has the form of a JWT, which no token of ours has."""
        return given.count(b".") == DOTS

    def client(self, given: bytes, scope: TokenScope | None) -> str:
        """The name of the client of a token.

        Raises
        ------
        UnknownKeyError
            When its key has not been read; `learn` may help.
        CredentialsError
            When it is not one that is taken, or does not allow this.
        """
        if self._keys.are_old and not self._reading.locked():
            threading.Thread(target=self.learn, name="cellops-keys", daemon=True).start()
        name = digest(given)
        known = self._known.get(name)
        if known is None:
            known = self._checked(given)
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[name] = known
        if time.time() > known.expires:
            fact = "The token has expired"
            raise CredentialsError(fact, remedy="Get another from the provider", given=True)
        if scope is not None and scope not in known.scopes:
            fact = f"The token does not allow {scope}"
            remedy = f"Get one whose claim {self._claim} has {self._prefix}{scope}"
            raise CredentialsError(fact, remedy=remedy, given=True)
        return known.client

    @property
    def may_learn(self) -> bool:
        """Whether reading the keys again is due: those who send what nobody signed cannot have it done all the time."""
        return self._keys.may_ask

    def learn(self) -> None:
        """Read the keys again; tokens that were known are checked again where these have changed."""
        with self._reading:
            if self._keys.read():
                self._known.clear()

    def _checked(self, given: bytes) -> Known:
        if len(given) > LONGEST_TOKEN:
            raise _refused(TOO_LONG)
        try:
            key = self._keys.find(self._jwt.get_unverified_header(given).get("kid"))
            if key is None:
                raise _refused(NO_KEY, UnknownKeyError)
            claims = self._jwt.decode(
                given,
                key=key,
                algorithms=[name for name in ALGORITHMS if name == key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=SKEW,
                options={"require": NEEDED},
            )
            expires = float(claims["exp"]) + SKEW
        except self._jwt.exceptions.PyJWTError as error:
            raise _refused(WHY.get(type(error).__name__, FORGED)) from error
        except OverflowError as error:
            raise _refused(NO_TIME) from error
        return Known(_name(claims["sub"]), frozenset(self._scopes(claims)), expires)

    def _scopes(self, claims: dict[str, Any]) -> Iterable[TokenScope]:
        told = claims.get(self._claim, ())
        words = told.split() if isinstance(told, str) else told if isinstance(told, list) else ()
        return (scope for scope in TokenScope if f"{self._prefix}{scope}" in words)


def _name(subject: object) -> str:
    shown = "".join(letter for letter in str(subject)[:LONGEST_NAME] if letter.isprintable())
    return f"{PREFIX}{shown}"


def _refused(why: str, kind: type[CredentialsError] = CredentialsError) -> CredentialsError:
    fact = f"The token is not one that this server takes. {why}"
    return kind(fact, remedy="Get another from the provider", given=True, wrong=True)
