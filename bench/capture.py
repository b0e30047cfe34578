"""What capture costs: loading the extension, trivial cells, long sessions, many names, large objects, and fits.

Each figure is the median of several, taken in turn with its floor in one run; peers are measured in the same way.
IPython's own thread that writes the history to disk is left out on both sides: it takes turns with the cells.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IPYFLOW = Path(__file__).parents[1] / ".venv-ipyflow" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOADS = 9
CELLS = 1000
READS = 300
FITS = 15

LOAD = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
started = time.perf_counter()
{statement}
print((time.perf_counter() - started) * 1000)
"""

SHELL = """
import os, statistics, sys, time
os.environ["CELLOPS_WRITER"] = "false"
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.history_manager.enabled = False
def timed(source):
    started = time.perf_counter()
    shell.run_cell(source, store_history=True)
    return (time.perf_counter() - started) * 1000
def cells(count):
    return [timed(f"x{number % 10} = {number}") for number in range(count)]
def show(*figures):
    print(*(figure if isinstance(figure, float) else statistics.median(figure) for figure in figures))
"""

TRIVIAL = """
{imports}
shell.user_ns.update({{f"name_{{number}}": number for number in range({names})}})
plain = cells({cells})
shell.run_line_magic("load_ext", "cellops")
captured = cells({cells})
session = shell.cellops._session
overhead = statistics.median(session.overheads()) * 1000
shell.run_line_magic("unload_ext", "cellops")
show(plain, captured, captured[:100], captured[-100:], overhead)
"""

PEER = """
plain = cells({cells})
shell.run_line_magic("load_ext", "ipyflow")
watched = cells({cells})
show(plain, watched, watched[:100], watched[-100:])
"""

BESIDE = """
shell.run_cell({setup!r})
def reading(count):
    return [timed("x = " + {read!r}.format(number % 100)) for number in range(count)]
plain = reading({cells})
shell.run_line_magic("load_ext", "cellops")
show(plain, reading({cells}))
"""

OBJECTS = {
    "a list of 1,000,000 numbers": ("big = list(range(1_000_000))", "big[{}]"),
    "a dict of 1,000,000 numbers": ("big = {n: n for n in range(1_000_000)}", "big[{}]"),
    "an object of 1,000,000 attributes": (
        "class Big: pass\nbig = Big()\nbig.__dict__.update((f'a{n}', n) for n in range(1_000_000))",
        "big.a{}",
    ),
    "1,000 lists of 1,000 numbers": ("big = [list(range(1000)) for _ in range(1000)]", "len(big[{}])"),
    "500 frames of 200 columns": (
        "import pandas as pd\nfor n in range(500): globals()[f'frame_{n}'] = pd.DataFrame([[0.0] * 200] * 5)",
        "len(frame_{})",
    ),
    "2,000 arrays of numpy": (
        "import numpy as np\nfor n in range(2000): globals()[f'array_{n}'] = np.zeros(5)",
        "array_{}.size",
    ),
    "200 generators of numpy": (
        "import numpy as np\nfor n in range(200): globals()[f'rng_{n}'] = np.random.default_rng(n)",
        "len('{}')",
    ),
    "objects in objects, 100,000 deep": (
        "class Node: pass\ntop = last = Node()\nfor n in range(100_000): last.next = last = Node()",
        "len(vars(top)) + {}",
    ),
}

MODEL = '''
shell.run_cell("""
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
generator = np.random.default_rng(7)
X = pd.DataFrame(generator.normal(size=(20_000, 10)), columns=list("abcdefghij"))
y = pd.Series((X["a"] + X["b"] > 0).astype(int))
""")
FIT = "model = LogisticRegression(max_iter=25).fit(X, y)"
'''

FIT = """
plain = [timed(FIT) for _ in range({fits})]
shell.run_line_magic("load_ext", "cellops")
captured = [timed(FIT) for _ in range({fits})]
runs = [timed("%%mlops run\\n" + FIT) for _ in range({fits})]
def on_another_table():
    shell.run_cell("X = X * 1.0001")
    return timed("%%mlops run\\n" + FIT)
show(plain, captured, runs, [on_another_table() for _ in range({fits})])
"""

AUTOLOG = """
plain = [timed(FIT) for _ in range({fits})]
shell.run_cell("import mlflow; mlflow.set_tracking_uri('sqlite:///autolog.db'); mlflow.autolog(silent=True)")
timed(FIT)
show(plain, [timed(FIT) for _ in range(3)])
"""


def load_time(statement: str, folder: Path) -> float:
    return _figures(LOAD.format(statement=statement), folder)[-1]


def _figures(script: str, folder: Path, python: str | Path = sys.executable) -> list[float]:
    """The figures of the last line that a script prints."""
    done = subprocess.run(
        [python, "-c", script], cwd=folder, env=_environment(), capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if line and set(line) <= set("0123456789.e- ")]
    return [float(figure) for figure in lines[-1].split()]


def _environment() -> dict[str, str]:
    """Compiled modules are kept, as an installed package has them."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return own | {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "cellops-bench")}


def loading(folder: Path) -> None:
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


def trivial(folder: Path) -> None:
    print(f"\n| {CELLS} trivial cells, median ms | plain | captured | the first 100 | the last 100 | says itself |")
    print("|---|---|---|---|---|---|")
    libraries = 'shell.run_cell("import numpy, pandas, sklearn.linear_model, matplotlib.pyplot")'
    for title, imports, names in (
        ("an empty namespace", "", 0),
        ("numpy, pandas, scikit-learn, matplotlib", libraries, 0),
        ("the same, and 5,000 names", libraries, 5000),
    ):
        script = SHELL + TRIVIAL.format(imports=imports, names=names, cells=CELLS)
        print(f"| {title} | " + " | ".join(f"{figure:.2f}" for figure in _figures(script, folder)) + " |")


def peer(folder: Path) -> None:
    """ipyflow follows names as capture does; it changes IPython's shell, so it has an environment of its own."""
    figures = "not installed in .venv-ipyflow"
    if IPYFLOW.exists():
        figures = " | ".join(f"{figure:.2f}" for figure in _figures(SHELL + PEER.format(cells=CELLS), folder, IPYFLOW))
    print(f"| an empty namespace, ipyflow in place of cellops | {figures} | |")


def beside(folder: Path) -> None:
    print("\n| a cell that reads one of, or one number of | plain, median ms | captured | more |\n|---|---|---|---|")
    for title, (setup, read) in OBJECTS.items():
        plain, captured = _figures(SHELL + BESIDE.format(setup=setup, read=read, cells=READS), folder)
        print(f"| {title} | {plain:.2f} | {captured:.2f} | {captured - plain:.2f} |")


def fitting(folder: Path) -> None:
    plain, captured, run, another = _figures(SHELL + MODEL + FIT.format(fits=FITS), folder)
    floor, autolog = _figures(SHELL + MODEL + AUTOLOG.format(fits=FITS), folder)
    print("\n| a fit of logistic regression, 20,000 x 10 | median, ms | of the plain cell |\n|---|---|---|")
    for title, time_ms, of in (
        ("plain", plain, plain),
        ("captured", captured, plain),
        ("captured as a run, with model, tables and contract", run, plain),
        ("the same on a table that no model was fitted on before", another, plain),
        ("`mlflow.autolog`", autolog, floor),
    ):
        print(f"| {title} | {time_ms:.1f} | {time_ms / of:.2f} |")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".cellops").mkdir()
        loading(folder)
        trivial(folder)
        peer(folder)
        beside(folder)
        fitting(folder)


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"\nMeasured in {time.perf_counter() - started:.0f} s", file=sys.stderr)
