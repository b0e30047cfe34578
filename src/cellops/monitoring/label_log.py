"""What turned out to be true, by prediction id, as it arrives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cellops.monitoring import prediction_log
from cellops.monitoring.log_types import label_kind, times, to_arrow
from cellops.monitoring.segments import SegmentWriter, read_segments
from cellops.records.contract import Schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FOLDER = "labels"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels that came together."""

    prediction_ids: Sequence[str]
    labels: npt.NDArray[Any]
    observed: Sequence[int]
    """When each was seen to be so, in nanoseconds since the epoch, UTC."""
    received: int


@dataclass(frozen=True)
class Joined:
    """Predictions with the labels that have arrived."""

    predictions: "pd.DataFrame"
    """As `prediction_log.read` gives them, with `truth` and `observed`, both missing where no label has come."""
    unknown: "pd.DataFrame"
    """Labels whose prediction is not in the log: they may have come before it, or after it was lost."""


def open_writer(folder: Path, schema: Schema, *, flush_seconds: float, segment_rows: int) -> SegmentWriter[Labelled]:
    """A writer of the labels in the log folder `folder`."""
    return SegmentWriter(folder / FOLDER, batches(schema), flush_seconds=flush_seconds, segment_rows=segment_rows)


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
            }
        )

    return to_batch


def read(folder: Path) -> "pd.DataFrame":
    """The labels in a log folder, in order of arrival: `prediction_id`, `label`, `observed`, `received`.

    Raises
    ------
    InputError
        When a segment is damaged, or the folder holds logs of models that do not go together.
    """
    import pandas as pd

    table = read_segments(folder / FOLDER)
    if table is None:
        return pd.DataFrame()
    frame: pd.DataFrame = table.to_pandas()
    return frame.sort_values("received", kind="stable", ignore_index=True)


def joined(folder: Path) -> Joined:
    """Each prediction with its latest label.

    Raises
    ------
    InputError
        As `read` and `prediction_log.read` do.
    """
    labels = read(folder)
    predictions = prediction_log.read(folder)
    if labels.empty or predictions.empty:
        bare = predictions if predictions.empty else predictions.assign(truth=None, observed=None)
        return Joined(bare, labels)
    known = labels["prediction_id"].isin(predictions["prediction_id"])
    latest = labels[known].drop_duplicates("prediction_id", keep="last").drop(columns="received")
    merged = predictions.merge(latest.rename(columns={"label": "truth"}), on="prediction_id", how="left")
    return Joined(merged, labels[~known].reset_index(drop=True))
