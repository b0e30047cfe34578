"""How fast drift is against a stored profile, beside floors measured in the same run.

Run it as `python bench/drift.py`; `--large` adds 1M rows. Minimum of the repetitions, one thread.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy.stats

from cellops.data.profile import observe, profile
from cellops.monitoring.drift import compare
from cellops.monitoring.windows import whole
from cellops.records.contract import Contract, Parity, Schema, Task

NUMERIC, TEXT, CATEGORIES, SHIFTED = 40, 10, 20, 10


def table(rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """40 numeric columns with 2 % missing values and 10 text columns; the first ten numeric ones are shifted."""
    random = np.random.default_rng(seed)
    columns = {}
    for number in range(NUMERIC):
        values = random.normal(size=rows) + (shift if number < SHIFTED else 0.0)
        values[random.random(rows) < 0.02] = np.nan
        columns[f"number {number}"] = values
    names = np.array([f"category {number}" for number in range(CATEGORIES)], dtype=object)
    for number in range(TEXT):
        columns[f"text {number}"] = random.choice(names, rows)
    return pd.DataFrame(columns)


def fastest(work: Callable[[], object], repetitions: int) -> float:
    times = []
    for _ in range(repetitions):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def scipy_loop(reference: pd.DataFrame, current: pd.DataFrame) -> None:
    """What one would write by hand: KS for numbers, chi-squared for text, both sides raw."""
    for name in reference:
        before, after = reference[name].dropna(), current[name].dropna()
        if reference[name].dtype == np.float64:
            scipy.stats.ks_2samp(before, after, method="asymp")
        else:
            counts = pd.concat([before.value_counts(), after.value_counts()], axis=1).fillna(0)
            scipy.stats.chi2_contingency(counts.T)


def histograms(current: pd.DataFrame) -> None:
    for name in [name for name in current if current[name].dtype == np.float64]:
        np.histogram(current[name].to_numpy(), bins=np.linspace(-4, 4, 11))


def sorts(current: pd.DataFrame) -> None:
    for name in [name for name in current if current[name].dtype == np.float64]:
        np.sort(current[name].to_numpy())


def value_counts(current: pd.DataFrame) -> None:
    for name in [name for name in current if current[name].dtype != np.float64]:
        current[name].value_counts()


def measured(rows: int, repetitions: int) -> list[str]:
    reference, current = table(100_000, 0), table(rows, 1, shift=0.5)
    stored = profile(reference)
    schema = Schema(inputs=(), task=Task.CLASSIFICATION, target="y", classes=(0, 1))
    contract = Contract(schema=schema, profile=stored, parity=Parity(inputs={}, labels=[]))

    def ours() -> object:
        return compare(contract, whole(current), package="bench", digest="0" * 64, source="bench")

    def observed() -> None:
        for column in stored.columns:
            observe(column, current[column.name])

    works: dict[str, Callable[[], object]] = {
        "cellops: all six statistics, verdicts, adjusted": ours,
        "of which binning and sketching": observed,
        "cellops: making the profile": lambda: profile(current),
        "floor: np.sort of the numeric columns": lambda: sorts(current),
        "floor: np.histogram of the numeric columns": lambda: histograms(current),
        "floor: value_counts of the text columns": lambda: value_counts(current),
        "scipy loop: KS and chi-squared, both sides raw": lambda: scipy_loop(reference, current),
    }
    times = {name: fastest(work, repetitions) for name, work in works.items()}
    base = times["cellops: all six statistics, verdicts, adjusted"]
    moved = [column.column for column in ours().windows[0].columns if column.verdict != "stable"]
    false = [name for name in moved if int(name.split()[1]) >= SHIFTED or name.startswith("text")]
    return [
        *(f"| {rows:,} x 50 | {name} | {seconds:.3f} | {seconds / base:.2f} |" for name, seconds in times.items()),
        f"| {rows:,} x 50 | flagged of {SHIFTED} shifted / false alarms | {len(moved) - len(false)} / {len(false)} | |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also 1M current rows")
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    print("| current rows | work | seconds | x ours |\n|---|---|---|---|")
    for rows in (100_000, 1_000_000) if arguments.large else (100_000,):
        print("\n".join(measured(rows, arguments.repetitions)), flush=True)


if __name__ == "__main__":
    main()
