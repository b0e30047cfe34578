"""How many requests a second `cellops serve` answers, beside the bare ASGI echo of its HTTP server and beside peers.

Run it as `python bench/serving.py`; it needs `wrk` (Debian and Ubuntu: apt-get install wrk). All is on: token, contract
with the rules that the training data suggest, prediction log, metrics. Each server is one process with one worker,
measured by itself, and has an environment of its own below .peers. wrk shares the processors.

`--only` takes models, `--beside` servers, `--rows` the rows of a body, `--connections` how many ask at once.
"""

import argparse
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from serving_parts.load import Load, LoadError, Question, load
from serving_parts.models import MANY, MODELS, Model
from serving_parts.servers import ECHOES, SERVERS, Server, binary, missing, ours, started

OURS = ("echo", "cellops")
"""Servers that are asked with bytes where there are many rows."""


def alone(model: Model, rows: int, seconds: float) -> tuple[Load, Load]:
    """In a loop in this process: the package's predictor as the server calls it, and scikit-learn's on a table."""
    from cellops.data.decoder import frame_columns
    from cellops.packaging.load import load_package

    loaded, frame = load_package(model.package), model.rows(rows)
    columns = frame_columns(loaded.contract.schema, frame)
    # The server answers labels and probabilities by one call; so does this.
    return _repeated(lambda: loaded.predictor.predict(columns), seconds), _repeated(
        lambda: model.estimator.predict_proba(frame), seconds
    )


def _repeated(work: Callable[[], object], seconds: float) -> Load:
    times = []
    until = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < until:
        work()
        times.append(time.perf_counter() - begun)
    median, tail = np.quantile(times, (0.5, 0.99)) * 1e3
    return Load(len(times) / sum(times), median, tail)


class Case(NamedTuple):
    model: str
    rows: int
    connections: int


class Table:
    """Prints each figure as it comes."""

    def __init__(self) -> None:
        print("| model | rows | connections | server | req/s | of echo | p50 ms | p99 ms | processor µs | of echo |")
        print("|---|---|---|---|---|---|---|---|---|---|", flush=True)

    def add(self, case: Case, title: str, measured: Load, floor: Load | None = None) -> None:
        rate = f"{measured.requests:.0f} | {measured.requests / floor.requests if floor else math.nan:.1%}"
        times = f"{measured.median:.2f} | {measured.tail:.2f}"
        taken = f"{measured.processor:.0f} | {measured.processor / floor.processor if floor else math.nan:.1f}"
        asked = f"{case.model} | {case.rows} | {case.connections}"
        print(f"| {asked} | {title} | {rate} | {times} | {taken} |".replace("nan%", "").replace("nan", ""), flush=True)


def measure(model: Model, servers: dict[str, Server], given: argparse.Namespace, folder: Path, table: Table) -> None:
    """Every server on one model, one after the other, the echo first."""
    floors: dict[tuple[int, int], Load] = {}
    for name, server in (ECHOES | servers).items():
        try:
            with started(server, model, folder / model.name / name) as (url, process):
                for rows in given.rows:
                    if rows >= MANY and name not in OURS:
                        continue
                    question = asked(server, name, url, model, rows)
                    for connections in given.connections:
                        measured = load(question, folder, given.seconds, connections, process)
                        floors.setdefault((rows, connections), measured)
                        case = Case(model.name, rows, connections)
                        table.add(case, server.title, measured, floors[rows, connections])
        except LoadError as error:
            print(f"{server.title} did not answer: {error}", file=sys.stderr)
    for rows in given.rows:
        for title, measured in zip(("our predictor", "scikit-learn"), alone(model, rows, 1), strict=True):
            table.add(Case(model.name, rows, 1), f"in process, without a server: {title}", measured)


def asked(server: Server, name: str, url: str, model: Model, rows: int) -> Question:
    frame = model.rows(rows)
    of_numbers = all(dtype.kind == "f" for dtype in frame.dtypes)
    ask = binary if rows >= MANY and of_numbers and name in OURS else server.ask
    return ask(url, model, frame)


def scaling(model: Model, counts: list[int], given: argparse.Namespace, folder: Path, table: Table) -> None:
    """Ours with several worker processes."""
    for count in counts:
        server = Server(f"cellops, {count} workers", ours("--workers", str(count)), SERVERS["cellops"].ask)
        with started(server, model, folder / model.name / f"workers-{count}") as (url, process):
            question = asked(server, "cellops", url, model, 1)
            table.add(Case(model.name, 1, 32), server.title, load(question, folder, given.seconds, 32, process))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="for each measurement")
    parser.add_argument("--only", nargs="*", choices=MODELS, default=list(MODELS), help="the models")
    parser.add_argument("--beside", nargs="*", choices=SERVERS, default=list(SERVERS), help="the servers")
    parser.add_argument("--rows", nargs="*", type=int, default=[1, 100, MANY])
    parser.add_argument("--connections", nargs="*", type=int, default=[1, 16])
    parser.add_argument("--workers", nargs="*", type=int, default=[], help="ours with so many processes, too")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed: the servers are not measured (Debian and Ubuntu: apt-get install wrk)")
        return
    servers = {}
    for name in given.beside:
        reason = missing(SERVERS[name])
        if reason:
            print(f"{SERVERS[name].title} is left out: {reason}")
        else:
            servers[name] = SERVERS[name]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        models = [MODELS[name](folder / "models") for name in given.only]
        table = Table()
        for model in models:
            measure(model, servers, given, folder, table)
            scaling(model, given.workers, given, folder, table)


if __name__ == "__main__":
    main()
