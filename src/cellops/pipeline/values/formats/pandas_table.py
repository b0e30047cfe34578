"""Frames of pandas as Arrow's file format, where Arrow gives back the same frame."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.pipeline.values.formats.types import of_library

if TYPE_CHECKING:
    import pandas as pd

SUFFIX = "pandas.arrow"
UNLIKE = frozenset({"object", "Float32", "Float64"})
"""Types that tell None or a missing value from NaN, which Arrow's way back does not."""


def accepts(value: object) -> bool:
    """Whether a value is exactly a frame whose columns, index and dtypes come back as they are.

    Columns of objects do not (None becomes NaN, a tuple a list), nor labels that are no texts, nor the frequency of an
    index of times, nor `attrs` and flags.
    """
    if not of_library(value, "pandas", "DataFrame"):
        return False
    frame: pd.DataFrame = value  # type: ignore[assignment]
    if frame.attrs or not frame.flags.allows_duplicate_labels:
        return False
    return _plain_labels(frame) and _plain_index(frame) and _comes_back(frame)


def write(value: Any, path: Path) -> None:
    import pyarrow as pa

    table = pa.Table.from_pandas(value)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def read(path: Path) -> Any:
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as source:
        table = pa.ipc.open_file(source).read_all()
    # Arrow's own memory can only be read; a frame of the notebook can be written.
    return table.to_pandas().copy()


def _plain_labels(frame: "pd.DataFrame") -> bool:
    import pandas as pd

    columns = frame.columns
    if isinstance(columns, pd.MultiIndex) or columns.name is not None or not columns.is_unique:
        return False
    return all(type(label) is str for label in columns)


def _plain_index(frame: "pd.DataFrame") -> bool:
    import pandas as pd

    index = frame.index
    if isinstance(index, pd.MultiIndex) or getattr(index, "freq", None) is not None:
        return False
    return index.name is None or (type(index.name) is str and index.name not in frame.columns)


def _comes_back(frame: "pd.DataFrame") -> bool:
    """Whether the types survive the way to Arrow and back, seen on the frame without its rows."""
    import pyarrow as pa

    kinds = [frame.index.dtype, *frame.dtypes]
    if any(str(kind) in UNLIKE for kind in kinds):
        return False
    head = frame.iloc[:0]
    try:
        back: pd.DataFrame = pa.Table.from_pandas(head).to_pandas()
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError):
        return False
    same_index = type(back.index) is type(head.index) and back.index.dtype == head.index.dtype
    return same_index and list(back.dtypes) == list(head.dtypes) and back.columns.dtype == head.columns.dtype
