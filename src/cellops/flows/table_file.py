"""The table of a file, as expectations look at it."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import InputError, UsageError

if TYPE_CHECKING:
    import pandas as pd

CSV, PARQUET = {".csv": ",", ".tsv": "\t"}, (".parquet", ".pq")
REMEDY = "Give a CSV or Parquet file, or a folder with Parquet files"


def read_table_file(path: Path) -> "pd.DataFrame":
    """The whole table of a CSV or Parquet file, or of all Parquet files of a folder; names that are doubled stay so.

    Raises
    ------
    UsageError
        When there is no such file, or it cannot be read.
    """
    kind = path.suffix.lower()
    if not path.is_dir() and (not path.is_file() or kind not in {*CSV, *PARQUET}):
        fact = f"{path.name} is no CSV or Parquet file" if path.exists() else f"There is no file {path}"
        raise UsageError(fact, remedy=REMEDY)
    try:
        return _cells(path, CSV[kind]) if kind in CSV and path.is_file() else _columns(path)
    except InputError as error:
        raise UsageError(error.fact, remedy=error.remedy) from error
    except (ValueError, OSError, csv.Error) as error:
        fact = f"{path.name} cannot be read: {(str(error).splitlines() or [type(error).__name__])[0]}"
        raise UsageError(fact, remedy="Write it again as Parquet or CSV") from error


def _columns(path: Path) -> "pd.DataFrame":
    import pandas as pd

    if path.is_file():
        return pd.read_parquet(path)
    import pyarrow as pa

    from cellops.data.summary.parquet_file import chunks_of_parquet

    chunks = [list(zip(*chunk.columns, strict=True)) for chunk in chunks_of_parquet(path, None)]
    frames: list[pd.DataFrame] = [
        pa.Table.from_arrays(list(columns), list(names)).to_pandas() for names, columns in chunks
    ]
    return pd.concat(frames, ignore_index=True)


def _cells(path: Path, separator: str) -> "pd.DataFrame":
    import pandas as pd

    frame: pd.DataFrame = pd.read_csv(path, sep=separator, encoding="utf-8-sig")
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next((row for row in csv.reader(file, delimiter=separator) if row), [])
    if len(set(names)) < len(names) == len(frame.columns):  # pandas renames the second one
        frame.columns = pd.Index(names)
    return frame
