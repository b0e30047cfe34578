"""How many requests a second `cellops serve` answers, beside the bare ASGI echo of its HTTP server and beside peers.

Run it as `python bench/serving.py`; it needs `wrk` (Debian and Ubuntu: apt-get install wrk). All is on: token, contract
with the rules that the training data suggest, prediction log, metrics. Each server is one process with one worker,
measured by itself, and has an environment of its own below .peers. wrk shares the processors.

`--only` takes models, `--beside` servers, `--rows` the rows of a body, `--connections` how many ask at once. At the end
it prints how many times as many requests ours answers as each other.

With `--turns 5` the servers stand beside each other and are asked one after the other, so many times, and each turn of
ours is compared with the others' of the same turn: what the machine does besides hits all alike. Short turns do.

With `--workers 1 2 4`, `--overload`, `--forms` or `--soak 10` it measures only that, on ours: several processes, more
connections than may wait, each form of a body beside the model alone, and the memory over minutes without a pause.
"""

import argparse
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np

from serving_parts.factors import OURS, Case, factors
from serving_parts.forms import FORMS, binary
from serving_parts.load import Load, LoadError, Question, load
from serving_parts.models import MANY, MODELS, Model
from serving_parts.overload import overload
from serving_parts.servers import ECHOES, SERVERS, Server, missing, ours, started
from serving_parts.soak import soak

TAKE_BYTES = ("echo", OURS)
"""Servers that are asked with bytes where there are many rows."""
ALONE = ("our predictor", "scikit-learn")
"""What is measured in this process, without a server."""
TURNS = 4
"""Of the server and the model alone, of which each shows its best."""
MANY_CONNECTIONS = 32
"""With several workers: enough that none of four waits."""
BEYOND = (16, 256, 512, 900)
"""Connections, of which the server lets 256 wait; it keeps a thousand."""


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
    work()
    times = []
    before, until = time.process_time(), time.perf_counter() + seconds
    while (begun := time.perf_counter()) < until:
        work()
        times.append(time.perf_counter() - begun)
    middle, tail = np.quantile(times, (0.5, 0.99)) * 1e3
    return Load(len(times) / sum(times), middle, tail, (time.process_time() - before) / len(times) * 1e6)


class Table:
    """Prints each figure as it comes, and keeps it."""

    def __init__(self) -> None:
        self.measured: dict[Case, dict[str, Load]] = {}
        print("| model | rows | connections | server | req/s | of echo | p50 ms | p99 ms | processor µs | of echo |")
        print("|---|---|---|---|---|---|---|---|---|---|", flush=True)

    def add(self, case: Case, name: str, title: str, measured: Load) -> None:
        kept = self.measured.setdefault(case, {})
        kept[name] = measured
        floor = kept.get("echo")
        rate = f"{measured.requests:.0f} | {measured.requests / floor.requests if floor else math.nan:.1%}"
        times = f"{measured.median:.2f} | {measured.tail:.2f}"
        taken = f"{measured.processor:.0f} | {measured.processor / floor.processor if floor else math.nan:.1f}"
        asked = f"{case.model} | {case.rows} | {case.connections}"
        print(f"| {asked} | {title} | {rate} | {times} | {taken} |".replace("nan%", "").replace("nan", ""), flush=True)


def measure(model: Model, servers: dict[str, Server], given: argparse.Namespace, folder: Path, table: Table) -> None:
    """Every server on one model, one after the other, the echo first."""
    for name, server in (ECHOES | servers).items():
        try:
            with started(server, model, folder / model.name / name) as (url, process):
                for rows in given.rows:
                    if rows >= MANY and name not in TAKE_BYTES:
                        continue
                    question = asked(server, name, url, model, rows)
                    for connections in given.connections:
                        measured = load(question, folder, given.seconds, connections, process)
                        table.add(Case(model.name, rows, connections), name, server.title, measured)
        except LoadError as error:
            print(f"{server.title} did not answer: {error}", file=sys.stderr)
    for rows in given.rows:
        for title, measured in zip(ALONE, alone(model, rows, 1), strict=True):
            table.add(Case(model.name, rows, 1), title, f"in process, without a server: {title}", measured)


def asked(server: Server, name: str, url: str, model: Model, rows: int) -> Question:
    frame = model.rows(rows)
    of_numbers = all(dtype.kind == "f" for dtype in frame.dtypes)
    ask = binary if rows >= MANY and of_numbers and name in TAKE_BYTES else server.ask
    return ask(url, model, frame)


def in_turns(model: Model, given: argparse.Namespace, folder: Path) -> None:
    """Every server beside the others, asked in turns; of each the medians, and of ours in the turns of the others."""
    print("| model | rows | connections | server | req/s | p99 ms | processor µs | ours / it | by the processor |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    servers = ECHOES | {OURS: SERVERS[OURS]} | beside(given.beside)
    with ExitStack() as running:
        places = {
            name: running.enter_context(started(server, model, folder / model.name / f"turns-{name}"))
            for name, server in servers.items()
        }
        for rows in given.rows:
            for connections in given.connections:
                loads: dict[str, list[Load]] = {name: [] for name in servers if rows < MANY or name in TAKE_BYTES}
                for _ in range(given.turns):
                    for name, measured in loads.items():
                        url, process = places[name]
                        question = asked(servers[name], name, url, model, rows)
                        measured.append(load(question, folder, given.seconds, connections, process))
                for name, measured in loads.items():
                    turns = list(zip(loads[OURS], measured, strict=True))
                    rates = sorted(own.requests / other.requests for own, other in turns)
                    taken = median(other.processor / own.processor for own, other in turns)
                    shown = (
                        f"{median(one.requests for one in measured):.0f} | {median(one.tail for one in measured):.2f}"
                    )
                    shown += f" | {median(one.processor for one in measured):.0f}"
                    compared = f"{median(rates):.3g} ({rates[0]:.3g} to {rates[-1]:.3g}) | {taken:.3g}"
                    case = f"{model.name} | {rows} | {connections} | {servers[name].title}"
                    print(f"| {case} | {shown} | {compared} |", flush=True)


def scaling(model: Model, given: argparse.Namespace, folder: Path) -> None:
    """Ours with several worker processes."""
    print("| model | workers | req/s | of the first | p50 ms | p99 ms | processor µs |\n|---|---|---|---|---|---|---|")
    first = None
    for count in given.workers:
        server = Server(f"cellops, {count} workers", ours("--workers", str(count)), SERVERS[OURS].ask)
        with started(server, model, folder / model.name / f"workers-{count}") as (url, process):
            question = asked(server, OURS, url, model, 1)
            measured = load(question, folder, given.seconds, MANY_CONNECTIONS, process)
        first = first or measured
        rate = f"{measured.requests:.0f} | {measured.requests / first.requests:.2f}"
        times = f"{measured.median:.2f} | {measured.tail:.2f} | {measured.processor:.0f}"
        print(f"| {model.name} | {count} | {rate} | {times} |", flush=True)


def forms(model: Model, given: argparse.Namespace, folder: Path) -> None:
    """Ours, asked in each form that it takes, beside the model in this process in turns: other work hits both alike."""
    print("| model | rows | form | MB | req/s | of the predictor's | p50 ms | processor µs | the predictor's of it |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    with started(SERVERS[OURS], model, folder / model.name / "forms") as (url, process):
        for rows in given.rows:
            frame = model.rows(rows)
            for name, ask in FORMS.items():
                question = ask(url, model, frame)
                if question is None:
                    continue
                turns = [
                    (load(question, folder, max(given.seconds // TURNS, 1), 1, process), alone(model, rows, 1)[0])
                    for _ in range(TURNS)
                ]
                asked, own = (min(loads, key=lambda one: one.processor) for loads in zip(*turns, strict=True))
                best, most = (max(one.requests for one in loads) for loads in zip(*turns, strict=True))
                rate = f"{best:.1f} | {best / most:.0%} | {asked.median:.2f}"
                taken = f"{asked.processor:.0f} | {own.processor / asked.processor:.0%}"
                size = len(question.content) / 1e6
                print(f"| {model.name} | {rows} | {name} | {size:.2f} | {rate} | {taken} |", flush=True)


def overloaded(model: Model, given: argparse.Namespace, folder: Path) -> None:
    """Ours, asked by more connections than may wait."""
    print("| model | connections | answered/s | p50 ms | p99 ms | refused/s | p99 ms of refusals |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with started(SERVERS[OURS], model, folder / model.name / "overload") as (url, _process):
        question = asked(SERVERS[OURS], OURS, url, model, 1)
        for connections in BEYOND:
            admitted, refused = overload(question, given.seconds, connections)
            taken = f"{admitted.requests:.0f} | {admitted.median:.2f} | {admitted.tail:.2f}"
            told = f"{refused.requests:.0f} | {refused.tail:.2f}".replace("nan", "")
            print(f"| {model.name} | {connections} | {taken} | {told} |", flush=True)


def soaked(model: Model, given: argparse.Namespace, folder: Path) -> None:
    """Ours, asked for minutes."""
    with started(SERVERS[OURS], model, folder / model.name / "soak") as (url, process):
        question = asked(SERVERS[OURS], OURS, url, model, 1)
        soak(question, folder, given.soak, given.connections[-1], process)


def beside(names: list[str]) -> dict[str, Server]:
    """The servers that can be measured here."""
    servers = {}
    for name in names:
        reason = missing(SERVERS[name])
        if reason:
            print(f"{SERVERS[name].title} is left out: {reason}")
        else:
            servers[name] = SERVERS[name]
    return servers


def compare(models: list[Model], servers: dict[str, Server], given: argparse.Namespace, folder: Path) -> None:
    """Every model on every server, and how many times as fast ours is."""
    table = Table()
    for model in models:
        measure(model, servers, given, folder, table)
    named = ["echo", *servers, *ALONE]
    print("\nRequests a second of ours, divided by those of:")
    print(factors(table.measured, named))
    print("\nRequests of ours in the time of a processor that one takes of:")
    print(factors(table.measured, named, by_processor=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="for each measurement")
    parser.add_argument("--only", nargs="*", choices=MODELS, default=list(MODELS), help="the models")
    parser.add_argument("--beside", nargs="*", choices=SERVERS, default=list(SERVERS), help="the servers")
    parser.add_argument("--rows", nargs="*", type=int, default=[1, 100, MANY])
    parser.add_argument("--connections", nargs="*", type=int, default=[1, 16])
    parser.add_argument("--turns", type=int, help="the servers beside each other, each so many times")
    parser.add_argument("--workers", nargs="*", type=int, default=[], help="only ours, with so many processes")
    parser.add_argument("--overload", action="store_true", help="only ours, beyond its limits")
    parser.add_argument("--forms", action="store_true", help="only ours, each form of a body over one connection")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="only ours, its memory over so many minutes")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed: the servers are not measured (Debian and Ubuntu: apt-get install wrk)")
        return
    of_parts = (
        (in_turns, given.turns),
        (scaling, given.workers),
        (overloaded, given.overload),
        (forms, given.forms),
        (soaked, given.soak),
    )
    parts = [part for part, wanted in of_parts if wanted]
    servers = {} if parts else beside(given.beside)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        models = [MODELS[name](folder / "models") for name in given.only]
        for part in parts:
            for model in models:
                part(model, given, folder)
        if not parts:
            compare(models, servers, given, folder)


if __name__ == "__main__":
    main()
