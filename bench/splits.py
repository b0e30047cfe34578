"""What it costs to divide a million rows, with and without the record, beside scikit-learn's ways to do it.

Each figure is the best of several, taken in turn with its peer in one run.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit, train_test_split

from cellops.data.splits.divide import divide
from cellops.data.splits.planning import plan_of
from cellops.flows.split import split

ROWS, ROUNDS = 1_000_000, 3


def table() -> pd.DataFrame:
    generator = np.random.default_rng(7)
    numbers = {f"c{place}": generator.normal(size=ROWS) for place in range(10)}
    return pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "group": generator.integers(0, 20_000, ROWS),
            "label": generator.integers(0, 5, ROWS),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 10**8, ROWS), unit="s"),
            **numbers,
        }
    )


def best(work: Callable[[], object]) -> float:
    """Seconds, at best."""
    found = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        found = min(found, time.perf_counter() - started)
    return found


def by_hash(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The bare way: pandas' own hash of the key."""
    is_test = pd.util.hash_array(frame["id"].to_numpy()) >= np.uint64(int(0.8 * 2**64))
    return frame[~is_test], frame[is_test]


def by_time(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    is_test = frame["day"] >= frame["day"].quantile(0.8)
    return frame[~is_test], frame[is_test]


def of_sklearn(splitter: GroupShuffleSplit | StratifiedShuffleSplit, frame: pd.DataFrame, column: str) -> object:
    groups = frame[column] if isinstance(splitter, GroupShuffleSplit) else None
    ((train, test),) = splitter.split(frame, frame["label"], groups)
    return frame.iloc[train], frame.iloc[test]


def main() -> None:
    frame = table()
    groups = GroupShuffleSplit(1, test_size=0.2, random_state=0)
    strata = StratifiedShuffleSplit(1, test_size=0.2, random_state=0)
    peers: dict[str, tuple[dict[str, str], str, Callable[[], object]]] = {
        "random": ({}, "train_test_split", lambda: train_test_split(frame, test_size=0.2, random_state=0)),
        "stratified": (
            {"stratify": "label"},
            "StratifiedShuffleSplit",
            lambda: of_sklearn(strata, frame, "label"),
        ),
        "groups": ({"groups": "group"}, "GroupShuffleSplit", lambda: of_sklearn(groups, frame, "group")),
        "time": ({"time": "day"}, "a quantile and a mask", lambda: by_time(frame)),
        "hashed": ({"key": "id"}, "hash_array and a mask", lambda: by_hash(frame)),
    }
    print(f"| {ROWS:,} x {frame.shape[1]} | divided | with its record | beside | ratio |\n|---|---|---|---|---|")
    for kind, (asked, name, peer) in peers.items():
        plan = plan_of(**asked)
        bare = best(lambda plan=plan: divide(frame, plan).parts())  # type: ignore[misc]
        whole = best(lambda asked=asked: split(frame, **asked))  # type: ignore[misc]
        other = best(peer)
        ratios = f"{bare / other:.1f}; {whole / other:.1f}"
        print(f"| {kind} | {bare:.2f} s | {whole:.2f} s | {name} {other:.2f} s | {ratios} |")


if __name__ == "__main__":
    main()
