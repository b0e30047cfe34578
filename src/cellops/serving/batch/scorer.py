"""One package that scores chunks: the same contract check, policies, model and output check as behind the server."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellops.data.batch.chunk import Chunk, to_bytes
from cellops.data.decoder import Columns
from cellops.errors import CellopsError, InputError
from cellops.monitoring import drift_profile, prediction_log
from cellops.monitoring.answered import Answered
from cellops.monitoring.window_part import WindowPart
from cellops.monitoring.windows import Window
from cellops.packaging.load import LoadedPackage
from cellops.packaging.parity import replay
from cellops.packaging.predictor import Predictions
from cellops.records.base import Record
from cellops.records.batch import PROFILE_ROWS, OnBad
from cellops.serving.batch.answers import answers_table, rejects_table, row_ids
from cellops.serving.batch.draw import drawn
from cellops.serving.batch.inputs import inputs_of
from cellops.serving.batch.part import Part
from cellops.serving.batch.tally import Tally
from cellops.serving.dataplane import DataPlane
from cellops.serving.limits import Limits
from cellops.serving.metrics import Metrics
from cellops.serving.operated import operated
from cellops.serving.policies import Declared, declares
from cellops.serving.prediction_ids import PredictionIds
from cellops.serving.side import taken

MOST_FAILURES = 64
"""Calls that fail while rows on which the model fails are told apart by halves; then the chunk is given up."""
UNLIMITED = Limits(max_bytes=sys.maxsize, max_rows=sys.maxsize)


class Wishes(Record, frozen=True, kw_only=True):
    """What a batch shall do, alike for all chunks."""

    keep: tuple[str, ...] | None
    """Columns of the input that go to the output; None for those that the model does not take."""
    keep_all: bool = False
    """Whether all columns do."""
    on_bad: OnBad
    log: str | None = None
    """Prediction log to which the answers go, as it may be shown."""
    is_profiled: bool = True
    """Whether the rows are counted for a drift profile."""
    profile_rows: int | None = PROFILE_ROWS
    """Of them, at most; None for all."""


@dataclass(frozen=True)
class Answers:
    """What was answered to some rows of a chunk."""

    rows: Any
    """Their numbers in the chunk, shape (rows,)."""
    predictions: Predictions
    notes: Any
    """What was done to each; None where nothing was."""
    packages: Any
    """Digest of what answered each row; None where the package did."""


@dataclass(frozen=True)
class Asked:
    """A chunk whose rows were held against the contract, and are not answered yet."""

    chunk: Chunk
    frame: Any
    """The inputs of all its rows."""
    columns: Columns
    """Of the rows that may be answered."""
    rows: Any
    """Their numbers in the chunk, shape (rows,)."""
    tally: Tally


@dataclass(frozen=True)
class AnsweredChunk:
    """A chunk whose rows are answered, and not written down yet."""

    asked: Asked
    answers: Sequence[Answers]


class Scorer:
    """Scores chunks in three steps, each of which may work on another chunk at the same time.

    Parameters
    ----------
    package
        With its model.
    declared
        What the operator wants done with rows that cannot simply be answered.
    wishes
        Of the batch.
    key
        With which personal inputs are hashed in the prediction log; without it they are left out there.

    Raises
    ------
    UsageError, SettingsError
        When what is declared does not fit the package.
    """

    def __init__(self, package: LoadedPackage, declared: Declared, wishes: Wishes, key: bytes | None = None) -> None:
        self._package = package = operated(package, declared)
        self._wishes = wishes
        self._ids = PredictionIds(package.manifest.name)
        self._rows_of = prediction_log.batches(package.contract.schema, key)
        self._has_notes = declares(package.contract, declared)
        metrics = Metrics().of(package.manifest.name, package.digest)
        self._plane = DataPlane(package, metrics, UNLIMITED, declared=declared)

    @classmethod
    def proven(cls, package: LoadedPackage, declared: Declared, wishes: Wishes, key: bytes | None = None) -> "Scorer":
        """A scorer whose model has answered the package's parity rows as in training; a server proves that, too.

        Raises
        ------
        PackageError
            When it answers otherwise.
        """
        replay(package.contract, package.predictor)
        return cls(package, declared, wishes, key)

    def score(self, chunk: Chunk) -> Part:
        """Answer the rows of a chunk; raises as `asked` and `answered` do."""
        return self.part(self.answered(self.asked(chunk)))

    def asked(self, chunk: Chunk) -> Asked:
        """Hold the rows of a chunk against the contract.

        Raises
        ------
        InputError
            When a column is not there; when there is a bad row and such are refused.
        """
        self._require_kept(chunk)
        tally = Tally(self._package, chunk)
        inputs = inputs_of(self._plane.contract.schema, chunk)
        tally.decimals(inputs.decimals)
        for (column, problem), bad in inputs.by_problem().items():
            tally.bad(bad, column, problem)
        self._refuse(chunk, tally)
        columns, rows = inputs.columns, inputs.rows
        if len(rows):
            good = tally.check(columns, rows)
            self._refuse(chunk, tally)
            columns, rows = (columns, rows) if len(good) == len(rows) else (taken(columns, good), rows[good])
        return Asked(chunk, inputs.frame, columns, rows, tally)

    def answered(self, asked: Asked) -> AnsweredChunk:
        """Ask the model for the rows that may be answered.

        Raises
        ------
        InputError
            When the model fails on a row, and bad rows are refused, or it fails on too many.
        """
        chunk, tally, rows = asked.chunk, asked.tally, asked.rows
        answers = self._answers(asked.columns, rows, tally, chunk) if len(rows) else []
        self._refuse(chunk, tally)
        answers.sort(key=lambda one: int(one.rows[0]))
        for one in answers:
            tally.handled(one.rows, one.notes)
        return AnsweredChunk(asked, answers)

    def part(self, answered: AnsweredChunk) -> Part:
        """Write down what was answered."""
        package, chunk, tally = self._package, answered.asked.chunk, answered.asked.tally
        answers = answered.answers
        identifier = self._ids.of(f"{package.digest}:{chunk.file}:{chunk.number}:{chunk.source}".encode())
        names = self._keep(chunk)
        output = answers_table(package, chunk, names, answers, identifier, has_notes=self._has_notes)
        rejects = rejects_table(chunk, names, tally.rejected) if tally.rejected else None
        return Part(
            number=chunk.number,
            source=chunk.source,
            output=to_bytes(output),
            rejects=None if rejects is None else to_bytes(rejects),
            drift=self._seen(chunk, answered.asked.frame, answers) if self._wishes.is_profiled else None,
            log=self._logged(answered, identifier) if self._wishes.log is not None and answers else None,
            report=tally.report(answered=output.num_rows),
        )

    def _logged(self, answered: AnsweredChunk, identifier: str) -> bytes:
        """The answered rows as the prediction log keeps them."""
        import pyarrow as pa

        now, package, asked = time.time_ns(), self._package, answered.asked
        entries = [
            Answered(
                prediction_id=identifier,
                request_id=asked.chunk.file,
                time=now,
                received=now,
                protocol="batch",
                package=package.digest,
                columns=asked.columns
                if len(one.rows) == len(asked.rows)
                else taken(asked.columns, np.searchsorted(asked.rows, one.rows)),
                labels=one.predictions.labels,
                probabilities=one.predictions.probabilities,
                handled=one.notes,
                packages=one.packages,
            )
            for one in answered.answers
        ]
        rows = pa.Table.from_batches([self._rows_of(entries)])
        numbers = pa.array(np.concatenate([one.rows for one in answered.answers]), pa.int64())
        return to_bytes(rows.set_column(0, "prediction_id", row_ids(identifier, numbers)))

    def _keep(self, chunk: Chunk) -> Sequence[str]:
        """The columns that go to the output."""
        names: list[str] = chunk.table.column_names
        if self._wishes.keep_all:
            return names
        if self._wishes.keep is not None:
            return self._wishes.keep
        inputs = {field.name for field in self._package.contract.schema.inputs}
        return [name for name in names if name not in inputs]

    def _require_kept(self, chunk: Chunk) -> None:
        """Refuse a chunk that has not all columns which shall be kept."""
        absent = [name for name in self._wishes.keep or () if name not in chunk.table.column_names]
        if absent:
            fact = f"{chunk.file} has no column {absent[0]}, which shall be kept"
            remedy = f"Its columns are: {', '.join(chunk.table.column_names)}"
            raise InputError(fact, remedy=remedy, column=absent[0], file=chunk.file, row=chunk.first)

    def _answers(self, columns: Columns, rows: Any, tally: Tally, chunk: Chunk) -> list[Answers]:
        """Answer rows; those on which the model fails are found by halves, and are bad."""
        answers, failures = list[Answers](), 0
        waiting = [np.arange(len(rows))]
        while waiting:
            part = waiting.pop()
            own = columns if len(part) == len(rows) else taken(columns, part)
            try:
                answers.append(self._of_model(own, rows[part]))
            except CellopsError as error:
                failures += 1
                if self._wishes.on_bad is OnBad.REFUSE or failures > MOST_FAILURES:
                    raise _in_chunk(error, chunk) from error
                if len(part) == 1:
                    tally.bad([int(rows[part[0]])], "", error.fact)
                    continue
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
        return answers

    def _of_model(self, columns: Columns, rows: Any) -> Answers:
        handled = self._plane.of_checked(columns)
        return Answers(rows, handled.predictions, handled.notes, handled.packages)

    def _refuse(self, chunk: Chunk, tally: Tally) -> None:
        """End at a bad row, where that is wished."""
        if self._wishes.on_bad is OnBad.REFUSE and tally.rejected:
            row, (column, problem) = next(iter(sorted(tally.rejected.items())))
            more = f", and {len(tally.rejected) - 1} more rows of its chunk are bad" if len(tally.rejected) > 1 else ""
            fact = f"{chunk.file}, row {chunk.first + row}: {f'{column} ' if column else ''}{problem}{more}"
            remedy = "Correct it, or write such rows to a file of their own with --on-bad set-aside"
            raise InputError(fact, remedy=remedy, column=column, file=chunk.file, rows=[chunk.first + row])

    def _seen(self, chunk: Chunk, frame: Any, answers: Sequence[Answers]) -> bytes | None:
        """What the rows that are drawn, and their answers, showed of each column; None where none is."""
        rows = drawn(chunk.every, chunk.offset, chunk.rows)
        if not len(rows):
            return None
        labels = chances = None
        seen = [one.predictions.of(_among(one.rows, rows, chunk.rows)) for one in answers]
        if any(len(one.labels) for one in seen):
            labels = np.concatenate([one.labels for one in seen])
            given = [one.probabilities for one in seen if one.probabilities is not None]
            chances = np.concatenate(given) if given else None
        own = frame if len(rows) == chunk.rows else frame.iloc[rows]
        window = Window("all", None, None, own, labels=labels, probabilities=chances)
        contract = self._package.contract
        part = WindowPart.of(contract, window)
        return drift_profile.to_bytes(part, self._package.digest, drift_profile.QUICK)


def _among(rows: Any, chosen: Any, count: int) -> Any:
    """The places of those rows of a chunk of `count` that are among the chosen."""
    is_chosen = np.zeros(count, dtype=np.bool_)
    is_chosen[chosen] = True
    return np.flatnonzero(is_chosen[rows])


def _in_chunk(error: CellopsError, chunk: Chunk) -> InputError:
    """What the model says of rows, with where they stand."""
    last = chunk.first + chunk.rows - 1
    fact = f"{chunk.file}, rows {chunk.first} to {last}: {error.fact}"
    return InputError(fact, remedy=error.remedy, file=chunk.file, rows=[chunk.first])
