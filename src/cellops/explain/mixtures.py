"""Rows that are partly the explained one and partly of the background, and what the model answers to them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellops.data.column import Numbers

Array = NDArray[Any]
Columns = Mapping[str, Array]
Answer = Callable[[dict[str, Array]], Numbers]
"""What the model gives for columns of shape (rows,): one number for each row."""
MOST_ROWS = 4096
"""Rows of one call of the model: between two calls it can be told to stop, and others have their turn."""
MOST_CELLS = 1_000_000
"""Values of one call, where there are many inputs."""


class Mixtures:
    """One row and the rows of the background, from which the values of each input are taken as they are.

    Strings, missing values and times are swapped like numbers: nothing is encoded, and nothing is averaged.

    Parameters
    ----------
    row
        The explained row: columns of shape (1,).
    background
        Columns of shape (rows,), of the same names and dtypes.
    answer
        The model.
    """

    def __init__(self, row: Columns, background: Columns, answer: Answer) -> None:
        self._pools = {name: np.concatenate([row[name], values]) for name, values in background.items()}
        self._answer = answer
        self.inputs = len(background)
        self.evaluations = 0

    def answers(self, rows: int, of_row: Callable[[int, slice], Array], places: Array) -> Numbers:
        """What the model answers to mixtures.

        Parameters
        ----------
        rows
            How many mixtures there are.
        of_row
            Given the number of an input and some of the mixtures: in which of them it has the value of the row.
        places
            From which row of the background the others come, shape (rows,).

        Returns
        -------
        ndarray
            Shape (rows,).
        """
        found = [self._some(part, of_row, places) for part in self._parts(rows)]
        return np.concatenate(found) if found else np.empty(0)

    def _parts(self, rows: int) -> Iterator[slice]:
        step = max(1, min(MOST_ROWS, MOST_CELLS // self.inputs))
        return (slice(start, min(start + step, rows)) for start in range(0, rows, step))

    def _some(self, part: slice, of_row: Callable[[int, slice], Array], places: Array) -> Numbers:
        others = places[part] + 1
        columns = {
            name: pool[np.where(of_row(place, part), 0, others)]
            for place, (name, pool) in enumerate(self._pools.items())
        }
        self.evaluations += len(others)
        return np.asarray(self._answer(columns), dtype=np.float64)
