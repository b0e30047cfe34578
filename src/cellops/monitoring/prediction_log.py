"""What a server answered, row by row: the inputs, the answer, and when it happened."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from cellops.data.matrix import array_of, transposed
from cellops.monitoring import label_log
from cellops.monitoring.answered import Answered, Held, unpacked
from cellops.monitoring.log_frame import to_frame
from cellops.monitoring.log_types import label_kind, moment, times, to_arrow
from cellops.monitoring.personal import is_hashed, keyed
from cellops.monitoring.segment_files import read_segments
from cellops.monitoring.segments import ROOM, Room, SegmentWriter
from cellops.records.contract import Schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FOLDER = "predictions"
INPUT = "input."
"""Before the name of each input, so that an input may be called `label` or `time`."""
PROBABILITY = "probability."
"""Before each class, for its probability."""
HASHED = "hashed."
"""Before the name of each input that is logged as hashes."""
NUMBER_BYTES = 8
Repeats: TypeAlias = npt.NDArray[np.intp] | None
"""The number of its request for each row; None where each request has one row."""


@dataclass(frozen=True)
class Joined:
    """Predictions with the labels that have arrived."""

    predictions: "pd.DataFrame"
    """As `read` gives them, with `truth`, `observed` and `reviewer`, missing where no label has come."""
    unknown: "pd.DataFrame"
    """Labels whose prediction no package has logged, as `label_log.read` gives them."""


def open_writer(
    folder: Path,
    schema: Schema,
    *,
    flush_seconds: float,
    segment_rows: int,
    segment_seconds: float | None = None,
    keep: bool = False,
    key: bytes | None = None,
    on_written: "Callable[[pa.RecordBatch], None]" = lambda _batch: None,
    room: Room = ROOM,
) -> SegmentWriter[Answered]:
    """A writer of the predictions in the log folder `folder`; its rhythm and its room are those of `SegmentWriter`.

    With `key`, columns that are declared to be hashed are; without it they are left out.
    """
    return SegmentWriter(
        folder / FOLDER,
        batches(schema, key),
        flush_seconds=flush_seconds,
        segment_rows=segment_rows,
        segment_seconds=segment_seconds,
        keep=keep,
        on_written=on_written,
        room=room,
        weigh=_weight,
        pack=Answered.packed,
    )


def _weight(entry: Answered) -> int:
    """About the bytes of a request in memory: its text, or what its rows take when they were packed in the body."""
    return max(entry.size, NUMBER_BYTES * len(entry.labels) * len(entry.columns))


def batches(schema: Schema, key: bytes | None = None) -> "Callable[[Sequence[Held]], pa.RecordBatch]":
    """A function that makes rows of answered requests: one row for each row of theirs."""

    def to_batch(entries: Sequence[Held]) -> "pa.RecordBatch":
        import pyarrow as pa

        parts = unpacked(entries)
        # One part for several requests has a row of each.
        rows = [len(part.labels) for part in parts] if len(parts) == len(entries) else [1] * len(entries)
        repeats = None if max(rows) == 1 == min(rows) else np.repeat(np.arange(len(entries)), rows)
        columns: dict[str, Any] = {
            "prediction_id": _ids(entries, rows, repeats),
            "request_id": _taken(pa.array([entry.request_id for entry in entries]), repeats),
            "time": _taken(times([entry.time for entry in entries]), repeats),
            "received": _taken(times([entry.received for entry in entries]), repeats),
            "protocol": _taken(_words([entry.protocol for entry in entries]), repeats),
            "package": _packages(entries, parts, rows, repeats),
            "handled": _handled(parts, rows),
            "label": to_arrow([part.labels for part in parts], label_kind(schema)),
        }
        if schema.probabilities:
            chances = np.concatenate([part.probabilities for part in parts if part.probabilities is not None])
            columns |= {f"{PROBABILITY}{name}": pa.array(chances[:, i]) for i, name in enumerate(schema.classes)}
        for field, values in zip(schema.inputs, _inputs(schema, [part.columns for part in parts]), strict=True):
            if field.personal is not None and not is_hashed(field, key):
                continue
            if field.personal is None or key is None:
                columns[f"{INPUT}{field.name}"] = values
            else:
                columns[f"{HASHED}{field.name}"] = keyed(values, key)
        return pa.record_batch(columns)

    return to_batch


def _taken(values: "pa.Array", repeats: Repeats) -> "pa.Array":
    """What is said of each request, for each of its rows."""
    return values if repeats is None else values.take(repeats)


def _words(values: Sequence[str]) -> "pa.Array":
    """Words of which mostly all are the same."""
    import pyarrow as pa

    first, *others = set(values)
    return pa.array(values) if others else pa.repeat(pa.scalar(first), len(values))


def _ids(entries: Sequence[Held], rows: Sequence[int], repeats: Repeats) -> "pa.Array":
    """The id of each row: that of its request, with its number there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    requests = pa.array([entry.prediction_id for entry in entries], type=pa.string())
    if repeats is None:
        return pc.binary_join_element_wise(requests, "0", ":")
    starts = np.cumsum(rows) - rows
    numbers = pa.array(np.arange(len(repeats)) - starts[repeats]).cast(pa.string())
    return pc.binary_join_element_wise(requests.take(repeats), numbers, ":")


def _inputs(schema: Schema, tables: Sequence[Mapping[str, npt.NDArray[Any]]]) -> "Iterator[pa.Array]":
    """Each input of all tables; tables that are matrices of numbers are put together once for all inputs."""
    import pyarrow as pa

    names = tuple(field.name for field in schema.inputs)
    matrices = [array_of(table, names) for table in tables]
    whole = [matrix for matrix in matrices if matrix is not None]
    if len(whole) == len(tables):
        yield from map(pa.array, transposed(whole))
    else:
        yield from (to_arrow([table[field.name] for table in tables], field.kind) for field in schema.inputs)


def _packages(entries: Sequence[Held], parts: Sequence[Answered], rows: Sequence[int], repeats: Repeats) -> "pa.Array":
    import pyarrow as pa

    if all(part.packages is None for part in parts):
        return _taken(_words([entry.package for entry in entries]), repeats)
    each = [
        np.full(count, part.package, dtype=object) if part.packages is None else part.packages
        for part, count in zip(parts, rows, strict=True)
    ]
    return pa.array(np.concatenate(each), type=pa.string())


def _handled(parts: Sequence[Answered], rows: Sequence[int]) -> "pa.Array":
    import pyarrow as pa

    if all(part.handled is None for part in parts):
        return pa.nulls(sum(rows), pa.string())
    each = [
        np.full(count, None, dtype=object) if part.handled is None else part.handled
        for part, count in zip(parts, rows, strict=True)
    ]
    return pa.array(np.concatenate(each), type=pa.string())


def read(folder: Path, package: str | None = None) -> "pd.DataFrame":
    """The predictions in a log folder, in order of arrival, also while a server writes them.

    Parameters
    ----------
    folder
        The log folder.
    package
        The digest of a package: only its predictions, with its columns only. Default: those of all packages.

    Returns
    -------
    DataFrame
        `prediction_id`, `request_id`, `time` (when it happened), `received` (when it was asked), `protocol`, `package`
        (that answered), `handled` (what was done to the row besides, such as a default put in), `label`, then
        `probability.CLASS` for each class and `input.COLUMN` for each input, as it was received, or `hashed.COLUMN` for
        one that is personal. A column that only other packages have is missing in a row; one that packages fill with
        different types has the dtype `object`.

    Raises
    ------
    InputError
        When a segment is damaged.
    """
    return _frame(read_segments(folder / FOLDER), package)


def joined(folder: Path, package: str | None = None) -> Joined:
    """Each prediction with its label that arrived last; parameters and errors are those of `read`."""
    segments = read_segments(folder / FOLDER)
    predictions, labels = _frame(segments, package), label_log.read(folder)
    logged = {name for segment in segments for name in segment["prediction_id"].to_pylist()}
    unknown = labels[~labels["prediction_id"].isin(logged)].reset_index(drop=True)
    wanted = labels["prediction_id"].isin(predictions["prediction_id"])
    latest = labels[wanted].drop_duplicates("prediction_id", keep="last").infer_objects()
    latest = latest.drop(columns="received").rename(columns={"label": "truth"})
    if len(latest) < predictions["prediction_id"].nunique() and latest["truth"].dtype.kind in "iub":
        # Beside a missing label, pandas would turn integers into floats.
        latest["truth"] = latest["truth"].astype(object)
    return Joined(predictions.merge(latest, on="prediction_id", how="left"), unknown)


def inputs(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The model's inputs in a table of predictions, under their own names."""
    return _unprefixed(frame, INPUT)


def probabilities(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The probabilities in a table of predictions, one column a class."""
    return _unprefixed(frame, PROBABILITY)


def _frame(segments: "Sequence[pa.Table]", package: str | None) -> "pd.DataFrame":
    import pyarrow as pa
    import pyarrow.compute as pc

    always = {"prediction_id": pa.string(), "request_id": pa.string(), "time": moment(), "received": moment()}
    always |= {"protocol": pa.string(), "package": pa.string(), "handled": pa.string(), "label": pa.null()}
    if package is not None:
        segments = [segment.filter(pc.equal(segment["package"], package)) for segment in segments]
    return to_frame(segments, pa.schema(always))


def _unprefixed(frame: "pd.DataFrame", prefix: str) -> "pd.DataFrame":
    names = [name for name in frame.columns if name.startswith(prefix)]
    return frame[names].rename(columns={name: name.removeprefix(prefix) for name in names})
