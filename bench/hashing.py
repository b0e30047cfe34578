"""What it costs to pin data by content: tables in memory and files, beside raw XXH3 and pandas' own hashing of rows.

Each figure is the best of several, taken in turn with its peers in one run.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import xxhash

from cellops.capture.content.fingerprint import fingerprint
from cellops.capture.content.rows import row_hashes
from cellops.capture.files.pinning import identify, pin

ROWS, COLUMNS, ROUNDS = 1_000_000, 20, 7
FILE_BYTES = 512 * 2**20


def tables() -> dict[str, tuple[Any, int]]:
    """Tables by title, with their bytes."""
    values = np.random.default_rng(7).normal(size=(ROWS, COLUMNS))
    texts = np.random.default_rng(7).choice(["north", "south", "a longer text"], ROWS)
    columns = {f"c{place}": values[:, place].copy() for place in range(COLUMNS)}
    text = pd.DataFrame({"text": texts})
    return {
        "pandas, columns in a row each": (pd.DataFrame(columns), values.nbytes),
        "pandas, over a row-major array": (pd.DataFrame(values, copy=False), values.nbytes),
        "numpy, row-major": (values, values.nbytes),
        "numpy, column-major": (np.asfortranarray(values), values.nbytes),
        "polars": (pl.DataFrame(columns), values.nbytes),
        "Arrow": (pa.table(columns), values.nbytes),
        "pandas, one column of text": (text, int(text.memory_usage(deep=True).sum())),
        "python's list of floats": (values[:, 0].tolist(), ROWS * 8),
    }


def speed(work: Callable[[], object], size: int) -> float:
    """Gigabytes in a second, at best."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return size / best / 1e9


def main() -> None:
    values = np.random.default_rng(7).normal(size=(ROWS, COLUMNS))
    frame = pd.DataFrame(values)
    raw = speed(lambda: xxhash.xxh3_128(values).digest(), values.nbytes)
    rows = speed(lambda: pd.util.hash_pandas_object(frame), values.nbytes)
    print(f"| {ROWS:,} rows, {COLUMNS} columns | GB/s | of raw XXH3 |\n|---|---|---|")
    print(f"| XXH3 of the bytes | {raw:.1f} | 1.00 |")
    print(f"| `pandas.util.hash_pandas_object` | {rows:.2f} | {rows / raw:.2f} |")
    for title, (table, size) in tables().items():
        assert fingerprint("t", "table", table).method == "full"
        found = speed(lambda table=table: fingerprint("t", "table", table), size)  # type: ignore[misc]
        print(f"| {title} | {found:.2f} | {found / raw:.2f} |")
    sketched = speed(lambda: row_hashes([frame]), values.nbytes)
    print(f"| hashes of rows, to compare training and evaluation | {sketched:.2f} | {sketched / raw:.2f} |")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(values.tobytes()[:FILE_BYTES])
        seen = identify(path)
        assert seen is not None
        found = speed(lambda: pin(path, seen), seen.size)
    print(f"| a file that the system holds in memory | {found:.2f} | {found / raw:.2f} |")


if __name__ == "__main__":
    main()
