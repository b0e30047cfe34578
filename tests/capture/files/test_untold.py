"""Readers of other languages are told to read a path for certain, or the cell says that nobody knows which."""

import io
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from cellops.capture.dataflow.analysis import analyse
from cellops.capture.files.untold import untold_reads

NAMESPACE = {
    "pd": pd,
    "pl": pl,
    "pq": pq,
    "np": np,
    "duckdb": duckdb,
    "Path": Path,
    "connection": duckdb.connect(),
    "frame": pd.DataFrame(),
    "f": "a.csv",
    "folder": Path("d"),
    "names": ["a", "b"],
    "buffer": io.BytesIO(),
    "C": type("C", (), {"path": "a.csv"}),
    "p": "d/b.parquet",
    "by_function": "d/b.parquet",
    "query": "select 1",
}


@pytest.mark.parametrize(
    ("cell", "reader"),
    [
        ("for p in sorted(Path('d').glob('*.parquet')): pd.read_parquet(p)", "read_parquet"),
        ("sum(pd.read_parquet(p).x.sum() for p in ['d/a.parquet', 'd/b.parquet'])", "read_parquet"),
        ("[pd.read_parquet(f'd/{name}.parquet') for name in names]", "read_parquet"),
        ("def get(n):\n    return pd.read_parquet(f'd/{n}.parquet')", "read_parquet"),
        ("get = lambda: pl.read_csv('a.csv')", "read_csv"),
        ("def get():\n    import polars\n    return polars.scan_csv('a.csv')", "scan_csv"),
        ("pl.scan_csv(C.path)", "scan_csv"),
        ("f = 'a.csv'\nt = pl.read_csv(f)\nf = 'done'", "read_csv"),
        ("t = pl.read_csv(f); f = 'a.csv'", "read_csv"),
        ("if t:\n    f = 'a.csv'\nt = pl.read_csv(f)", "read_csv"),
        ("t = pl.read_csv(f)\ndel f", "read_csv"),
        ("pl.read_csv(names[0])\nnames.sort()", "read_csv"),
        ("os.chdir('sub'); pl.read_csv('a.csv'); os.chdir('..')", "read_csv"),
        ("get_ipython().run_line_magic('cd', 'sub')\npl.read_csv('a.csv')", "read_csv"),
        ("pl.read_csv(*names)", "read_csv"),
        ("pl.read_csv(source=missing)", "read_csv"),
        ("pq.read_table(next(paths))", "read_table"),
        ("for table in names: connection.execute(f\"from '{table}.csv'\")", "execute"),
        ("duckdb.connect(str(missing))", "connect"),
        ("go_on()\npd.read_parquet(by_function)", "read_parquet"),
        ("get_ipython().run_line_magic('store', '-r rows')", "%store"),
    ],
)
def test_a_path_that_the_source_does_not_show_for_certain_is_told(cell: str, reader: str) -> None:
    assert untold_reads(analyse(cell), NAMESPACE, {"by_function"}) == (reader,)


@pytest.mark.parametrize(
    "cell",
    [
        "pl.read_csv('a.csv')",
        "f = 'a.csv'; t = pl.read_csv(f)",
        "t = pl.read_csv(folder / 'a.csv')",
        "import os\nos.chdir('sub')\npl.read_csv('/data/a.csv')",
        "for _ in range(2): pd.read_parquet(p)",
        "pl.scan_csv(source=['a.csv', f])",
        "pd.read_csv(missing)",
        "for f in names: pd.read_csv(f), np.load(f)",
        "pl.read_parquet(buffer), pq.ParquetFile(buffer)",
        "pl.read_csv(open(missing, 'rb'))",
        "pl.from_arrow(frame)",
        "connection = duckdb.connect()\nconnection.sql(query)\nframe.query(missing)",
        "def read_parquet(path): return path\nread_parquet(p)[missing]",
    ],
)
def test_what_the_source_shows_or_python_hears_of_is_known(cell: str) -> None:
    namespace = {**NAMESPACE, "read_parquet": _of_the_notebook}
    assert untold_reads(analyse(cell), namespace, set()) == ()


def _of_the_notebook(path: str) -> str:
    return path


_of_the_notebook.__module__ = "__main__"
