"""What it costs to look at runs: `cellops runs` and `cellops show` as whole processes, beside MLflow's own ways.

Run it as a script; it prints a Markdown table. The runs are written into journals, a session for every ten, and
carried to a local store as those of kernels are. The processes are started by turns.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from statistics import median

from cellops.capture.journal import Journal
from cellops.flows.sync import sync
from cellops.records.run import RunClosed, RunOpened, RunStatus, SessionClosed, SessionOpened
from cellops.settings import load

EACH = 10
"""Runs of a session."""
MLFLOW = "import mlflow; mlflow.set_tracking_uri({uri!r}); mlflow.search_runs(search_all_experiments=True{more})"


def record(folder: Path, store: str, runs: int) -> None:
    """Write the journals of sessions that have ended."""
    for session in range(runs // EACH):
        name, started = uuid.uuid4().hex, time.time() - runs + session * EACH
        opened = SessionOpened(
            session=name, pid=0, started=started, version="0", project=str(folder.parent), store=store
        )
        journal = Journal(folder / "journal", name, opened)
        for number in range(EACH):
            key, moment = uuid.uuid4().hex, started + number
            journal.append(RunOpened(run=key, session=name, name=f"run {number}", started=moment, order=number + 1))
            journal.append(
                RunClosed(
                    run=key,
                    status=RunStatus.FINISHED,
                    ended=moment + 0.5,
                    parameters={f"model.parameter_{i}": i for i in range(20)},
                    metrics={f"metric_{i}": i / 7 for i in range(5)},
                )
            )
        journal.append(SessionClosed(session=name, ended=started + EACH))
        journal.close()


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ |= {"CELLOPS_PROJECT": folder, "CELLOPS_WRITER": "false"}
        settings = load()
        record(settings.folder, settings.store, asked.runs)
        sync(settings)
        ours = [sys.executable, "-m", "cellops"]
        commands = {
            "cellops runs": [*ours, "runs"],
            "cellops show last": [*ours, "show", "last"],
            "mlflow.search_runs, 20 runs": [
                sys.executable, "-c", MLFLOW.format(uri=settings.tracking_uri, more=", max_results=20")
            ],
            "mlflow.search_runs, all": [sys.executable, "-c", MLFLOW.format(uri=settings.tracking_uri, more="")],
            "import mlflow": [sys.executable, "-c", "import mlflow"],
        }  # fmt: skip
        turns = [{name: seconds(command) for name, command in commands.items()} for _ in range(asked.turns)]
    print(f"| of {asked.runs:,} runs, a process | median of {asked.turns}, s |\n|---|---|")
    for name in commands:
        print(f"| {name} | {median(turn[name] for turn in turns):.2f} |")


if __name__ == "__main__":
    main()
