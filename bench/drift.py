"""How fast drift is against a stored profile, beside floors measured in the same run.

Run it as `python bench/drift.py`; `--large` adds 1M rows, `--peer PYTHON` an interpreter that has evidently or nannyml,
`--plot PATH` draws the cost against rows and columns. Minimum of the repetitions; floors and peers run on one thread.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from timing import fastest

if TYPE_CHECKING:
    from cellops.records.profile import ColumnProfile

NUMERIC, TEXT, CATEGORIES, SHIFTED = 40, 10, 20, 10
REFERENCE_ROWS = 100_000
PEER_ROWS = 100_000
ROWS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
COLUMNS = (10, 20, 50, 100, 200)


def table(
    rows: int, seed: int, shift: float = 0.0, columns: int = NUMERIC + TEXT, text: str = "object"
) -> pd.DataFrame:
    """Four in five columns numeric with 2 % missing values, the rest text; the first ten numeric ones are shifted."""
    random = np.random.default_rng(seed)
    numeric = columns * NUMERIC // (NUMERIC + TEXT)
    made: dict[str, object] = {}
    for number in range(numeric):
        values = random.normal(size=rows) + (shift if number < SHIFTED else 0.0)
        values[random.random(rows) < 0.02] = np.nan
        made[f"number {number}"] = values
    names = np.array([f"category {number}" for number in range(CATEGORIES)], dtype=object)
    for number in range(columns - numeric):
        made[f"text {number}"] = pd.Series(random.choice(names, rows), dtype=text)
    return pd.DataFrame(made)


def numbers_of(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame if frame[name].dtype == np.float64]


def texts_of(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame if frame[name].dtype != np.float64]


def scipy_loop(reference: pd.DataFrame, current: pd.DataFrame) -> None:
    """What one would write by hand: KS for numbers, chi-squared for text, both sides raw."""
    import scipy.stats

    for name in reference:
        before, after = reference[name].dropna(), current[name].dropna()
        if reference[name].dtype == np.float64:
            scipy.stats.ks_2samp(before, after, method="asymp")
        else:
            counts = pd.concat([before.value_counts(), after.value_counts()], axis=1).fillna(0)
            scipy.stats.chi2_contingency(counts.T)


def measured(rows: int, repetitions: int, text: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    from cellops.data.profile import profile
    from cellops.monitoring.drift import compare
    from cellops.monitoring.observed import observed
    from cellops.monitoring.windows import whole
    from cellops.records.contract import Contract, Parity, Schema, Task

    reference, current = table(REFERENCE_ROWS, 0, text=text), table(rows, 1, shift=0.5, text=text)
    stored = profile(reference)
    schema = Schema(inputs=(), task=Task.CLASSIFICATION, target="y", classes=(0, 1))
    contract = Contract(schema=schema, profile=stored, parity=Parity(inputs={}, labels=[]))
    (window,) = whole(current)
    numeric, texts = numbers_of(current), texts_of(current)
    edges = {column.name: np.array(column.bins.edges) for column in stored.columns if column.bins}

    def ours() -> object:
        return compare(contract, [window], package="bench", digest="0" * 64, source="bench")

    def counted() -> object:
        return compare(
            contract, [observed(contract, window, counts_only=True)], package="b", digest="0" * 64, source="b"
        )

    def floor_of_counts() -> None:
        for name in numeric:
            np.histogram(current[name].to_numpy(), bins=edges[name])
        for name in texts:
            pc.value_counts(pa.array(current[name], from_pandas=True))

    def floor_of_sorts() -> None:
        for name in numeric:
            np.sort(current[name].to_numpy())

    def floor_of_both() -> None:
        floor_of_sorts()
        for name in texts:
            pc.value_counts(pa.array(current[name], from_pandas=True))

    floors = {
        "floor: np.histogram with the profile's edges, Arrow's value_counts": floor_of_counts,
        "floor: np.sort of the numeric columns": floor_of_sorts,
        "floor: np.sort, Arrow's value_counts": floor_of_both,
    }
    counts, _, both = floors
    works: dict[str, tuple[Callable[[], object], str]] = {
        "counts of all columns": (lambda: observed(contract, window, counts_only=True), counts),
        "counts and all statistics over them": (counted, counts),
        "sorted, counts, moments and sketches of all columns": (lambda: observed(contract, window), both),
        "the whole report": (ours, both),
        "scipy loop: KS and chi-squared, both sides raw": (lambda: scipy_loop(reference, current), both),
    }
    floor_times = {name: fastest(work, repetitions) for name, work in floors.items()}
    lines = [f"| {rows:,} x 50, {text} | {name} | {seconds:.3f} | |" for name, seconds in floor_times.items()]
    for name, (work, floor) in works.items():
        seconds = fastest(work, repetitions)
        lines.append(f"| {rows:,} x 50, {text} | {name} | {seconds:.3f} | {seconds / floor_times[floor]:.2f} |")
    return lines


PEERS = {
    "evidently, its default": """
from evidently import Report
from evidently.presets import DataDriftPreset
work = lambda: Report([DataDriftPreset()]).run(current, reference)
""",
    "nannyml KS, chi-squared": """
import nannyml
work = lambda: nannyml.UnivariateDriftCalculator(
    column_names=list(reference),
    continuous_methods=["kolmogorov_smirnov"],
    categorical_methods=["chi2"],
    chunk_number=1,
).fit(reference).calculate(current)
""",
}
TIMED = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
from drift import PEER_ROWS, table
reference, current = table(PEER_ROWS, 0), table(PEER_ROWS, 1, shift=0.5)
{work}
begun = time.perf_counter()
work()
print(json.dumps(time.perf_counter() - begun))
"""


def two_tests(repetitions: int) -> float:
    """Seconds of Kolmogorov-Smirnov and chi-squared alone, of all columns against a stored profile."""
    from cellops.data.profile import count, profile
    from cellops.monitoring.observed import side_by_side
    from cellops.stats.chi_squared import chi_squared
    from cellops.stats.counts import counts_of
    from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov

    stored, current = profile(table(PEER_ROWS, 0, text="str")), table(PEER_ROWS, 1, shift=0.5, text="str")

    def test(column: "ColumnProfile") -> object:
        values = current[column.name]
        if column.sketch is not None:
            return kolmogorov_smirnov(column.sketch, values)
        return chi_squared(counts_of(column.bins), counts_of(count(column, values)))

    return fastest(lambda: side_by_side(test, stored.columns, PEER_ROWS), repetitions)


def peers(interpreters: list[str], repetitions: int) -> list[str]:
    """What peers take in their own environments, beside our report of the same tables with the profile made anew."""
    whole, tests = cost(PEER_ROWS, NUMERIC + TEXT, repetitions), two_tests(repetitions)
    lines = [
        f"| {PEER_ROWS:,} x 50 | cellops, the whole report against a stored profile | {whole:.3f} | |",
        f"| {PEER_ROWS:,} x 50 | cellops, KS and chi-squared alone, likewise | {tests:.3f} | |",
    ]
    for (name, work), ours in zip(PEERS.items(), (whole, tests), strict=True):
        for interpreter in interpreters:
            command = [interpreter, "-c", TIMED.format(work=work), str(Path(__file__).parent)]
            apart = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=apart)
            if not done.returncode:
                seconds = json.loads(done.stdout.splitlines()[-1])
                lines.append(f"| {PEER_ROWS:,} x 50 | {name} | {seconds:.1f} | {seconds / ours:.0f} x ours |")
            elif "ModuleNotFoundError" not in done.stderr:
                print(f"{name} failed: {done.stderr.splitlines()[-1]}", file=sys.stderr)
    return lines


def cost(rows: int, columns: int, repetitions: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of a report on so many rows and columns, by a clock."""
    from cellops.data.profile import profile
    from cellops.monitoring.drift import compare
    from cellops.monitoring.windows import whole
    from cellops.records.contract import Contract, Parity, Schema, Task

    schema = Schema(inputs=(), task=Task.CLASSIFICATION, target="y", classes=(0, 1))
    stored = profile(table(REFERENCE_ROWS, 0, columns=columns, text="str"))
    contract = Contract(schema=schema, profile=stored, parity=Parity(inputs={}, labels=[]))
    windows = whole(table(rows, 1, columns=columns, text="str"))
    return fastest(lambda: compare(contract, windows, package="b", digest="0" * 64, source="b"), repetitions, clock)


def plot(path: Path, repetitions: int) -> None:
    """Cost against rows and against columns, each with a straight line through it.

    In seconds of the processor, of which several threads take no fewer, and which others at work disturb less.
    """
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "cellops"
    many = NUMERIC + TEXT
    panels = {
        f"rows of {many} columns": (ROWS, [cost(rows, many, repetitions, time.process_time) for rows in ROWS]),
        f"columns of {PEER_ROWS:,} rows": (
            COLUMNS,
            [cost(PEER_ROWS, columns, repetitions, time.process_time) for columns in COLUMNS],
        ),
    }
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for axis, (name, (sizes, seconds)) in zip(axes, panels.items(), strict=True):
        each, fixed = np.polyfit(sizes, seconds, 1)
        ends = np.array([0, sizes[-1]])
        axis.plot(ends, fixed + each * ends, linewidth=0.8, color="#888a85")
        axis.plot(sizes, seconds, marker="o", linestyle="", color="#3465a4")
        axis.set(xlabel=name, ylabel="seconds of the processor", xlim=(0, None), ylim=(0, None))
        axis.xaxis.set_major_formatter("{x:,.0f}")
        axis.locator_params(axis="x", nbins=4)
        axis.grid(visible=True, which="major", linewidth=0.4)
        figures = ", ".join(f"{n:,}: {s:.3f} s" for n, s in zip(sizes, seconds, strict=True))
        print(f"{name}: {figures}; {fixed:.3f} s, and {each * sizes[-1]:.3f} s for {sizes[-1]:,}")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="1M current rows, as Python strings and as Arrow's")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--peer", action="append", default=[], metavar="PYTHON", help="may be given several times")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="an SVG file")
    arguments = parser.parse_args()
    print("| current rows | work | seconds | of its floor |\n|---|---|---|---|")
    for rows, text in ((1_000_000, "str"), (1_000_000, "object")) if arguments.large else ((100_000, "str"),):
        print("\n".join(measured(rows, arguments.repetitions, text)), flush=True)
    if arguments.peer:
        print("\n".join(peers(arguments.peer, arguments.repetitions)), flush=True)
    if arguments.plot:
        plot(arguments.plot, arguments.repetitions)


if __name__ == "__main__":
    main()
