"""Values of Python, possibly of several kinds, as the parts of a summary: each value goes to those of its kind."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from cellops.data.summary.column import Parts
from cellops.data.summary.numbers import NumberSummary
from cellops.data.summary.others import BooleanSummary, OpaqueSummary
from cellops.data.summary.texts import TextSummary
from cellops.data.summary.times import TimeSummary

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INT64 = np.iinfo(np.int64)
NESTED = (list, tuple, dict, set, frozenset, np.ndarray)
WRITTEN = "backslashreplace"
"""How half a surrogate pair, which is no Unicode, is written."""


def parts_of_objects(values: Iterable[Any]) -> tuple[Parts, int]:
    """The parts of values of Python, and how many are missing: None, NaN, NaT and their like.

    Examples
    --------
    >>> parts, missing = parts_of_objects([1, "one", 2.5, None])
    >>> parts.numbers.rows, parts.texts.rows, missing
    (2, 1, 1)
    """
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for value in values:
        groups[_group(value)].append(value)
    missing = len(groups.pop("missing", []))
    return Parts(
        numbers=_numbers(groups["number"]) if groups["number"] else None,
        texts=_texts(groups["text"]) if groups["text"] else None,
        times=_times(groups["time"]) if groups["time"] else None,
        booleans=_booleans(groups["boolean"]) if groups["boolean"] else None,
        opaque=_opaque(groups["opaque"]) if groups["opaque"] else None,
    ), missing


def _group(value: Any) -> str:
    match value:
        case bool() | np.bool_():
            return "boolean"
        case str():
            return "text"
        case Decimal():
            return "missing" if value.is_nan() else "number"
        case int() | float() | np.integer() | np.floating():
            return "missing" if value != value else "number"  # noqa: PLR0124 - NaN alone differs from itself
        case date() | np.datetime64():
            return "missing" if value != value else "time"  # noqa: PLR0124 - and so does NaT
        case _:
            return "missing" if _is_missing(value) else "opaque"


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return not isinstance(value, NESTED) and pd.api.types.is_scalar(value) and bool(pd.isna(value))


def _numbers(values: list[Any]) -> NumberSummary:
    whole = all(isinstance(value, int | np.integer) for value in values)
    if whole and all(INT64.min <= value <= INT64.max for value in values):
        return NumberSummary.of(np.array(values, dtype=np.int64), whole=True)[0]
    return NumberSummary.of(np.array([_as_float(value) for value in values]))[0]


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float(np.copysign(np.inf, 1 if value > 0 else -1))


def _texts(values: list[str]) -> TextSummary:
    import pyarrow as pa

    counts = Counter(value.encode(errors=WRITTEN).decode() for value in values)
    return TextSummary.of(pa.array(counts, pa.large_string()), np.fromiter(counts.values(), dtype=np.int64))


def _times(values: list[Any]) -> TimeSummary:
    zones: defaultdict[str, list[int]] = defaultdict(list)
    for value in values:
        zones[str(getattr(value, "tzinfo", None) or "")].append(_microseconds(value))
    return TimeSummary.merged(TimeSummary.of(np.array(times, dtype=np.int64), zone) for zone, times in zones.items())


def _microseconds(value: Any) -> int:
    if isinstance(value, np.datetime64):
        return int(value.astype("datetime64[us]").astype(np.int64))
    if not isinstance(value, datetime):
        days: int = (value - EPOCH.date()) // timedelta(days=1)
        return days * 86_400_000_000
    # Of a time of pandas only the whole microseconds count.
    plain = value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    whole: int = ((plain if plain.tzinfo else plain.replace(tzinfo=UTC)) - EPOCH) // timedelta(microseconds=1)
    return whole


def _booleans(values: list[Any]) -> BooleanSummary:
    true = sum(map(bool, values))
    return BooleanSummary(true, len(values) - true)


def _opaque(values: list[Any]) -> OpaqueSummary:
    counts = Counter((type(value).__name__, isinstance(value, NESTED)) for value in values)
    return OpaqueSummary.merged(OpaqueSummary.of(name, rows, nested=nested) for (name, nested), rows in counts.items())
