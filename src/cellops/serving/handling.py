"""What a server did to rows besides answering them: said in the answer, kept in the log, counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.data.problems import row_numbers
from cellops.serving.metrics import ModelMetrics
from cellops.serving.rule_check import Rows

SEPARATOR = "; "


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was done to some rows."""

    kind: str
    of: str
    rows: Rows
    each: Sequence[str] = ()

    @property
    def words(self) -> str:
        return f"{self.kind} {self.of}".rstrip()


class Handling:
    """The notes on one request."""

    def __init__(self) -> None:
        self._notes: list[Note] = []

    def note(self, kind: str, rows: Rows, *, of: str = "", each: Sequence[str] = ()) -> None:
        """Something was done to rows.

        Parameters
        ----------
        kind
            What it was, one of a few words.
        rows
            Their numbers in the request, shape (rows,).
        of
            The column, or the model, that it was done with.
        each
            For the log, what it was for each row; default is the same for all.
        """
        if len(rows):
            self._notes.append(Note(kind, of, rows, each))

    def count(self, metrics: ModelMetrics) -> None:
        """Count the rows, once they are answered."""
        for note in self._notes:
            metrics.count_handled(note.kind, note.of, len(note.rows))

    def warnings(self) -> list[str]:
        return [f"{note.words}: {row_numbers(note.rows.tolist())}" for note in self._notes]

    def by_row(self, rows: int) -> npt.NDArray[Any] | None:
        """For each of `rows` rows what was done to it, in words, None where nothing was; None where nothing at all."""
        if not self._notes:
            return None
        texts = np.full(rows, "", dtype=object)
        for note in self._notes:
            words: npt.NDArray[Any] = np.full(len(note.rows), note.words, dtype=object)
            if note.each:
                words[:] = note.each
            before = texts[note.rows]
            texts[note.rows] = np.where(before == "", words, before + SEPARATOR + words)
        texts[texts == ""] = None
        return texts
