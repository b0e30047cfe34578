"""What a proof costs: verifying a run beside the run itself and the start of a kernel, and comparing large frames.

Run it as a script; it prints Markdown tables. A session is recorded in a real kernel. Its run is then verified in this
process, by turns with a notebook that holds nothing but `%load_ext cellops`: what a kernel costs that starts and stops.
What the run itself takes is what its cells take while they are verified.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd

from cellops.capture.blobs import Blobs
from cellops.capture.values.allowance import Allowance
from cellops.capture.values.description import look_at
from cellops.capture.values.numbers import Room
from cellops.flows.execute import execute as execute_steps
from cellops.flows.steps import StepOptions
from cellops.flows.verify import TOLERANCE, verify
from cellops.pipeline.engine import execute
from cellops.pipeline.verify.comparison import Comparing
from cellops.settings import Settings, load

LOAD = "%load_ext cellops"
STEPS = [
    "import time",
    *(
        f"%%mlops step s{place}\ntime.sleep(0.5)\nv{place} = {f'v{place - 1} + 1' if place else 0}"
        for place in range(3)
    ),
    "%%mlops step last\n%%mlops run --name fitted\ntime.sleep(0.5)\nscore = v2 / 2",
]
FIT = """%%mlops run --name fitted
from sklearn.ensemble import HistGradientBoostingClassifier
model = HistGradientBoostingClassifier(max_iter=ROUNDS, random_state=1).fit(X, y)
accuracy = float(model.score(X, y))"""
TABLE = """import numpy as np
import pandas as pd
rng = np.random.default_rng(7)
X = pd.DataFrame(rng.normal(size=(100_000, 20)))
y = (X[0] + rng.normal(size=len(X)) > 0).astype(int)"""
CASES = {
    "one trivial cell": ["%%mlops run --name fitted\nscore = 0.5"],
    "100,000 x 20, a short fit": [TABLE, FIT.replace("ROUNDS", "20")],
    "100,000 x 20, a long fit": [TABLE, FIT.replace("ROUNDS", "400")],
    "four steps of half a second, each in a kernel of its own": STEPS,
}
ROWS = 1_000_000
WHOLE = 60.0


def write(path: Path, *sources: str) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbformat.write(notebook, path)
    return path


def start_of_a_kernel(settings: Settings) -> float:
    """Seconds until a kernel with cellops has started and stopped."""
    started = time.perf_counter()
    empty = write(settings.project / "empty.ipynb", LOAD)
    execute(empty, settings.project / "out.ipynb", {}, kernel="python3", environment=environment(settings.project))
    return time.perf_counter() - started


def environment(project: Path) -> dict[str, str]:
    return {"CELLOPS_PROJECT": str(project), "CELLOPS_WRITER": "false"}


def proofs(runs: int) -> None:
    print("| run | itself, s | kernel, s | verify, s | verify / (itself + kernel) |")
    print("|---|---|---|---|---|")
    for name, sources in CASES.items():
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            project = Path(folder)
            os.environ["CELLOPS_PROJECT"] = folder
            settings = load()
            notebook = write(project / "session.ipynb", LOAD, *sources)
            if any(source.startswith("%%mlops step") for source in sources):
                execute_steps(notebook, steps=StepOptions(jobs=1), settings=settings)
            else:
                execute(notebook, project / "out.ipynb", {}, kernel="python3", environment=environment(project))
            verify("fitted", settings=settings)  # what is imported for the first time is not measured
            # By turns, so that whatever else the machine does meets both alike.
            pairs = [(start_of_a_kernel(settings), verify("fitted", settings=settings)) for _ in range(runs)]
            turns = [
                (proof.seconds, sum(cell.seconds_after for cell in proof.cells), kernel) for kernel, proof in pairs
            ]
            took, itself, kernel = min(turns, key=lambda turn: turn[0] / sum(turn[1:]))
            verdict = pairs[0][1].verdict
            ratio = took / (itself + kernel)
            print(f"| {name}, {verdict} | {itself:.2f} | {kernel:.2f} | {took:.2f} | {ratio:.2f} |")


def frames() -> Mapping[str, pd.DataFrame]:
    rng = np.random.default_rng(7)
    numbers = pd.DataFrame(rng.normal(size=(ROWS, 20)))
    texts = rng.choice(["north", "south", "a longer text"], ROWS)
    mixed = numbers.iloc[:, :10].assign(place=texts, when=pd.date_range("2013", periods=ROWS, freq="min"))
    return {"20 columns of numbers": numbers, "10 of numbers, one of texts, one of moments": mixed}


def comparisons(runs: int) -> None:
    print("\n| frame of 1,000,000 rows | read and compared, s | verdict when one number has changed |")
    print("|---|---|---|")
    for name, frame in frames().items():
        other = frame.copy()
        other.iloc[ROWS // 2, 3] += 1.0
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            kept = Blobs(Path(folder))
            comparing = Comparing(TOLERANCE, lambda _: None, lambda _: None)
            before = look_at("frame", frame, Allowance(WHOLE), Room(kept))
            seconds = []
            for _ in range(runs):
                started = time.perf_counter()
                after = look_at("frame", other, Allowance(WHOLE), Room(kept), with_sample=True)
                found = comparing.value(before, after)
                seconds.append(time.perf_counter() - started)
        print(f"| {name} | {min(seconds):.3f} | {found.verdict} in {', '.join(found.parts)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="the tables show the best of these")
    runs = parser.parse_args().runs
    proofs(runs)
    comparisons(runs)


if __name__ == "__main__":
    main()
