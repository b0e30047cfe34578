"""Executing a notebook: ours beside bare papermill, each as a whole process, in one run.

Run it as a script; it prints a Markdown table. Both sides pay the start of Python, the import of papermill and the
start of a kernel. The second notebook shows what saving costs: papermill writes the file twice a cell.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

OURS = """
import sys
from pathlib import Path
from cellops.pipeline.engine import execute
execute(Path(sys.argv[1]), Path(sys.argv[2]), {})
"""
PAPERMILL = """
import sys
import papermill
papermill.execute_notebook(sys.argv[1], sys.argv[2], progress_bar=False)
"""
CASES = {
    "one trivial cell": ["1 + 1"],
    "30 cells of 100 KB output": ["print('0123456789' * 10_000)"] * 30,
}


def seconds(program: str, notebook: Path, output: Path) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, notebook, output], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def write(sources: list[str], path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="the table shows the fastest of these")
    runs = parser.parse_args().runs
    print("| notebook | papermill, s | cellops, s | cellops / papermill |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        notebook, output = Path(folder, "notebook.ipynb"), Path(folder, "executed.ipynb")
        for name, sources in CASES.items():
            write(sources, notebook)
            # By turns, so that whatever else the machine does meets both alike.
            pairs = [(seconds(PAPERMILL, notebook, output), seconds(OURS, notebook, output)) for _ in range(runs)]
            theirs, ours = (min(side) for side in zip(*pairs, strict=True))
            print(f"| {name} | {theirs:.2f} | {ours:.2f} | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main()
