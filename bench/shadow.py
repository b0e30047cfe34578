"""What a challenger in the shadow costs the champion's clients: p99 beside one that hangs, dies in a loop or is slow.

Run it as `python bench/shadow.py`; it needs `wrk`. Before, between and after the three the champion is measured alone:
the spread of those runs is the noise beside which the differences are to be read. It is measured once more without a
shadow beside a program that has nothing to do with it and imports the same libraries again and again, as nice as a
shadow is: what any other work on this machine costs. The server is asked as fast as it answers, by `--connections` at
once; `--seconds` each, `--rounds` of them, of which the median counts.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from cellops.serving.shadow.process import NICE
from serving_parts.load import load
from serving_parts.models import Model, logistic, troubled
from serving_parts.servers import SERVERS, Server, ours, started
from serving_parts.troubled import TROUBLES, TRUSTED

SETTINGS = {
    "CELLOPS_TRUSTED_TYPES": TRUSTED,
    "CELLOPS_SERVER_REQUEST_SECONDS": "2",
    "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]),
}
"""Two seconds, so that one that hangs is ended and started again meanwhile."""
ALONE, OTHER = "alone", "another program"
IMPORTS = (
    "import subprocess, sys\nwhile True: subprocess.run([sys.executable, '-c', 'import pandas, sklearn.ensemble'])"
)


@dataclass(frozen=True)
class Seen:
    requests: float
    median: float
    tail: float


@contextmanager
def at_work() -> Iterator[None]:
    """Beside a program of its own that imports without a pause."""
    command = [sys.executable, "-c", IMPORTS]
    with subprocess.Popen(command, start_new_session=True, preexec_fn=lambda: os.nice(NICE)) as other:  # noqa: PLW1509
        try:
            yield
        finally:
            os.killpg(other.pid, signal.SIGKILL)


def measure(model: Model, challenger: Path | None, folder: Path, given: argparse.Namespace) -> Seen:
    words = () if challenger is None else ("--challenger", str(challenger), "--strategy", "shadow")
    server = Server("cellops", ours(*words), SERVERS["cellops"].ask)
    with started(server, model, folder, **SETTINGS) as (url, process):
        question = server.ask(url, model, model.rows(1))
        runs = [load(question, folder, given.seconds, given.connections, process) for _ in range(given.rounds)]
    return Seen(*(median(getattr(run, name) for run in runs) for name in ("requests", "median", "tail")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="for each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each")
    parser.add_argument("--connections", type=int, default=1, help="that ask at once")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed: nothing is measured (Debian and Ubuntu: apt-get install wrk)")
        return
    alone: list[Seen] = []
    beside: dict[str, Seen] = {}
    print("| shadow | req/s | p50 ms | p99 ms |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        model = logistic(folder / "models")
        for name in [ALONE, *(each for trouble in (*TROUBLES, OTHER) for each in (trouble, ALONE))]:
            challenger = troubled(folder / "models" / name, name).package if name in TROUBLES else None
            with at_work() if name == OTHER else nullcontext():
                seen = measure(model, challenger, folder / f"{name} {len(alone)}", given)
            print(f"| {name} | {seen.requests:.0f} | {seen.median:.3f} | {seen.tail:.3f} |", flush=True)
            if name == ALONE:
                alone.append(seen)
            else:
                beside[name] = seen
    tails = [seen.tail for seen in alone]
    noise, middle = max(tails) - min(tails), median(tails)
    print(f"\nAlone: p99 {middle:.3f} ms, and {noise:.3f} ms between the runs")
    for name, seen in beside.items():
        verdict = "within" if abs(seen.tail - middle) <= noise else "BEYOND"
        which = "another program, without a shadow" if name == OTHER else f"one that {name}"
        print(f"Beside {which}: {seen.tail - middle:+.3f} ms, {verdict} the noise")


if __name__ == "__main__":
    main()
