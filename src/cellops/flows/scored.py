"""The model's answers to the rows of a file, as far as it can give them."""

from typing import TYPE_CHECKING

import numpy as np

from cellops.errors import InputError
from cellops.monitoring.windows import Window
from cellops.records.contract import Schema
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cellops.packaging.load import LoadedPackage


def answered(
    loaded: "LoadedPackage", window: Window, target: str | None, refused: list[tuple[str, InputError]]
) -> Window:
    """The window with the model's answers to the rows that have all it needs; where it has none, why is noted."""
    from dataclasses import replace

    from cellops.data.decoder import frame_columns

    schema = loaded.contract.schema
    inputs = window.frame[[field.name for field in schema.inputs if field.name in window.frame]]
    window = replace(window, frame=inputs, truth=None if target is None else window.frame[target].to_numpy())
    complete = _complete(schema, inputs)
    try:
        # Without a complete row all are asked, so that the error says what is wrong with them.
        asked = inputs[complete] if complete.any() else inputs
        answers = loaded.predictor.predict(frame_columns(schema, asked))
    except InputError as error:
        refused.append((window.label, error))
        return window
    return replace(
        window,
        labels=answers.labels,
        probabilities=answers.probabilities,
        truth=None if window.truth is None else window.truth[complete],
    )


def _needed(schema: Schema, frame: "pd.DataFrame") -> list[str]:
    return [field.name for field in schema.inputs if not field.nullable and field.name in frame]


def _complete(schema: Schema, frame: "pd.DataFrame") -> "NDArray[np.bool_]":
    """The rows that lack nothing which the model needs."""
    return frame[_needed(schema, frame)].notna().all(axis=1).to_numpy()


def incomplete(schema: Schema, frame: "pd.DataFrame") -> list[Finding]:
    """How many rows the model cannot answer, and which columns they lack."""
    missing = int(np.sum(~_complete(schema, frame)))
    if not missing:
        return []
    lacking = [name for name in _needed(schema, frame) if frame[name].isna().any()]
    return [
        Finding(
            code="rows-not-scored",
            severity=Severity.WARNING,
            where=", ".join(f"column {name}" for name in lacking),
            seen=f"the model cannot answer {missing} of {len(frame)} rows, for there a value is missing",
            remedy="Fill the values as in training, or train and package the model on data that has missing ones there",
        )
    ]


def unscored(refused: list[tuple[str, InputError]]) -> list[Finding]:
    """Windows that the model could not answer at all, those with one remedy together."""
    from cellops.monitoring.findings import places

    same: dict[str, list[tuple[str, InputError]]] = {}
    for label, error in refused:
        same.setdefault(error.remedy, []).append((label, error))
    return [
        Finding(
            code="window-not-scored",
            severity=Severity.ERROR,
            where=f"window{'s' if len(group) > 1 else ''} {places([label for label, _ in group])}",
            seen=f"the model cannot answer these rows: {group[0][1].fact}",
            remedy=remedy,
        )
        for remedy, group in same.items()
    ]
