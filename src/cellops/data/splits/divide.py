"""A table divided by a plan, whatever its kind."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellops.data.splits import SPLITTERS
from cellops.data.splits.planning import VERSIONS
from cellops.data.splits.splitter import Divided
from cellops.data.splits.table import Table
from cellops.errors import InputError
from cellops.records.split import SplitPlan


@dataclass(frozen=True)
class Division:
    """Where the rows of a table went."""

    table: Table
    divided: Divided

    @property
    def places(self) -> dict[str, NDArray[np.intp]]:
        """For each part its row numbers, ascending."""
        found = self.divided.places
        return {name: np.flatnonzero(found == place) for place, name in enumerate(self.divided.plan.parts)}

    def parts(self) -> dict[str, Any]:
        """For each part its rows, in their order and in the table's own type."""
        return {name: self.table.take(places) for name, places in self.places.items()}


def divide(table: Any, plan: SplitPlan) -> Division:
    """Divide the rows of a table.

    Parameters
    ----------
    table
        A DataFrame of pandas or polars, or a table of pyarrow.
    plan
        What is asked for, or what a record has kept.

    Returns
    -------
    Division
        The row numbers of each part, with the plan completed by what was found out, as cuts.

    Raises
    ------
    InputError
        When the table has no rows, lacks a column or values of it, or a part would be empty.

    Examples
    --------
    >>> import pandas as pd
    >>> from cellops.data.splits.planning import plan_of
    >>> frame = pd.DataFrame({"year": [2011, 2012, 2013, 2014]})
    >>> divide(frame, plan_of(time="year", cuts=2014)).parts()["test"]["year"].tolist()
    [2014]
    """
    view = Table(table)
    if not view.rows:
        fact = "The table has no rows to divide"
        raise InputError(fact, remedy="Look at how it was read or filtered")
    if plan.kind not in SPLITTERS or plan.version != VERSIONS[plan.kind]:
        fact = f"A split of kind {plan.kind}, version {plan.version}, is not known to this version of cellops"
        raise InputError(fact, remedy="Install a cellops that knows it: pip install --upgrade cellops")
    done = SPLITTERS[plan.kind]([view.column(name) for name in plan.columns], view.rows, plan)
    division = Division(view, done)
    empty = [name for name, places in division.places.items() if not len(places)]
    if empty:
        fact = f"No row of {view.rows} would be in {' and '.join(empty)}"
        remedy = "Give it a larger share, other cuts or a shorter gap, or divide more rows"
        raise InputError(fact, remedy=remedy, parts=empty)
    return division
