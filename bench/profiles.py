"""How fast the profile of a table is, beside the floor of sorting and counting its columns, and beside its peers.

Run it as `python bench/profiles.py`; `--rows` makes the table smaller. Minimum of the repetitions. whylogs is measured
where `python -m venv .venv-whylogs && .venv-whylogs/bin/pip install whylogs 'pandas<3' 'numpy<2'` has put it.
"""

import argparse
import inspect
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from cellops.data.summary.summarize import summarize
from timing import fastest

FLOATS, INTEGERS, CATEGORIES, DIFFERENT = 30, 10, 10, 50
WHYLOGS = Path(__file__).parents[1] / ".venv-whylogs" / "bin" / "python"
PEER = """
import sys, time
import numpy as np, pandas as pd, whylogs
FLOATS, INTEGERS, CATEGORIES, DIFFERENT = map(int, sys.argv[2:])
{table}
frame = table(int(sys.argv[1]))
begun = time.perf_counter()
whylogs.log(frame).view()
print(time.perf_counter() - begun)
"""
PEAK = """
import re, sys, time
from pathlib import Path
import numpy, pandas, pyarrow.parquet
from cellops.data.summary.summarize import summarize

def peak():  # in MB; what getrusage says would be that of the process that began this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

before, begun = peak(), time.perf_counter()
summarize(sys.argv[1])
print(time.perf_counter() - begun, before, peak())
"""


def table(rows: int) -> pd.DataFrame:
    """30 columns of floats with 2 % missing values, 10 of integers, 10 of strings with 50 categories."""
    random = np.random.default_rng(0)
    columns: dict[str, object] = {}
    for number in range(FLOATS):
        values = random.normal(size=rows)
        values[random.random(rows) < 0.02] = np.nan
        columns[f"float {number}"] = values
    for number in range(INTEGERS):
        columns[f"integer {number}"] = random.integers(0, 10 ** (number + 1), rows)
    names = np.array([f"category {number}" for number in range(DIFFERENT)], dtype=object)
    for number in range(CATEGORIES):
        columns[f"category {number}"] = random.choice(names, rows)
    return pd.DataFrame(columns)


def floor(frame: pd.DataFrame) -> None:
    for column in (frame[name] for name in frame):
        if column.dtype.kind in "fi":
            np.sort(column.to_numpy())
        else:
            column.value_counts()


def whylogs(rows: int) -> float:
    """In an environment of its own, as it needs an older numpy."""
    script = PEER.format(table=inspect.getsource(table))
    given = map(str, (rows, FLOATS, INTEGERS, CATEGORIES, DIFFERENT))
    done = subprocess.run([WHYLOGS, "-c", script, *given], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def of_a_file(frame: pd.DataFrame, copies: int) -> str:
    """How long a Parquet file takes, and how much memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        held = pa.Table.from_pandas(frame)
        with pq.ParquetWriter(path, held.schema) as writer:
            for _ in range(copies):
                writer.write_table(held)
        done = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True)
        seconds, before, peak = map(float, done.stdout.split())
        size = held.nbytes * copies / 2**20
    return (
        f"| a Parquet file of {copies * len(frame):,} x {frame.shape[1]}, {size:,.0f} MB in memory | {seconds:.2f} s, "
        f"peak {peak:.0f} MB | the imports alone {before:.0f} MB | {(peak - before) / size:.2f} of the table |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--copies", type=int, default=4)
    arguments = parser.parse_args()
    frame = table(arguments.rows)
    ours, least, described = (
        fastest(work, arguments.repetitions)
        for work in (lambda: summarize(frame), lambda: floor(frame), lambda: frame.describe(include="all"))
    )
    shape = f"{len(frame):,} x {frame.shape[1]}"
    print("| what | ours | beside | ratio |\n|---|---|---|---|")
    print(f"| profile of {shape} | {ours:.2f} s | np.sort + value_counts {least:.2f} s | {ours / least:.2f} |")
    print(f"| the same | {ours:.2f} s | pandas describe {described:.2f} s | {ours / described:.2f} |")
    if WHYLOGS.exists():
        peer = whylogs(len(frame))
        print(f"| the same | {ours:.2f} s | whylogs {peer:.2f} s, once | {ours / peer:.3f} |")
    print(of_a_file(frame, arguments.copies))


if __name__ == "__main__":
    main()
