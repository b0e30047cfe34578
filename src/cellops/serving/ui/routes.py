"""The paths of the page. It is open and holds no data; what it shows, it reads with the token that a person types."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from cellops.serving.metrics import Metrics
from cellops.serving.model import Model
from cellops.serving.openapi import refusals
from cellops.serving.protocols.operation import JSONSchema, record
from cellops.serving.protocols.protocol import Body, Protocol
from cellops.serving.replies import Reply
from cellops.serving.routes import Route
from cellops.serving.tokens import TokenScope
from cellops.serving.ui.form import form
from cellops.serving.ui.state import state

PAGE = "/ui"
STATE, FORM = f"{PAGE}/state", f"{PAGE}/form"
FILES: Mapping[str, tuple[str, str]] = {
    PAGE: ("page.html", "text/html; charset=utf-8"),
    f"{PAGE}/page.css": ("page.css", "text/css; charset=utf-8"),
    f"{PAGE}/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing from elsewhere, nothing inline, and no text that becomes markup."""
GUARDED = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)
NOT_KEPT = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


def page_routes(
    protocol: Protocol,
    models: Sequence[Model],
    defaults: Mapping[str, Model],
    roles: Mapping[Model, str],
    metrics: Metrics,
    *,
    reports: Path | None,
) -> dict[str, Route]:
    """The routes of the page and of what it reads.

    Parameters
    ----------
    protocol
        In whose words errors are said.
    models
        Those that the server answers with.
    defaults
        The version that answers who names none, by the model's name.
    roles
        What those of a rollout have to do with its traffic.
    metrics
        Of the server.
    reports
        The folder in which drift reports lie, in one for each model; None for none.
    """
    routes = {
        path: Route("page", "GET", protocol, _file(name, media), in_thread=False)
        for path, (name, media) in FILES.items()
    }
    read_state = _document(lambda: state(models, defaults, roles, metrics, reports))
    read_form = _document(cache(lambda: {"models": [form(model) for model in models]}))
    routes[STATE] = Route("page", "GET", protocol, read_state, in_thread=True, scope=TokenScope.METRICS)
    routes[FORM] = Route("page", "GET", protocol, read_form, in_thread=True)
    return routes


def front(live: Reply) -> Callable[[Body, int], Reply]:
    """What the root says: that the server is alive, and to a browser where the page is."""
    varies = ((b"vary", b"accept"),)
    elsewhere = Reply(303, b"", b"text/plain", ((b"location", PAGE.removeprefix("/").encode()), *varies))
    alive = Reply(live.status, live.content, live.media_type, varies)
    return lambda body, _received: elsewhere if b"text/html" in body.headers.get(b"accept", b"") else alive


def page_paths() -> dict[str, Any]:
    """The paths as OpenAPI describes them."""
    held: JSONSchema = {"type": "array", "items": {"type": "object"}}
    described: dict[str, tuple[str, str, JSONSchema]] = {
        path: ("The web page of the server" if path == PAGE else "A part of it", media, {"type": "string"})
        for path, (_, media) in FILES.items()
    }
    told = record({"models": held, "traffic": held}, "models", additionalProperties=True)
    described[STATE] = ("What the page shows of the server", "application/json", told)
    described[FORM] = ("What the page asks for to try a model", "application/json", record({"models": held}, "models"))
    return {path: _path(*said, is_open=path in FILES) for path, said in described.items()}


def _path(summary: str, media: str, schema: JSONSchema, *, is_open: bool) -> dict[str, Any]:
    content = {media.partition(";")[0]: {"schema": schema}}
    answer = {"200": {"description": "What stands there", "content": content}}
    reading = {"summary": summary, "responses": answer | refusals()}
    return {"get": reading | ({"security": []} if is_open else {})}


def _file(name: str, media: str) -> Callable[[Body, int], Reply]:
    @cache
    def read() -> Reply:
        content = files("cellops.serving.ui").joinpath("static", name).read_bytes()
        return Reply(200, content, media.encode(), GUARDED)

    return lambda _body, _received: read()


def _document(make: Callable[[], dict[str, Any]]) -> Callable[[Body, int], Reply]:
    return lambda _body, _received: Reply(200, orjson.dumps(make()), headers=NOT_KEPT)
