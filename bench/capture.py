"""What capture costs: loading the extension, and a trivial cell, beside their floors.

Each figure is the median of several, taken in turn with its floor in one run.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOADS = 9
CELLS = 400

LOAD = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
started = time.perf_counter()
{statement}
print((time.perf_counter() - started) * 1000)
"""

CELLS_SCRIPT = """
import statistics, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def cell_times():
    for number in range({cells}):
        started = time.perf_counter()
        shell.run_cell(f"x{{number % 10}} = {{number}}", store_history=True)
        yield time.perf_counter() - started
plain = list(cell_times())
shell.run_line_magic("load_ext", "cellops")
captured = list(cell_times())
shell.run_line_magic("unload_ext", "cellops")
print(statistics.median(plain) * 1000, statistics.median(captured) * 1000, statistics.median(captured[-50:]) * 1000)
"""


def load_time(statement: str, folder: Path) -> float:
    return float(_run(LOAD.format(statement=statement), folder).split()[-1])


def _run(script: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        statements = {
            "`%load_ext cellops`": 'shell.run_line_magic("load_ext", "cellops")',
            "`import cellops`": "import cellops",
            "`import mlflow`": "import mlflow",
        }
        times: dict[str, list[float]] = {title: [] for title in statements}
        for _ in range(LOADS):
            for title, statement in statements.items():
                times[title].append(load_time(statement, folder))
        floor = statistics.median(times["`import mlflow`"])
        print("| to load | median, ms | least, ms | of `import mlflow` |\n|---|---|---|---|")
        for title, measured in times.items():
            median = statistics.median(measured)
            print(f"| {title} | {median:.1f} | {min(measured):.1f} | {median / floor:.3f} |")
        plain, captured, last = map(float, _run(CELLS_SCRIPT.format(cells=CELLS), folder).split()[-3:])
        print("\n| a trivial cell | median, ms |\n|---|---|")
        print(
            f"| plain | {plain:.2f} |\n| captured | {captured:.2f} |\n| captured, the last 50 of {CELLS} | {last:.2f} |"
        )
        print(f"| capture on top | {captured - plain:.2f} |")


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"\nMeasured in {time.perf_counter() - started:.0f} s", file=sys.stderr)
