"""The values of features: each function on its own, so that one that raises takes nothing from the others."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.features.function import Function, Given
from cellops.data.features.row import Row
from cellops.data.problems import listed, row_numbers
from cellops.errors import InputError
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5
NUMBERS = (int, float, np.number, np.bool_, type(None))
SCALARS = (str, bytes, int, float, complex, bool, np.generic, type(None))
Columns = dict[str, "pd.Series[Any]"]


@dataclass
class Computed:
    """Columns by name, and what went wrong with some."""

    columns: Columns = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def compute(functions: Sequence[Function], frame: "pd.DataFrame") -> Computed:
    """The features of a table.

    A value that cannot be computed is missing, and a finding says why.

    Parameters
    ----------
    functions
        What makes them.
    frame
        The table; it is not changed.

    Raises
    ------
    InputError
        When it lacks a column that a function names, or has it twice.
    """
    _require_columns(functions, frame)
    rows = frame.reset_index(drop=True)
    found = Computed()
    for function in functions:
        made = _whole(function, rows, found) if function.given in (Given.FRAME, Given.COLUMNS) else None
        columns = made if made is not None else {function.name: _by_rows(function, rows, found)}
        for name, column in columns.items():
            if name in found.columns:
                seen = f"two functions make a feature {name}; the first counts"
                found.findings.append(_finding("feature-twice", Severity.ERROR, name, seen, "Rename one of them"))
            else:
                found.columns[name] = column.set_axis(frame.index)
    return found


def _require_columns(functions: Sequence[Function], frame: "pd.DataFrame") -> None:
    twice = [str(name) for name, times in Counter(frame.columns).items() if times > 1]
    if twice:
        fact = f"The table has more than one column {twice[0]}"
        raise InputError(fact, remedy="Name each column once", column=twice[0])
    for function in functions:
        missing = [name for name in function.inputs or () if name not in frame.columns]
        if missing:
            fact = f"The table lacks what the feature {function.name} reads: {listed(missing)}"
            remedy = "Give these columns; a parameter that is none of the table needs a default"
            raise InputError(fact, remedy=remedy, column=missing[0])


def _by_rows(function: Function, frame: "pd.DataFrame", found: Computed) -> "pd.Series[Any]":
    """A function that is called once a row."""
    values: list[Any] = []
    failed: dict[int, BaseException] = {}
    for given in _given(function, frame):
        try:
            values.append(function.call(*given))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the function of the user
            failed[len(values)] = error
            values.append(None)
    strange = {kind for kind in set(map(type, values)) if not issubclass(kind, SCALARS)}
    for row in [row for row, value in enumerate(values) if type(value) in strange] if strange else ():
        if not _is_scalar(values[row]):
            failed[row] = TypeError(f"it gives a {type(values[row]).__name__}, and a feature is one value")
            values[row] = None
    if failed:
        rows = sorted(failed)
        found.findings.append(_raised(function.name, failed[rows[0]], rows, len(values)))
    return as_column(values)


def _is_scalar(value: object) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value))


def _given(function: Function, frame: "pd.DataFrame") -> Iterator[tuple[Any, ...]]:
    """What each call is given: scalars of Python, from the columns that the function reads."""
    names = list(frame.columns) if function.inputs is None else list(function.inputs)
    columns = [frame[name].tolist() for name in names]
    rows = zip(*columns, strict=True) if columns else iter([()] * len(frame))
    if function.given is not Given.ROW:
        return iter(rows)
    places = {name: place for place, name in enumerate(names)}
    return ((Row(places, row),) for row in rows)


def as_column(values: list[Any]) -> "pd.Series[Any]":
    """Values as one column: numbers stay numbers beside missing ones.

    Examples
    --------
    >>> str(as_column([True, None]).dtype), str(as_column([1, 2]).dtype)
    ('float64', 'int64')
    """
    import pandas as pd

    kinds = set(map(type, values))
    if type(None) in kinds and all(issubclass(kind, NUMBERS) for kind in kinds):
        return pd.Series([np.nan if one is None else one for one in values], dtype=np.float64)
    try:
        return pd.Series(values) if values else pd.Series(values, dtype=np.float64)
    except UnicodeEncodeError:  # half a surrogate pair, which pandas' own texts cannot hold
        return pd.Series(values, dtype=object)


def _whole(function: Function, frame: "pd.DataFrame", found: Computed) -> Columns:
    """A function that is called once for all rows; what it raises, or gives in another shape, is a missing column."""
    try:
        if function.given is Given.FRAME:
            made = function.call(frame.copy())
        else:
            made = function.call(*[frame[name].copy() for name in function.inputs or ()])
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the function of the user
        found.findings.append(_raised(function.name, error, list(range(len(frame))), len(frame)))
        return {function.name: _nothing(frame)}
    columns: Columns = {}
    for name, values in _columns(function.name, made, frame):
        column = _aligned(values, frame)
        if column is None:
            seen = f"it gives {np.shape(values)} values for {len(frame)} rows, or for others than were given"
            remedy = "Give one value for each row of the table, in its order or with its index"
            found.findings.append(_finding("feature-shape", Severity.ERROR, name, seen, remedy))
        columns[name] = _nothing(frame) if column is None else column
    return columns


def _columns(name: str, made: Any, frame: "pd.DataFrame") -> list[tuple[str, Any]]:
    """The features that a function gives: one under its own name, or those of a table that are new in it."""
    import pandas as pd

    if isinstance(made, pd.DataFrame):
        return [(str(column), made[column]) for column in made.columns if column not in frame.columns]
    if isinstance(made, dict):
        return [(str(key), values) for key, values in made.items()]
    return [(name, made)]


def _aligned(values: Any, frame: "pd.DataFrame") -> "pd.Series[Any] | None":
    """One value for each row; None where there are others."""
    import pandas as pd

    if isinstance(values, pd.Series):
        if values.index.equals(frame.index):
            return values
        if len(values) == len(frame) and values.index.is_unique and values.index.isin(frame.index).all():
            return values.reindex(frame.index)
        return None
    if np.ndim(values) == 0:
        return pd.Series([values] * len(frame), index=frame.index)
    if isinstance(values, list | tuple):  # of which numpy would write numbers beside texts as texts
        return as_column(list(values)).set_axis(frame.index) if len(values) == len(frame) else None
    return pd.Series(np.asarray(values), index=frame.index) if np.shape(values) == (len(frame),) else None


def _nothing(frame: "pd.DataFrame") -> "pd.Series[Any]":
    import pandas as pd

    return pd.Series(np.nan, index=frame.index, dtype=np.float64)


def _raised(name: str, error: BaseException, rows: list[int], count: int) -> Finding:
    severity = Severity.ERROR if len(rows) == count else Severity.WARNING
    where = "all rows" if len(rows) == count else row_numbers(rows[:SHOWN], len(rows))
    text = str(error).split("\n", 1)[0][:200]
    seen = f"it raises {type(error).__name__} in {len(rows)} of {count} rows, {where}: {text}"
    return _finding(
        "feature-raised", severity, name, seen, "The value is missing there; let the function expect such rows"
    )


def _finding(code: str, severity: Severity, name: str, seen: str, remedy: str) -> Finding:
    return Finding(code=code, severity=severity, where=f"feature {name}", seen=seen, remedy=remedy)
