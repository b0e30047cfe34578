"""What turned out to be true, by prediction id, as it arrives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cellops.monitoring.log_frame import to_frame
from cellops.monitoring.log_types import label_kind, moment, times, to_arrow
from cellops.monitoring.segment_files import read_segments
from cellops.monitoring.segments import SegmentWriter
from cellops.records.contract import Schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FOLDER = "labels"
LONGEST_REVIEWER = 120
"""Characters of the name of a reviewer."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels that came together."""

    prediction_ids: Sequence[str]
    labels: npt.NDArray[Any]
    observed: Sequence[int]
    """When each was seen to be so, in nanoseconds since the epoch, UTC."""
    received: int
    reviewers: Sequence[str | None] | None = None
    """Who gave each by looking at the row; None for labels that nobody has reviewed, such as what came to pass."""


def open_writer(
    folder: Path,
    schema: Schema,
    *,
    flush_seconds: float,
    segment_rows: int,
    segment_seconds: float | None = None,
    keep: bool = False,
) -> SegmentWriter[Labelled]:
    """A writer of the labels in the log folder `folder`; its rhythm is that of `SegmentWriter`."""
    return SegmentWriter(
        folder / FOLDER,
        batches(schema),
        flush_seconds=flush_seconds,
        segment_rows=segment_rows,
        segment_seconds=segment_seconds,
        keep=keep,
    )


def batches(schema: Schema) -> "Callable[[Sequence[Labelled]], pa.RecordBatch]":
    """A function that makes one row for each label."""

    def to_batch(entries: Sequence[Labelled]) -> "pa.RecordBatch":
        import pyarrow as pa

        repeats = np.repeat(np.arange(len(entries)), [len(entry.labels) for entry in entries])
        return pa.record_batch(
            {
                "prediction_id": pa.array([name for entry in entries for name in entry.prediction_ids], pa.string()),
                "label": to_arrow([entry.labels for entry in entries], label_kind(schema)),
                "observed": times([time for entry in entries for time in entry.observed]),
                "received": times([entry.received for entry in entries]).take(repeats),
                "reviewer": pa.array([name for entry in entries for name in _reviewers(entry)], pa.string()),
            }
        )

    return to_batch


def _reviewers(entry: Labelled) -> Sequence[str | None]:
    return [None] * len(entry.labels) if entry.reviewers is None else entry.reviewers


def read(folder: Path) -> "pd.DataFrame":
    """The labels in a log folder, in order of arrival, also while a server writes them.

    Returns
    -------
    DataFrame
        `prediction_id`, `label`, `observed` (when it was seen to be so), `received` (when it came), `reviewer`
        (who gave it by looking at the row, missing where nobody did).

    Raises
    ------
    InputError
        When a segment is damaged.
    """
    import pyarrow as pa

    always = {"prediction_id": pa.string(), "label": pa.null(), "observed": moment(), "received": moment()}
    always |= {"reviewer": pa.string()}
    frame = to_frame(read_segments(folder / FOLDER), pa.schema(always))
    # Logs that were written before labels had reviewers have none.
    return frame if "reviewer" in frame else frame.assign(reviewer=None)
