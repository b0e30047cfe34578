"""Features of single rows beside those of the whole table: a server sees a row alone."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.features.computing import Columns, compute
from cellops.data.features.function import Function, Given
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pandas as pd

ROWS = 3
"""How many rows are computed alone."""


def check_alone(functions: Sequence[Function], frame: "pd.DataFrame", columns: Columns) -> list[Finding]:
    """Compute some rows again, each in a table of its own, and tell features that come out otherwise.

    Parameters
    ----------
    functions, frame, columns
        What made the features, of which table, and what came out.

    Returns
    -------
    list of Finding
        `feature-needs-other-rows` for one that is given a whole table or column, as one that subtracts a mean;
        `feature-not-repeatable` for one that draws or reads the clock.
    """
    places = np.unique(np.linspace(0, len(frame) - 1, num=min(ROWS, len(frame))).astype(int)).tolist()
    findings = []
    for function in functions:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the whole table has shown what the function has to say
            again = [compute([function], frame.iloc[[place]]).columns for place in places]
        for name in dict.fromkeys(name for one in again for name in one if name in columns):
            pairs = [(columns[name].iloc[p], one.get(name)) for p, one in zip(places, again, strict=True)]
            if not all(same(then, None if now is None else now.iloc[0]) for then, now in pairs):
                findings.append(_differs(function, name))
    return findings


def same(one: Any, other: Any, tolerance: float = 1e-9) -> bool:
    """Whether two values of a feature are the same, both missing, or numbers that are almost equal.

    Examples
    --------
    >>> same(float("nan"), None), same(1, 1.0), same("a", "b")
    (True, True, False)
    """
    import pandas as pd

    if pd.isna(one) or pd.isna(other):
        return bool(pd.isna(one) and pd.isna(other))
    if one == other:
        return True
    try:
        return bool(np.isclose(float(one), float(other), rtol=tolerance, atol=tolerance))
    except (TypeError, ValueError):
        return False


def _differs(function: Function, name: str) -> Finding:
    if function.given in (Given.FRAME, Given.COLUMNS):
        code, seen = "feature-needs-other-rows", "a row that stands alone gets another value than in its table"
        remedy = "A server sees one request at a time: learn what it needs of other rows in a step with fit"
    else:
        code, seen = "feature-not-repeatable", "it gives another value when it is computed again"
        remedy = "Take chance and clock out of it, or give them as a column"
    return Finding(code=code, severity=Severity.WARNING, where=f"feature {name}", seen=seen, remedy=remedy)
