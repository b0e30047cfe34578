"""What it costs to divide traffic: the processor's time for a request without and with a rollout, in turns.

Both packages are the same model under two digests, so that the difference is the router's. A request goes straight
through the application: the socket costs the same in all, and would hide it.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import httpx

from cellops.packaging.load import load_package
from cellops.packaging.manifest import write
from cellops.serving.app import App
from cellops.serving.auth import Access
from cellops.serving.division import Division, Traffic
from cellops.serving.limits import Limits
from cellops.serving.metrics import Metrics
from cellops.serving.model import Model
from cellops.serving.models import Models
from cellops.serving.rollout.ledger import Ledger
from cellops.serving.strategies.canary import Canary
from support.served import TOKEN, build

ROUNDS, REQUESTS = 20, 150
LIMITS = Limits(10_000_000, 10_000, 30.0)


def app(models: list[Model], metrics: Metrics, share: float | None) -> App:
    champion, challenger = models
    divisions = []
    if share is not None:
        ledger = Ledger(30.0)
        traffic = Traffic(champion.digest, challenger.digest, Canary(share, "bench"), "", ledger)
        divisions = [Division(traffic, champion, challenger)]
    table = Models(models, metrics, champions=[champion], divisions=divisions)
    return App(table, access=Access(TOKEN, None), limits=LIMITS)


async def seconds(asked: App, path: str, body: bytes) -> float:
    """Of the processor, for one request."""
    started = time.process_time()
    for _ in range(REQUESTS):
        await one(asked, path, body)
    return (time.process_time() - started) / REQUESTS


async def one(asked: App, path: str, body: bytes) -> None:
    headers = [(b"authorization", f"Bearer {TOKEN}".encode()), (b"content-type", b"application/json")]
    headers.append((b"content-length", str(len(body)).encode()))
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "client": ("127.0.0.1", 1)}
    scope["query_string"] = b""
    statuses = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if "status" in message:
            statuses.append(message["status"])

    await asked(scope, receive, send)
    assert statuses == [200]


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = build("cancer", folder)
        second = folder / "second" / "cancer"
        shutil.copytree(first, second)
        write(second, "cancer", "second")
        metrics = Metrics()
        models = [Model(load_package(path), LIMITS, metrics, None, batching="off") for path in (first, second)]
        contract = models[0].package.contract
        row = {field.name: field.minimum for field in contract.schema.inputs}
        body = httpx.Request("POST", "http://x", json={"instances": [row]}).content
        apps = {"single": app(models, metrics, None), "canary 5 %": app(models, metrics, 5.0)}
        apps["canary 50 %"] = app(models, metrics, 50.0)
        taken: dict[str, list[float]] = {kind: [] for kind in apps}
        for _ in range(ROUNDS):
            for kind, asked in apps.items():
                taken[kind].append(await seconds(asked, "/v1/models/cancer:predict", body))
        single = min(taken["single"])
        for kind, found in taken.items():
            here = min(found)  # what else runs here only adds
            print(f"{kind:12} {here * 1e6:7.1f} µs of processor a request  {here / single - 1:+6.1%}")
        for asked in apps.values():
            asked.close()


asyncio.run(main())
