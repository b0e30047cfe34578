"""A rollout on a running server: how it stands, and what a person decides on it. Spoken to over its admin port."""

import http.client
import json
import ssl
from urllib.parse import quote, urlsplit

import msgspec

from cellops.errors import CredentialsError, NotFoundError, NotReadyError, UsageError
from cellops.flows.rollout_plan import unfit
from cellops.records.rollout import RolloutAction, RolloutOrder, RolloutRules, RolloutView, Strategy
from cellops.settings import Settings, load

ADMIN = "http://127.0.0.1:8001"
PATIENCE = 60.0
"""Seconds for an answer: a challenger is loaded and answers its parity rows before it takes traffic."""
MOST_BYTES = 16_000_000
UNAUTHORISED, FORBIDDEN, MISSING, FAULT = 401, 403, 404, 500


def rollout(
    model: str, *, server: str = ADMIN, token: str | None = None, settings: Settings | None = None
) -> RolloutView:
    """How the traffic of a model is divided, what the evidence is, and what follows from it.

    Parameters
    ----------
    model
        Its name on the server.
    server
        Address of the admin port: `http://HOST:PORT`, or https.
    token
        With the scope `admin`. Default: the setting `server_token`.

    Raises
    ------
    UsageError
        When the address is none, or the server refuses what was asked.
    NotFoundError
        When the server has no such model.
    CredentialsError
        When it does not take the token.
    NotReadyError
        When nothing answers there, or nothing that can be read.
    """
    return _asked("GET", model, None, server, token or (settings or load()).server_token)


def decide(
    model: str,
    order: RolloutOrder,
    *,
    server: str = ADMIN,
    token: str | None = None,
    settings: Settings | None = None,
) -> RolloutView:
    """Have a server do what a person decides, and tell how the rollout stands then; takes and raises as `rollout`."""
    used = token or (settings or load()).server_token
    return _asked("POST", model, order.to_json(), server, used)


def start_order(
    challenger: str,
    *,
    strategy: str = Strategy.CANARY,
    share: float | None = None,
    key: str | None = None,
    shadow_when: str | None = None,
    why: str = "",
    **rules: object,
) -> RolloutOrder:
    """The order to give a challenger traffic, with those rules of `RolloutRules` that are given and not None.

    Raises
    ------
    InputError
        When the stages do not rise to 100.
    UsageError
        When a rule has no such value.
    """
    given = {name: value for name, value in rules.items() if value is not None}
    try:
        checked = msgspec.convert(given, RolloutRules)
    except msgspec.ValidationError as error:
        fact = f"A rule of the rollout does not fit: {unfit(error)}"
        raise UsageError(fact, remedy="Margins and levels are shares, from 0 to 1") from error
    return RolloutOrder(
        action=RolloutAction.START,
        why=why,
        strategy=Strategy(strategy),
        challenger=challenger,
        share=share,
        key=key or "",
        off_peak=shadow_when == "idle",
        rules=checked if given else None,
    )


def _asked(method: str, model: str, body: bytes | None, server: str, token: str | None) -> RolloutView:
    status, content = _answered(method, f"/v2/repository/models/{quote(model, safe='')}/rollout", body, server, token)
    if not 200 <= status < 300:  # noqa: PLR2004
        raise _refusal(status, content)
    try:
        return RolloutView.from_json(content)
    except msgspec.DecodeError as error:
        fact = f"{server} answers with something other than a rollout: {error}"
        remedy = "Name the admin port of a server of this version of cellops with --server"
        raise NotReadyError(fact, remedy=remedy) from error


def _answered(method: str, path: str, body: bytes | None, server: str, token: str | None) -> tuple[int, bytes]:
    connection = _connection(server)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES)
    except ssl.SSLCertVerificationError as error:
        fact = f"The certificate of {server} is not trusted: {error.verify_message}"
        remedy = "Set SSL_CERT_FILE to a PEM file with it, or with its issuer, and name the server as it does"
        raise NotReadyError(fact, remedy=remedy) from error
    except (OSError, http.client.HTTPException) as error:
        fact = f"No server answers at {server}: {error}"
        remedy = "Start it with cellops serve ... --admin-port 8001, and name that port with --server"
        if isinstance(error, http.client.HTTPException):
            remedy = "Name its admin port with --server, and with https:// where it speaks TLS"
        raise NotReadyError(fact, remedy=remedy) from error
    finally:
        connection.close()


def _connection(server: str) -> http.client.HTTPConnection:
    try:
        address = urlsplit(server)
        host, port = address.hostname, address.port
    except ValueError:
        host = None
    if host is None or address.scheme not in {"http", "https"} or address.path not in {"", "/"}:
        fact = "That is no address of a server"
        raise UsageError(fact, received=server, remedy=f"Give one such as {ADMIN}")
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    return kind(host, port, timeout=PATIENCE)


def _refusal(status: int, content: bytes) -> UsageError | NotFoundError | CredentialsError | NotReadyError:
    said = _said(content) or f"The server answers with status {status}"
    fact = said.rstrip(".")
    if status in {UNAUTHORISED, FORBIDDEN}:
        remedy = "Set CELLOPS_SERVER_TOKEN, or give --token; it needs the scope admin"
        return CredentialsError(fact, remedy=remedy)
    if status == MISSING:
        return NotFoundError(fact, remedy="Name a model of the server, and its admin port with --server")
    if status >= FAULT:
        return NotReadyError(fact, remedy="Its log says why")
    return UsageError(fact, remedy="cellops rollout MODEL shows how it stands")


def _said(content: bytes) -> str:
    """What a server says of an error, in one line."""
    try:
        said = json.loads(content)["error"]
    except (ValueError, LookupError, TypeError):
        return ""
    return said if isinstance(said, str) else ""
