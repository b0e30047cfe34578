"""Labels that arrive later: `POST /feedback` with `{"labels": [{"prediction_id", "label", …}, …]}`.

Beside those two a label may have `observed`, when it was seen to be so, and `reviewer`, who has looked at the row. With
`"foreign": true` labels are taken also where other servers have made the predictions.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from cellops.data.arrays import Array, build_column
from cellops.data.problems import SHOWN, Problem, refuse, row_numbers
from cellops.errors import InputError, NotReadyError
from cellops.monitoring.label_log import LONGEST_REVIEWER, Labelled
from cellops.monitoring.log_types import label_kind
from cellops.records.contract import Field, Schema
from cellops.records.profile import ColumnKind
from cellops.serving.limits import Limits
from cellops.serving.prediction_ids import PredictionIds
from cellops.serving.protocols.parsing import parse_object, refuse_unknown
from cellops.serving.protocols.protocol import Body

FIELDS = ("prediction_id", "label", "observed", "reviewer")
ID = re.compile(r"[!-~]{1,160}")
"""Prediction ids of other servers are taken too: their logs may be joined with this one's."""

WITHOUT_ROW = re.compile(r"[0-9a-f]{32}")
"""An answer's id; a label is that of one row."""


class Labels(msgspec.Struct, frozen=True):
    """The labels of a request, not yet looked at."""

    each: list[dict[str, Any]]
    foreign: bool = False
    """Whether they may speak of predictions that no server of the model has made."""


def labels_of(body: Body) -> Labels:
    """The labels in a body.

    Raises
    ------
    InputError
        When it has none, or says something else.
    """
    document = parse_object(body)
    refuse_unknown(document, ("labels", "foreign"))
    labels = document.get("labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(label, dict) for label in labels):
        fact = "The body has no list of labels"
        raise InputError(fact, remedy='Send {"labels": [{"prediction_id": "ANSWER:ROW", "label": …}]}')
    foreign = document.get("foreign", False)
    if not isinstance(foreign, bool):
        fact = "foreign is neither true nor false"
        raise InputError(fact, remedy='Send "foreign": true, or leave it out')
    return Labels(labels, foreign)


class Feedback:
    """Takes labels: all of a request, or none of it."""

    def __init__(
        self, schema: Schema, limits: Limits, ids: PredictionIds, record: Callable[[Labelled, int], bool]
    ) -> None:
        self._schema = schema
        self._ids = ids
        self._limits = limits
        self._record = record
        self._fields = (
            Field(name="prediction_id", kind=ColumnKind.TEXT, dtype="str", nullable=False),
            Field(name="label", kind=label_kind(schema), dtype="object", nullable=False),
            Field(name="observed", kind=ColumnKind.DATETIME, dtype="datetime64[ns]", nullable=True),
            Field(name="reviewer", kind=ColumnKind.TEXT, dtype="str", nullable=True),
        )

    def take(self, labels: Labels, received: int) -> dict[str, int]:
        """Log the labels of a request; gives how many were taken, and how many of them speak of no answer from here.

        Parameters
        ----------
        labels
            Those of one request.
        received
            When they came, in nanoseconds since the epoch.

        Raises
        ------
        InputError
            When one has no prediction id, or that of no prediction of the model, is not a class of the model, or is of
            the wrong type.
        NotReadyError
            When the log cannot take them now; none was taken.
        """
        self._limits.check_rows(len(labels.each))
        refuse_unknown(dict.fromkeys(name for label in labels.each for name in label), FIELDS, "A label")
        ids, values, observed, reviewers = self._columns(labels.each)
        _check_ids(ids)
        unknown = [row for row, name in enumerate(ids) if not self._ids.issued(name)]
        if unknown and not labels.foreign:
            _refuse_unknown_ids(unknown)
        _check_reviewers(reviewers)
        self._check_classes(values)
        times = np.where(np.isnat(observed), np.datetime64(received, "ns"), observed).astype(np.int64)
        entry = Labelled(
            prediction_ids=ids.tolist(),
            labels=values,
            observed=times.tolist(),
            received=received,
            reviewers=reviewers.tolist(),
        )
        if not self._record(entry, len(ids)):
            fact = "The label log cannot take more now"
            raise NotReadyError(fact, remedy="Send the labels again later")
        return {"accepted": len(ids), "unknown": len(unknown)}

    def _columns(self, labels: list[dict[str, Any]]) -> list[Any]:
        arrays, problems = [], []
        for field in self._fields:
            array, wrong = build_column(field, [label.get(field.name) for label in labels])
            arrays.append(array)
            problems += wrong
        refuse(problems)
        return arrays

    def _check_classes(self, values: Any) -> None:
        classes = set(self._schema.classes)
        strange = [row for row, value in enumerate(values.tolist()) if classes and value not in classes]
        if strange:
            fact = f"Column label, {row_numbers(strange)}: not a class of the model"
            shown = ", ".join(repr(name) for name in self._schema.classes[:20])
            refuse([Problem("label", tuple(strange[:SHOWN]), fact, f"The classes are {shown}")])


def _check_ids(ids: Array) -> None:
    strange = [row for row, name in enumerate(ids) if not ID.fullmatch(name) or WITHOUT_ROW.fullmatch(name)]
    if strange:
        fact = f"Column prediction_id, {row_numbers(strange)}: not ANSWER:ROW, of 160 ASCII characters at most"
        remedy = "Send ANSWER:ROW, where ANSWER is the header X-Prediction-Id of the answer and rows count from 0"
        refuse([Problem("prediction_id", tuple(strange[:SHOWN]), fact, remedy)])


def _refuse_unknown_ids(rows: list[int]) -> None:
    fact = f"Column prediction_id, {row_numbers(rows)}: no prediction of this model"
    remedy = 'Send the X-Prediction-Id of its answer; with "foreign": true predictions of other servers are taken, too'
    refuse([Problem("prediction_id", tuple(rows[:SHOWN]), fact, remedy)])


def _check_reviewers(names: Array) -> None:
    strange = [
        row
        for row, name in enumerate(names)
        if name is not None and not (name.isprintable() and 0 < len(name) <= LONGEST_REVIEWER)
    ]
    if strange:
        fact = f"Column reviewer, {row_numbers(strange)}: not a name of 1 to {LONGEST_REVIEWER} printable characters"
        refuse([Problem("reviewer", tuple(strange[:SHOWN]), fact, "Send a name, or leave it out")])
