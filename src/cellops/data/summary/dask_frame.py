"""DataFrames of Dask: a summary for each partition, made where it lies, merged in a tree."""

from typing import Any

from cellops.data.summary.chunk import Chunk
from cellops.data.summary.table import TableSummary

TOGETHER = 8


def is_dask(source: Any) -> bool:
    """Whether it is a DataFrame of Dask; Dask is not imported for that."""
    return type(source).__module__.partition(".")[0] in ("dask", "dask_expr") and hasattr(source, "to_delayed")


def summarize_dask(frame: Any) -> TableSummary:
    """The summary of all partitions, on whatever scheduler is set; the rows do not leave their workers."""
    from dask.delayed import delayed

    level = [delayed(_summary)(partition) for partition in frame.to_delayed()]
    while len(level) > 1:
        level = [delayed(_merged)(level[at : at + TOGETHER]) for at in range(0, len(level), TOGETHER)]
    found: TableSummary = level[0].compute()
    return found


def _summary(frame: Any) -> TableSummary:
    return Chunk.of_frame(frame).summary()


def _merged(parts: list[TableSummary]) -> TableSummary:
    return TableSummary.merged(parts)
