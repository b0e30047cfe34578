"""The shape of a way to divide rows: the columns that decide and a plan in, the part of each row out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cellops.records.finding import Finding, Severity
from cellops.records.split import SplitPlan

Places = NDArray[np.int8]
LEFT_OUT = -1


@dataclass(frozen=True)
class Divided:
    """The part that each row belongs to."""

    places: Places
    """Shape (rows,): the place of its part in the plan, `LEFT_OUT` for none."""
    plan: SplitPlan
    """The plan, with what was found out on the way, as the cut points of time."""
    findings: tuple[Finding, ...] = ()


class Splitter(Protocol):
    """Divides rows by a plan. The part of a row follows from the plan and the rows alone."""

    def __call__(self, columns: Sequence[Any], rows: int, plan: SplitPlan) -> Divided:
        """Divide rows.

        Parameters
        ----------
        columns
            The columns that the plan names, as Arrow arrays of shape (rows,), without missing values.
        rows
            How many there are.
        plan
            What is asked for.

        Raises
        ------
        InputError
            When the rows cannot be divided so.
        """
        ...


def note(code: str, plan: SplitPlan, seen: str, remedy: str, severity: Severity = Severity.WARNING) -> Finding:
    """A finding on a split, at the columns that decide."""
    where = f"split by {', '.join(plan.columns)}" if plan.columns else "split"
    return Finding(code=code, severity=severity, where=where, seen=seen, remedy=remedy)
