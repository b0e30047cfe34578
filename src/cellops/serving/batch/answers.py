"""The tables that a chunk becomes: its answers, and the rows that have none."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.batch.chunk import Chunk
from cellops.errors import UsageError
from cellops.packaging.load import LoadedPackage
from cellops.records.contract import Schema, Task

if TYPE_CHECKING:
    from cellops.serving.batch.scorer import Answers

PREDICTION, PROBABILITY, PACKAGE, ID, NOTES = "prediction", "probability_", "package", "prediction_id", "notes"
ROW, COLUMN, PROBLEM = "row", "column", "problem"
VERSION = 12
"""Digits of the digest that name a version, as everywhere."""


def answers_table(
    package: LoadedPackage,
    chunk: Chunk,
    keep: Sequence[str],
    answers: "Sequence[Answers]",
    identifier: str,
    *,
    has_notes: bool,
) -> Any:
    """The answered rows in their order: what is kept of the input, and what was answered.

    Parameters
    ----------
    package
        That has answered.
    chunk, keep
        The rows, and the columns of them that are kept.
    answers
        To some of the rows each, to none of them twice.
    identifier
        Of the answers; with the number of a row in the chunk it is that row's.
    has_notes
        Whether it is told what was done to rows besides answering them.

    Raises
    ------
    UsageError
        When a column that is kept is called as one of ours.
    """
    import pyarrow as pa

    schema = package.contract.schema
    rows = np.concatenate([one.rows for one in answers]) if answers else np.empty(0, dtype=np.intp)
    order = np.argsort(rows, kind="stable")
    is_whole = len(answers) == 1 and len(rows) == chunk.rows
    rows = rows[order]
    kept = _kept(chunk, keep, None if is_whole else rows)
    made: dict[str, Any] = {PREDICTION: _labels(schema, answers, order)}
    for place, name in enumerate(_chances(schema)):
        values = [
            one.predictions.probabilities[:, place] for one in answers if one.predictions.probabilities is not None
        ]
        made[name] = pa.array(np.concatenate(values)[order] if values else [], pa.float64())
    made[PACKAGE] = _packages(package, answers, order)
    made[ID] = row_ids(identifier, pa.array(rows, pa.int64()))
    if has_notes:
        notes = [_or_none(one.notes, len(one.rows)) for one in answers]
        made[NOTES] = pa.array(np.concatenate(notes)[order].tolist() if notes else [], pa.string())
    taken = [name for name in kept.column_names if name in made]
    if taken:
        fact = f"{chunk.file} has a column {taken[0]}, and so is called what is answered"
        raise UsageError(fact, remedy="Name the columns to keep with --keep, without this one")
    for name, values in made.items():
        kept = kept.append_column(name, values)
    return kept


def row_ids(identifier: str, rows: Any) -> Any:
    """The prediction id of each row: that of the chunk, and its number in it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(identifier, rows.cast(pa.string()), ":")


def rejects_table(chunk: Chunk, keep: Sequence[str], rejected: Mapping[int, tuple[str, str]]) -> Any:
    """The rows that have no answer, with their place and why; of the input only what is kept."""
    import pyarrow as pa

    rows = sorted(rejected)
    table = _kept(chunk, [name for name in keep if name not in ("file", ROW, COLUMN, PROBLEM)], np.array(rows))
    table = table.append_column("file", pa.array([chunk.file] * len(rows), pa.string()))
    table = table.append_column(ROW, pa.array([chunk.first + row for row in rows], pa.int64()))
    table = table.append_column(COLUMN, pa.array([rejected[row][0] or None for row in rows], pa.string()))
    return table.append_column(PROBLEM, pa.array([rejected[row][1] for row in rows], pa.string()))


def _kept(chunk: Chunk, keep: Sequence[str], rows: Any) -> Any:
    """Columns of the input, without the dictionaries that each chunk has of its own."""
    import pyarrow as pa

    table = chunk.table.select(list(keep))
    table = table if rows is None else table.take(pa.array(rows, pa.int64()))
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, plain)
    if not keep:
        # A table without columns has no length.
        count = chunk.rows if rows is None else len(rows)
        table = pa.table({ROW: pa.nulls(count)}).select([])
    return table


def _labels(schema: Schema, answers: "Sequence[Answers]", order: Any) -> Any:
    import pyarrow as pa

    if schema.task is Task.REGRESSION:
        kind = pa.float64()
    else:
        kinds = {type(known) for known in schema.classes}
        plain = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
        kind = plain.get(next(iter(kinds)), pa.string()) if len(kinds) == 1 else pa.string()
    labels = np.concatenate([one.predictions.labels for one in answers])[order] if answers else np.empty(0)
    if kind == pa.string():
        return pa.array([str(label) for label in labels.tolist()], kind)
    return pa.array(labels.tolist() if labels.dtype.kind == "O" else labels).cast(kind)


def _chances(schema: Schema) -> list[str]:
    return [f"{PROBABILITY}{known}" for known in schema.classes] if schema.probabilities else []


def _packages(package: LoadedPackage, answers: "Sequence[Answers]", order: Any) -> Any:
    import pyarrow as pa

    version = package.digest[:VERSION]
    if all(one.packages is None for one in answers):
        return pa.repeat(pa.scalar(version), len(order))
    each = [np.full(len(one.rows), package.digest) if one.packages is None else one.packages for one in answers]
    return pa.array([digest[:VERSION] for digest in np.concatenate(each)[order].tolist()], pa.string())


def _or_none(notes: Any, rows: int) -> Any:
    return np.full(rows, None, dtype=object) if notes is None else notes
