"""Tokens of a provider: real keys, a real JWKS over HTTP, and the ways to forge a token that are known."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cellops.errors import CredentialsError, SettingsError
from cellops.serving import oidc_keys
from cellops.serving.auth import Access
from cellops.serving.oidc import Oidc, UnknownKeyError
from cellops.serving.oidc_keys import OidcKeys
from cellops.serving.tokens import TokenScope
from support.served import TOKEN, running

AUDIENCE = "models"


class Provider:
    """Signs tokens, and serves its public keys and where they are."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.asked = 0
        self.away = False
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                if provider.away:
                    self.send_error(503)
                    return
                if self.path == "/elsewhere":
                    self.send_response(302)
                    self.send_header("Location", "/keys")
                    self.end_headers()
                    return
                document = provider.jwks() if self.path == "/keys" else provider.discovery
                content = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.discovery = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def add(self, name: str, key: Any = None) -> Any:
        self.keys[name] = key or KEY
        return self.keys[name]

    def jwks(self) -> dict[str, Any]:
        def told(name: str, key: Any) -> dict[str, Any]:
            kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
            return kind.to_jwk(key.public_key(), as_dict=True) | {"kid": name, "use": "sig"}

        secret = {"kty": "oct", "kid": "secret", "k": base64.urlsafe_b64encode(b"x" * 32).decode()}
        return {"keys": [*(told(name, key) for name, key in self.keys.items()), secret]}

    def token(self, name: str = "one", *, key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        now = time.time()
        told = {"iss": self.issuer, "aud": AUDIENCE, "sub": "shop", "exp": now + 600, "scope": "cellops:predict openid"}
        told = {claim: value for claim, value in (told | claims).items() if value is not None}
        return jwt.encode(told, key or self.keys[name], algorithm=algorithm, headers={"kid": name})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setattr(oidc_keys, "LEAST_BETWEEN", -1.0)
    made = Provider()
    made.add("one")
    yield made
    made.close()


def access_to(provider: Provider, place: str | None = None, **more: str) -> Access:
    keys = OidcKeys(provider.issuer, place)
    return Access(TOKEN, None, Oidc(keys, provider.issuer, AUDIENCE, **more))


def client(access: Access, token: str, scope: TokenScope | None = TokenScope.PREDICT) -> str:
    return access.client(f"Bearer {token}".encode(), scope)


def test_a_token_of_the_provider_is_taken_for_what_it_allows(provider: Provider) -> None:
    access = access_to(provider)
    token = provider.token()
    assert client(access, token) == client(access, token, None) == "oidc:shop"
    for scope in (TokenScope.FEEDBACK, TokenScope.METRICS):
        with pytest.raises(CredentialsError, match=f"does not allow {scope}"):
            client(access, token, scope)
    both = provider.token(scope=["cellops:feedback", "cellops:predict"])
    assert client(access, both, TokenScope.FEEDBACK) == "oidc:shop"
    for none in ("predict", None, 7, "cellops:predictions"):
        with pytest.raises(CredentialsError, match="does not allow predict"):
            client(access, provider.token(scope=none))
    assert client(access, TOKEN) == "token"


def test_a_claim_and_prefix_of_the_provider_can_be_named(provider: Provider) -> None:
    access = access_to(provider, claim="roles", prefix="")
    assert client(access, provider.token(roles=["predict"])) == "oidc:shop"


def test_keys_of_curves_sign_too(provider: Provider) -> None:
    provider.add("curve", ec.generate_private_key(ec.SECP256R1()))
    assert client(access_to(provider), provider.token("curve", algorithm="ES256")) == "oidc:shop"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "others"}, "another audience"),
        ({"aud": None}, "lacks one of the claims"),
        ({"iss": "https://other.example.com"}, "another issuer"),
        ({"iss": None}, "lacks one of the claims"),
        ({"exp": time.time() - 3600}, "has expired"),
        ({"exp": None}, "lacks one of the claims"),
        ({"exp": 10**400}, "is no time"),
        ({"nbf": time.time() + 3600}, "not valid yet"),
        ({"sub": None}, "lacks one of the claims"),
        ({"more": "x" * 20_000}, "too long"),
    ],
)
def test_what_a_token_must_say(provider: Provider, claims: dict[str, Any], why: str) -> None:
    with pytest.raises(CredentialsError, match=why) as caught:
        client(access_to(provider), provider.token(**claims))
    assert caught.value.data["given"]


def test_clocks_may_differ_by_half_a_minute(provider: Provider) -> None:
    access = access_to(provider)
    assert client(access, provider.token(exp=time.time() - 10)) == "oidc:shop"
    assert client(access, provider.token(nbf=time.time() + 10)) == "oidc:shop"


def test_a_token_that_was_known_expires(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    access, token = access_to(provider), provider.token()
    assert client(access, token) == "oidc:shop"
    later = time.time() + 700
    monkeypatch.setattr("cellops.serving.oidc.time.time", lambda: later)
    with pytest.raises(CredentialsError, match="expired"):
        client(access, token)


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def with_head(token: str, head: dict[str, Any], sign: bytes | None) -> str:
    """A token with another head, and no signature or one with a secret."""
    first = f"{encoded(json.dumps(head).encode())}.{token.split('.')[1]}"
    signature = b"" if sign is None else hmac.new(sign, first.encode(), hashlib.sha256).digest()
    return f"{first}.{encoded(signature)}"


def test_tokens_that_are_forged_are_refused(provider: Provider) -> None:
    access, token = access_to(provider), provider.token()
    public = KEY.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    head, body, signature = token.split(".")
    forged = {
        "no algorithm": with_head(token, {"alg": "none", "kid": "one"}, None),
        "no algorithm, in capitals": with_head(token, {"alg": "NONE", "kid": "one"}, None),
        "public key as secret, PEM": with_head(token, {"alg": "HS256", "kid": "one"}, pem),
        "public key as secret, DER": with_head(token, {"alg": "HS256", "kid": "one"}, der),
        "secret of the JWKS": with_head(token, {"alg": "HS256", "kid": "secret"}, b"x" * 32),
        "key in the token": with_head(token, {"alg": "HS256", "kid": "one", "jwk": provider.jwks()["keys"][0]}, b"x"),
        "signed by another": provider.token(key=OTHER),
        "another body": f"{head}.{encoded(json.dumps({'sub': 'admin'}).encode())}.{signature}",
        "no signature": f"{head}.{body}.",
        "no JSON": "a.b.c",
        "a number as key id": with_head(token, {"alg": "RS256", "kid": 1}, b"x"),
    }
    for name, each in forged.items():
        with pytest.raises(CredentialsError) as caught:
            client(access, each)
        assert caught.value.data["given"], name
    with pytest.raises(CredentialsError, match="signature does not hold"):
        client(access, forged["signed by another"])
    assert client(access, token) == "oidc:shop"


def test_small_keys_of_rsa_are_not_taken(provider: Provider) -> None:
    provider.add("small", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    with pytest.raises(UnknownKeyError):
        client(access_to(provider), provider.token("small"))


def test_a_new_key_is_read_once_a_token_names_it_and_an_old_one_ends(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    access, old = access_to(provider), provider.token()
    assert client(access, old) == "oidc:shop"
    provider.add("two", OTHER)
    del provider.keys["one"]
    new = provider.token("two")
    with pytest.raises(UnknownKeyError):
        client(access, new)
    assert asyncio.run(access.learn())
    assert client(access, new) == "oidc:shop"
    with pytest.raises(UnknownKeyError):
        client(access, old)
    monkeypatch.setattr(oidc_keys, "LEAST_BETWEEN", 10.0)
    asked = provider.asked
    assert not asyncio.run(access.learn())
    assert provider.asked == asked, "tokens that nobody signed do not have the keys read again and again"


def test_keys_are_kept_while_the_provider_is_away(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    access = access_to(provider)
    provider.away = True
    assert asyncio.run(access.learn())
    assert client(access, provider.token()) == "oidc:shop"
    monkeypatch.setattr(oidc_keys, "KEPT", -1.0)
    with pytest.raises(UnknownKeyError):
        client(access, provider.token(sub="another"))


def test_a_provider_that_is_away_at_the_start_is_found_later(provider: Provider) -> None:
    provider.away = True
    access = access_to(provider)
    with pytest.raises(UnknownKeyError):
        client(access, provider.token())
    provider.away = False
    assert asyncio.run(access.learn())
    assert client(access, provider.token()) == "oidc:shop"


def test_keys_may_lie_in_a_file(provider: Provider, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(provider.jwks()))
    access = access_to(provider, str(file))
    assert client(access, provider.token()) == "oidc:shop"
    assert provider.asked == 0


def test_a_discovery_document_of_another_or_a_redirect_is_not_followed(provider: Provider) -> None:
    provider.discovery["issuer"] = "https://other.example.com"
    with pytest.raises(UnknownKeyError):
        client(access_to(provider), provider.token())
    with pytest.raises(UnknownKeyError):
        client(access_to(provider, f"{provider.issuer}/elsewhere"), provider.token())
    assert client(access_to(provider, f"{provider.issuer}/keys"), provider.token()) == "oidc:shop"


@pytest.mark.parametrize("place", ["http://keys.example.com/jwks", "ftp://127.0.0.1/jwks", "file:///etc/passwd"])
def test_keys_come_by_https_only(place: str) -> None:
    with pytest.raises(SettingsError, match="https only"):
        OidcKeys("https://login.example.com", place)


def test_an_audience_is_needed(provider: Provider) -> None:
    with pytest.raises(SettingsError, match="CELLOPS_SERVER_OIDC_AUDIENCE"):
        Oidc(OidcKeys(provider.issuer), provider.issuer, None)


def test_a_server_takes_tokens_of_a_provider(provider: Provider, flights: Path, tmp_path: Path) -> None:
    row = {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1}
    settings = {"server_oidc_issuer": provider.issuer, "server_oidc_audience": AUDIENCE}
    with running(flights, tmp_path, server_log_format="json", **settings) as server:

        def status(path: str, token: str, **more: Any) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return server.client.request("POST" if more else "GET", path, headers=headers, **more).status_code

        predict, question = "/v1/models/flights:predict", {"instances": [row]}
        token = provider.token()
        assert status(predict, token, json=question) == 200
        assert status("/metrics", token) == 403
        assert status("/metrics", provider.token(scope="cellops:metrics")) == 200
        assert status(predict, provider.token(aud="others"), json=question) == 403
        assert status(predict, provider.token(key=OTHER), json=question) == 403
        assert server.stop() == 0
    told = [json.loads(line) for line in (tmp_path / "errors").read_text().splitlines()]
    assert [line["client"] for line in told if line.get("status") == 200] == ["oidc:shop", "oidc:shop"]
    assert token not in (tmp_path / "errors").read_text()
