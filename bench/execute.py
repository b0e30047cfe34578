"""Executing a notebook: `cellops execute` beside bare papermill and nbclient, each as a whole process, in one run.

Run it as a script; it prints Markdown tables. Every side pays the start of Python, the import of its libraries and the
start of a kernel; ours checks parameters, saves on a timer and writes a record as well. Notebooks with much output show
what saving costs: papermill writes the whole file twice a cell, nbclient once at the end.

The second table has eight notebooks, four at a time, on the cores of this machine. Its floor is the kernels
alone: as many processes of ipykernel, each started and asked to do the same work. The third is a pipeline of ten steps
of which nothing has changed since it was executed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

PAPERMILL = """
import sys
import papermill
papermill.execute_notebook(sys.argv[1], sys.argv[2], progress_bar=False)
"""
NBCLIENT = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook).execute()
nbformat.write(notebook, sys.argv[2])
"""
KERNEL = """
import sys
import nbformat
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel()
for cell in nbformat.read(sys.argv[1], as_version=4).cells:
    client.execute_interactive(cell.source, output_hook=lambda _: None)
client.stop_channels()
manager.shutdown_kernel(now=True)
"""
SIDES: dict[str, Callable[[Path, Path], list[str]]] = {
    "papermill": lambda notebook, output: [sys.executable, "-c", PAPERMILL, str(notebook), str(output)],
    "nbclient": lambda notebook, output: [sys.executable, "-c", NBCLIENT, str(notebook), str(output)],
    "`cellops execute`": lambda notebook, output: [
        *(sys.executable, "-m", "cellops", "execute", str(notebook), "--output", str(output))
    ],
}
CASES = {
    "one trivial cell": ["1 + 1"],
    "30 cells of 100 KB output": ["print('0123456789' * 10_000)"] * 30,
    "100 cells of 400 KB output": ["print('0123456789' * 40_000)"] * 100,
}
WORK = ["import numpy as np\nx = np.random.default_rng(0).normal(size=(2000, 200))", "np.linalg.svd(x)[1].sum()"]
NOTEBOOKS, AT_ONCE = 8, 4
STEPS = [
    "import numpy as np, pandas as pd\nframe = pd.DataFrame(np.random.default_rng(7).normal(size=(20_000, 10)))",
    *[f"frame = frame * {number}" for number in range(2, 10)],
    "total = float(frame.to_numpy().sum())",
]


def seconds(command: list[str], folder: Path) -> float:
    """Of a whole process; compiled modules are kept, as an installed package has them."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    own |= {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "cellops-bench")}
    started = time.perf_counter()
    subprocess.run(command, check=True, cwd=folder, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def write(sources: list[str], path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def alone(folder: Path, runs: int) -> None:
    notebook, output = folder / "notebook.ipynb", folder / "executed.ipynb"
    print(f"| notebook, median of {runs} | {', s | '.join(SIDES)}, s | of papermill | of nbclient |")
    print("|---" * (len(SIDES) + 3) + "|")
    for name, sources in CASES.items():
        write(sources, notebook)
        # By turns, so that whatever else the machine does meets all alike.
        turns = [{side: seconds(make(notebook, output), folder) for side, make in SIDES.items()} for _ in range(runs)]
        theirs, bare, ours = (statistics.median(turn[side] for turn in turns) for side in SIDES)
        print(f"| {name} | {theirs:.2f} | {bare:.2f} | {ours:.2f} | {ours / theirs:.2f} | {ours / bare:.2f} |")


def together(folder: Path, runs: int) -> None:
    notebooks = [folder / f"notebook-{number}.ipynb" for number in range(NOTEBOOKS)]
    for notebook in notebooks:
        write(WORK, notebook)
    sides = {**SIDES, "kernels alone": lambda notebook, _: [sys.executable, "-c", KERNEL, str(notebook)]}
    print(
        f"\n| {NOTEBOOKS} notebooks, {AT_ONCE} at a time, median of {runs} | s | of the kernels alone |\n|---|---|---|"
    )
    found: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(runs):
        for side, make in sides.items():
            commands = [make(notebook, notebook.with_suffix(".executed.ipynb")) for notebook in notebooks]
            started = time.perf_counter()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(seconds, commands, [folder] * NOTEBOOKS))
            found[side].append(time.perf_counter() - started)
    floor = statistics.median(found["kernels alone"])
    for side, times in found.items():
        print(f"| {side} | {statistics.median(times):.1f} | {statistics.median(times) / floor:.2f} |")


def unchanged(folder: Path, runs: int) -> None:
    """A pipeline of ten steps that hand a table on, executed whole and again when nothing has changed."""
    notebook = folder / "steps.ipynb"
    steps = [f"%%mlops step step-{number}\n{source}" for number, source in enumerate(STEPS, start=1)]
    write(["%load_ext cellops", *steps], notebook)
    asked = [sys.executable, "-m", "cellops", "execute", str(notebook)]
    command = [*asked, "-o", str(folder / "steps-executed.ipynb")]
    first = seconds([*command, "--cache"], folder)
    sides = {
        "all ten steps, each in a kernel of its own, first": [first],
        "nothing has changed: `--cache`": [seconds([*command, "--cache"], folder) for _ in range(runs)],
        "nothing has changed: `--cache --explain`": [
            seconds([*asked, "--cache", "--explain"], folder) for _ in range(runs)
        ],
        "one kernel for all, nothing kept": [seconds(command, folder) for _ in range(runs)],
        "a kernel that starts and stops": [kernel(folder) for _ in range(runs)],
    }
    print(f"\n| a pipeline of {len(STEPS)} steps, median of {runs}, whole processes | s |\n|---|---|")
    for side, times in sides.items():
        print(f"| {side} | {statistics.median(times):.2f} |")


def kernel(folder: Path) -> float:
    """The floor: a kernel without work, from its start to its end."""
    nothing = folder / "nothing.ipynb"
    write([], nothing)
    return seconds([sys.executable, "-c", KERNEL, str(nothing)], folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each side")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".cellops").mkdir()
        alone(folder, runs)
        together(folder, runs)
        unchanged(folder, runs)


if __name__ == "__main__":
    main()
