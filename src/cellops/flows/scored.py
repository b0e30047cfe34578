"""The model's answers to the rows of a file, as far as it can give them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from cellops.data.problems import shorten
from cellops.errors import InputError
from cellops.monitoring.windows import Window
from cellops.records.contract import Schema
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cellops.packaging.load import LoadedPackage

MOST_REASONS = 3
LONGEST_SAID = 200
"""Characters of what an estimator says; it may list every category."""


@dataclass
class Unscored:
    """What the model could not answer, gathered window by window."""

    windows: list[tuple[str, int, InputError]] = field(default_factory=list)
    """Label and rows of each window, or part of one, without any answer, and why."""
    answered: set[str] = field(default_factory=set)
    """Labels of the windows of which some rows were answered."""
    rows: int = 0
    """Rows left out so that the others could be answered."""
    why: list[InputError] = field(default_factory=list)

    def findings(self) -> list[Finding]:
        parts = [(rows, error) for label, rows, error in self.windows if label in self.answered]
        left_out = self.rows + sum(rows for rows, _ in parts)
        wholly = {label: error for label, _, error in reversed(self.windows) if label not in self.answered}
        return [
            *_left_out(left_out, [*self.why, *(error for _, error in parts)]),
            *_refused(list(reversed(wholly.items()))),
        ]


@dataclass
class Incomplete:
    """Rows that lack what the model needs, gathered table by table."""

    rows: int = 0
    missing: int = 0
    lacking: dict[str, None] = field(default_factory=dict)
    """The columns that they lack, each once, in the order of the first table."""

    def add(self, schema: Schema, frame: "pd.DataFrame") -> None:
        self.rows += len(frame)
        missing = int(np.sum(~_complete(schema, frame)))
        if missing:
            self.missing += missing
            self.lacking.update({name: None for name in _needed(schema, frame) if frame[name].isna().to_numpy().any()})

    def findings(self) -> list[Finding]:
        if not self.missing:
            return []
        return [
            Finding(
                code="rows-not-scored",
                severity=Severity.WARNING,
                where=", ".join(f"column {name}" for name in self.lacking),
                seen=f"the model cannot answer {self.missing} of {self.rows} rows, for there a value is missing",
                remedy="Fill the values as in training, or train and package the model on data that has missing ones "
                "there",
            )
        ]


def answered(loaded: "LoadedPackage", window: Window, target: str | None, unscored: Unscored) -> Window:
    """The window with the model's answers to the rows that it takes; what it does not take is noted, and why."""
    from cellops.data.decoder import frame_columns
    from cellops.data.tables import doubled

    schema = loaded.contract.schema
    inputs = window.frame[[needed.name for needed in schema.inputs if needed.name in window.frame]]
    window = replace(window, frame=inputs, truth=None if target is None else window.frame[target].to_numpy())
    complete = _complete(schema, inputs)
    twice = doubled(inputs.columns)
    if twice:
        name, times = next(iter(twice.items()))
        fact = f"{times} columns are called {name}"
        error = InputError(fact, remedy="Give each input of the model once", column=name)
        unscored.windows.append((window.label, len(inputs), error))
        return window
    # Without a complete row all are asked, so that the error says what is wrong with them.
    asked = complete if complete.any() else np.ones_like(complete)
    rows, refusals = asked, []
    for narrower in (_fitting, _familiar, None):
        try:
            answers = loaded.predictor.predict(frame_columns(schema, inputs[rows]))
        except Exception as error:  # noqa: BLE001 - an estimator may raise anything on a row that it does not know
            refusals.append(_refusal(error))
        else:
            unscored.rows += int(np.sum(asked & ~rows))
            unscored.why += refusals
            known = None if window.truth is None else window.truth[rows]
            unscored.answered.add(window.label)
            return replace(
                window,
                labels=answers.labels,
                probabilities=answers.probabilities,
                truth=known,
                answered=inputs.index.to_numpy()[rows],
            )
        narrowed = rows if narrower is None else rows & narrower(schema, inputs)
        if not narrowed.any():
            break
        rows = narrowed
    unscored.windows.append((window.label, int(complete.sum()), refusals[0]))
    return window


def _refusal(error: Exception) -> InputError:
    """Why rows were not answered, also where the estimator itself says it."""
    if isinstance(error, InputError):
        return error
    said = (str(error).splitlines() or [""])[0]
    fact = f"the model raised {type(error).__name__}: {shorten(said, LONGEST_SAID)}"
    remedy = "Let the model take such rows, as OneHotEncoder(handle_unknown='ignore') does, and package it again"
    return InputError(fact, remedy=remedy)


def _fitting(schema: Schema, frame: "pd.DataFrame") -> "NDArray[np.bool_]":
    """The rows whose values are of the kinds that the model needs."""
    from cellops.data.arrays import unfit_rows
    from cellops.data.frames import scalars

    fitting = np.ones(len(frame), dtype=bool)
    for needed in schema.inputs:
        if needed.name in frame:
            fitting[unfit_rows(needed, scalars(frame[needed.name]))] = False
    return fitting


def _familiar(schema: Schema, frame: "pd.DataFrame") -> "NDArray[np.bool_]":
    """The rows whose categories the training data had, as far as these are listed."""
    familiar = np.ones(len(frame), dtype=bool)
    for needed in schema.inputs:
        if needed.name in frame and needed.categories is not None:
            values = frame[needed.name].astype(object)
            known = set(needed.categories)
            familiar &= values.map(lambda value, known=known: value in known).to_numpy(bool) | values.isna().to_numpy()
    return familiar


def _needed(schema: Schema, frame: "pd.DataFrame") -> list[str]:
    return [needed.name for needed in schema.inputs if not needed.nullable and needed.name in frame]


def _complete(schema: Schema, frame: "pd.DataFrame") -> "NDArray[np.bool_]":
    """The rows that lack nothing which the model needs."""
    return frame[_needed(schema, frame)].notna().all(axis=1).to_numpy()


def _left_out(rows: int, why: Sequence[InputError]) -> list[Finding]:
    if not rows:
        return []
    facts = list(dict.fromkeys(error.fact for error in why))
    said = "; ".join(facts[:MOST_REASONS])
    return [
        Finding(
            code="rows-not-scored",
            severity=Severity.WARNING,
            where=f"{rows} row{'s' if rows > 1 else ''}",
            seen=f"the model answers the others: {said}",
            remedy=why[0].remedy,
        )
    ]


def _refused(refused: list[tuple[str, InputError]]) -> list[Finding]:
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
