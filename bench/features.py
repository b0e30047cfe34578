"""How fast point-in-time joins and features are, beside pandas measured in the same run.

Run it as `python bench/features.py`. Minimum of the repetitions, one thread.
"""

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd

from cellops.data.features.point_in_time import point_in_time
from cellops.flows.features import features
from timing import fastest

KEYS = 100_000
START = np.datetime64("2026-01-01", "us")


def tables(labels: int, events: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels and events of many customers over a year, in no order; events with ten features."""
    random = np.random.default_rng(0)

    def rows(count: int) -> dict[str, np.ndarray]:
        seconds = random.integers(0, 365 * 86_400, count) * 1_000_000
        return {"customer": random.integers(0, KEYS, count), "at": START + seconds.astype("timedelta64[us]")}

    made = pd.DataFrame(rows(events))
    made["known"] = made["at"] + pd.to_timedelta(random.integers(0, 7 * 86_400, events), unit="s")
    return pd.DataFrame(rows(labels)), made.assign(**{f"v{n}": random.normal(size=events) for n in range(10)})


def by_pandas(labels: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """What one writes with `merge_asof`: sort both, join, and bring the labels back into their order."""
    left = labels.reset_index().sort_values("at")
    right = events.drop(columns="known").sort_values("at", kind="stable")
    right = right.drop_duplicates(["customer", "at"], keep="last")
    return pd.merge_asof(left, right, on="at", by="customer").sort_values("index").drop(columns="index")


def sorts(labels: pd.DataFrame, events: pd.DataFrame) -> None:
    np.sort(labels["at"].to_numpy())
    np.sort(events["at"].to_numpy())


def speed(v0, v1):
    return v0 / v1 if v1 else 0.0


def ratio(frame):
    return frame.v0 / frame.v1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="labels; there are twice as many events")
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    labels, events = tables(arguments.rows, 2 * arguments.rows)
    plain = events.drop(columns="known")
    whole, by_rows = features(ratio), features(speed)
    some = events.iloc[: arguments.rows // 10]
    works: dict[str, Callable[[], object]] = {
        "peer: sort, drop duplicates, merge_asof, sort back": lambda: by_pandas(labels, events),
        "cellops: point_in_time": lambda: point_in_time(labels, plain, key="customer", time="at", findings=[]),
        "cellops: point_in_time with known_at": lambda: point_in_time(
            labels, events, key="customer", time="at", known_at="known", findings=[]
        ),
        "floor: np.sort of both columns of times": lambda: sorts(labels, events),
        "peer: frame.apply row by row, a tenth of the rows": lambda: some.apply(
            lambda row: speed(row.v0, row.v1), axis=1
        ),
        "cellops: a function of two values, the same rows": lambda: by_rows.compute(some),
        "floor: the same function in a list comprehension": lambda: list(
            map(speed, some.v0.tolist(), some.v1.tolist())
        ),
        "cellops: a function of the frame, the same rows": lambda: whole.compute(some),
    }
    print(f"| {arguments.rows:,} labels, {len(events):,} events | seconds |\n|---|---|")
    for name, work in works.items():
        print(f"| {name} | {fastest(work, arguments.repetitions):.3f} |", flush=True)
    right, ours = by_pandas(labels, events), point_in_time(labels, plain, key="customer", time="at", findings=[])
    assert np.array_equal(right["v0"].to_numpy(), ours["v0"].to_numpy(), equal_nan=True)


if __name__ == "__main__":
    main()
