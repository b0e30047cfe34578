"""The whole application on a package, without a socket."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellops.packaging.load import LoadedPackage, load_package
from cellops.serving.app import App
from cellops.serving.limits import Limits
from cellops.serving.server import build_app
from support.served import TOKEN, build

Rows = list[dict[str, Any]]
TRUSTED = (b"authorization", b"Bearer " + TOKEN.encode())


@dataclass(frozen=True)
class Wire:
    """A package and the whole application on it, without a socket."""

    package: LoadedPackage
    app: App

    @property
    def rows(self) -> Rows:
        inputs = self.package.contract.parity.inputs
        return [dict(zip(inputs, values, strict=True)) for values in zip(*inputs.values(), strict=True)]

    def send(
        self, path: str, content: bytes, media_type: bytes = b"application/json", **headers: str
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, headers and body of the answer to a POST; underscores in the names of headers stand for hyphens."""
        more = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return asyncio.run(self._ask("POST", path, content, [TRUSTED, (b"content-type", media_type), *more]))

    def read(
        self, path: str, token: str | None = TOKEN, accept: bytes = b"*/*"
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        """The same of a GET."""
        trusted = [(b"authorization", b"Bearer " + token.encode())] if token else []
        return asyncio.run(self._ask("GET", path, b"", [(b"accept", accept), *trusted]))

    async def _ask(
        self, method: str, path: str, content: bytes, headers: list[tuple[bytes, bytes]]
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@contextmanager
def wired(name: str, folder: Path) -> Iterator[Wire]:
    """One of the models of `support.served`, packaged in a folder."""
    package = load_package(build(name, folder))
    app = build_app(package, Limits(max_bytes=1_000_000, max_rows=1000), TOKEN, None)
    yield Wire(package, app)
    app.close()
