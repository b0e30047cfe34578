"""What it costs to divide traffic: requests without and with a rollout, in turns.

Both packages are the same model under two digests, so that the difference is the router's. Without an option a request
goes straight through the application, in this process, and the processor's time for it is measured: the socket costs
the same in all. With `--sockets`, real servers on the smallest model are asked by `wrk`, which must be installed, as
fast as they answer: requests a second. Two servers without a rollout show the noise. A canary of one request in ten
thousand shows the router alone; with more, the caches of the processor have to hold two models.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

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
from serving_parts.load import Load, load
from serving_parts.models import logistic
from serving_parts.servers import SERVERS, Server, ours, started
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


async def in_process() -> None:
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


def over_sockets(given: argparse.Namespace) -> None:
    """All servers are there all the time, and one is asked after the other."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        model = logistic(folder / "models")
        second = folder / "second" / model.name
        shutil.copytree(model.package, second)
        write(second, model.name, "second")
        challenged = ("--challenger", str(second), "--strategy", "canary", "--margin", "least_requests=1000000000")
        words = {"single": (), "single again": ()}
        words |= {f"canary {share} %": (*challenged, "--stages", f"{share},100") for share in (0.01, 5, 50)}
        asked = {}
        for kind, more in words.items():
            server = Server(kind, ours(*more), SERVERS["cellops"].ask)
            url, process = running.enter_context(started(server, model, folder / kind))
            asked[kind] = (server.ask(url, model, model.rows(1)), process)
        seen: dict[str, list[Load]] = {kind: [] for kind in asked}
        for _ in range(given.rounds):
            for kind, (question, process) in asked.items():
                seen[kind].append(load(question, folder, given.seconds, given.connections, process))
    single = seen["single"]
    for kind, runs in seen.items():
        rate, taken = median(run.requests for run in runs), median(run.processor for run in runs)
        # Each run beside the one just before it: what else the machine does is the same for both.
        change = median(run.requests / other.requests for run, other in zip(runs, single, strict=True)) - 1
        print(f"{kind:12} {rate:8.0f} requests/s {change:+6.1%}  {taken:6.0f} µs of processor")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", action="store_true", help="ask real servers")
    parser.add_argument("--rounds", type=int, default=10, help="over sockets")
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement over sockets")
    parser.add_argument("--connections", type=int, default=16, help="over sockets")
    given = parser.parse_args()
    if not given.sockets:
        asyncio.run(in_process())
    elif shutil.which("wrk") is None:
        print("wrk is not installed: nothing is measured (Debian and Ubuntu: apt-get install wrk)")
    else:
        over_sockets(given)


if __name__ == "__main__":
    main()
