"""What a server did to rows besides answering them: said in the answer, kept in the log, counted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.data.problems import row_numbers
from cellops.serving.metrics import ModelMetrics
from cellops.serving.rule_check import Rows


class Handling:
    """The notes on one request."""

    def __init__(self, metrics: ModelMetrics) -> None:
        self._metrics = metrics
        self._notes: list[tuple[str, Rows, Sequence[str]]] = []

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
            words = f"{kind} {of}".rstrip()
            self._notes.append((words, rows, each or [words] * len(rows)))
            self._metrics.count_handled(kind, of, len(rows))

    def warnings(self) -> list[str]:
        return [f"{words}: {row_numbers(rows.tolist())}" for words, rows, _ in self._notes]

    def by_row(self, rows: int) -> npt.NDArray[Any] | None:
        """For each of `rows` rows what was done to it, in words, None where nothing was; None where nothing at all."""
        if not self._notes:
            return None
        texts = np.full(rows, None, dtype=object)
        for _, touched, each in self._notes:
            for row, words in zip(touched.tolist(), each, strict=True):
                texts[row] = words if texts[row] is None else f"{texts[row]}; {words}"
        return texts
