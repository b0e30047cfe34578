"""Prediction logs for reviewers, written as a server writes them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cellops.flows.opening import open_package
from cellops.monitoring import label_log, prediction_log
from cellops.monitoring.answered import Answered
from cellops.settings import load


def write_log(
    package: Path,
    folder: Path,
    chances: Sequence[float],
    *,
    handled: Sequence[str | None] | None = None,
    key: bytes | None = None,
    **values: object,
) -> Path:
    """One request `p` with a row for each probability of the first class, the second has the rest.

    Inputs are the parity rows, over and over; others are given by name, a value for all rows.
    """
    opened = open_package(package, load())
    schema, parity = opened.contract.schema, opened.contract.parity
    rows = len(chances)
    columns = {name: np.resize(np.array(values, dtype=object), rows) for name, values in parity.inputs.items()}
    for field in schema.inputs:
        if field.dtype.startswith(("float", "int")):
            columns[field.name] = columns[field.name].astype(float)
    first = np.array(chances, dtype=float)
    labels = np.array(schema.classes, dtype=object)[np.where(first >= 0.5, 0, 1)] if schema.classes else first
    others = [np.zeros(rows)] * (len(schema.classes) - 2)
    columns |= {name: np.full(rows, value, dtype=object) for name, value in values.items()}
    writer = prediction_log.open_writer(folder, schema, flush_seconds=0.01, segment_rows=10_000, key=key)
    entry = Answered(
        prediction_id="p",
        request_id="r",
        time=10**18,
        received=10**18,
        protocol="v2",
        package=opened.digest,
        columns=columns,
        labels=labels,
        probabilities=np.column_stack([first, 1 - first, *others]) if schema.probabilities else None,
        handled=None if handled is None else np.array(handled, dtype=object),
    )
    writer.append(entry, rows)
    writer.close()
    assert writer.lost_rows == 0
    return folder


def labels_in(folder: Path) -> list[tuple[str, object, object]]:
    """Prediction id, label and reviewer of every label, in order of arrival."""
    frame = label_log.read(folder)
    return list(zip(frame["prediction_id"], frame["label"], frame["reviewer"], strict=True))
