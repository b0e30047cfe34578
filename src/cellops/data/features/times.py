"""Columns of times as numbers that compare: instants in UTC, or whatever counts upwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cellops.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

EXACT = 2**53
"""Whole numbers beyond it have no place of their own among floats."""
NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@dataclass(frozen=True)
class Times:
    """A column of times, with what it needs to be compared with another."""

    where: str
    """The column, as errors call it."""
    series: "pd.Series[Any]"
    """Times without a zone, in UTC where they had one; or numbers."""
    unit: str | None
    """`s`, `ms`, `us` or `ns`; None for numbers."""
    zoned: bool
    missing: npt.NDArray[np.bool_]


def read_times(series: "pd.Series[Any]", where: str) -> Times:
    """A column of times or numbers.

    Raises
    ------
    InputError
        When it holds neither.
    """
    import pandas as pd

    missing = series.isna().to_numpy(dtype=bool)
    kind = pd.api.types.infer_dtype(series, skipna=True) if series.dtype == object else ""
    if kind in {"date", "datetime", "datetime64", "empty"}:
        series = _dates(series, where)
    if series.dtype.kind in "iuf":
        return Times(where, series, None, False, missing)
    if series.dtype.kind != "M":
        held = kind or str(series.dtype)
        fact = f"The times of {where} are neither times nor numbers but {held}"
        raise InputError(fact, remedy=f"Convert them first: pd.to_datetime(frame[{str(series.name)!r}], utc=True)")
    zone = getattr(series.dt, "tz", None)
    if zone is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    return Times(where, series, series.dt.unit, zone is not None, missing)


def _dates(series: "pd.Series[Any]", where: str) -> "pd.Series[Any]":
    """Dates and times that are kept as objects, as one column of times."""
    import pandas as pd

    try:
        return pd.to_datetime(series)
    except (ValueError, TypeError, OverflowError) as error:
        fact = f"The times of {where} are not of one kind: {str(error).splitlines()[0]}"
        remedy = f"Bring them to one zone first: pd.to_datetime(frame[{str(series.name)!r}], utc=True)"
        raise InputError(fact, remedy=remedy) from error


def comparable(*columns: Times) -> tuple[str | None, list[npt.NDArray[Any]]]:
    """Columns of times as numbers of one scale; what stands at missing ones means nothing.

    Returns
    -------
    str or None, list of ndarray
        The unit of the numbers, None where they were numbers, and an array of int64 or float64 for each column.

    Raises
    ------
    InputError
        When some are times and some numbers, some have a zone and some have none, or one is out of the others' range.
    """
    first = columns[0]
    for other in columns[1:]:
        if (first.unit is None) != (other.unit is None):
            words = ["numbers" if one.unit is None else "times" for one in (first, other)]
            fact = f"{first.where} holds {words[0]} and {other.where} {words[1]}"
            raise InputError(fact, remedy="Bring both to times with pd.to_datetime, or both to numbers")
        if first.zoned != other.zoned and not (first.missing.all() or other.missing.all()):
            zoned, naive = (first, other) if first.zoned else (other, first)
            fact = f"The times of {zoned.where} have a time zone and those of {naive.where} have none"
            raise InputError(fact, remedy="Say which it is: frame[column].dt.tz_localize('UTC') or another zone")
    if first.unit is None:
        kind = np.float64 if any(one.series.dtype.kind == "f" for one in columns) else np.int64
        _require_apart(columns, EXACT if kind is np.float64 else np.iinfo(np.int64).max)
        return None, [one.series.to_numpy(dtype=kind, na_value=0) for one in columns]
    unit = min((one.unit for one in columns if one.unit is not None), key=NANOSECONDS.__getitem__)
    return unit, [_numbers(one, unit) for one in columns]


def _require_apart(columns: Sequence[Times], largest: int) -> None:
    """Refuse whole numbers so large that an event after a row would count as one at its time, or long before."""
    for one in columns:
        if one.series.dtype.kind != "f" and any(abs(int(end)) > largest for end in _ends(one)):
            said = (
                "beyond 2**53, where floats, as the other times are, fall together" if largest == EXACT else "too large"
            )
            fact = f"The times of {one.where} are whole numbers {said}"
            remedy = "Bring both to whole numbers of 64 bits, astype('Int64'), or to times with pd.to_datetime"
            raise InputError(fact, remedy=remedy)


def _ends(times: Times) -> tuple[Any, ...]:
    held = times.series[~times.missing]
    return (held.min(), held.max()) if len(held) else ()


def _numbers(times: Times, unit: str) -> npt.NDArray[np.int64]:
    held = times.series.to_numpy(dtype=f"datetime64[{times.unit}]")
    if unit != times.unit:
        factor = NANOSECONDS[str(times.unit)] // NANOSECONDS[unit]
        present = held[~times.missing].view(np.int64)
        if len(present) and max(-int(present.min()), int(present.max())) > np.iinfo(np.int64).max // factor:
            fact = f"{times.where} holds a time that cannot be told in {unit}, as the other times are"
            raise InputError(fact, remedy=f"Bring the other times to a coarser unit: .dt.as_unit({times.unit!r})")
    return held.astype(f"datetime64[{unit}]").view(np.int64)


def span(tolerance: Any, unit: str | None) -> float | None:
    """How old an event may be, in the unit of the times.

    Raises
    ------
    InputError
        When it is negative, or no span of such times.
    """
    if tolerance is None:
        return None
    import pandas as pd

    remedy = "Give a number, as the times are numbers" if unit is None else "Give a span such as '7d' or a timedelta"
    if (unit is None) != (isinstance(tolerance, int | float) and not isinstance(tolerance, bool)):
        fact = "The tolerance is no span of these times"
        raise InputError(fact, received=tolerance, remedy=remedy)
    try:
        found = tolerance if unit is None else pd.Timedelta(tolerance).as_unit("ns").value // NANOSECONDS[unit]
    except (ValueError, TypeError, OverflowError) as error:
        fact = "The tolerance is no span of time"
        raise InputError(fact, received=tolerance, remedy=remedy) from error
    if not found >= 0:
        fact = "The tolerance is negative"
        raise InputError(fact, received=tolerance, remedy=remedy)
    return float(found) if unit is None else found
