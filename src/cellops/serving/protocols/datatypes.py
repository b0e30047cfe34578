"""The datatypes of the Open Inference Protocol: which columns take them, and which numbers they can hold."""

from collections.abc import Mapping, Sequence
from typing import Any

from cellops.data.problems import row_numbers
from cellops.errors import InputError
from cellops.records.profile import ColumnKind

BITS = (8, 16, 32, 64)
INTEGERS: Mapping[str, tuple[int, int]] = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in BITS},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in BITS},
}
FLOATS: Mapping[str, tuple[float, float]] = {
    "FP16": (-65_504.0, 65_504.0),
    "BF16": (-3.3895313892515355e38, 3.3895313892515355e38),
    "FP32": (-3.4028234663852886e38, 3.4028234663852886e38),
    "FP64": (-1.7976931348623157e308, 1.7976931348623157e308),
}
"""The least and the largest number of each."""
NUMBERS = frozenset((*INTEGERS, *FLOATS))
TAKEN: Mapping[ColumnKind, frozenset[str]] = {
    ColumnKind.NUMBER: NUMBERS,
    ColumnKind.INTEGER: NUMBERS,
    ColumnKind.BOOLEAN: frozenset({"BOOL"}),
    ColumnKind.TEXT: frozenset({"BYTES"}),
    ColumnKind.DATETIME: frozenset({"BYTES"}),
}
DATATYPES: Mapping[ColumnKind, str] = {
    ColumnKind.NUMBER: "FP64",
    ColumnKind.INTEGER: "INT64",
    ColumnKind.BOOLEAN: "BOOL",
    ColumnKind.TEXT: "BYTES",
    ColumnKind.DATETIME: "BYTES",
}
"""As the server's own metadata and answers call them."""
ANY_JSON = "FP64"
"""Holds every number that the parser gives."""


def check_column(name: str, datatype: str, values: Sequence[Any]) -> None:
    """Refuse numbers that the datatype of their tensor cannot hold; what is no number is left to the decoder.

    Raises
    ------
    InputError
        With the column and the rows.
    """
    limits = INTEGERS.get(datatype) or FLOATS.get(datatype)
    if limits is None or datatype == ANY_JSON or not values or _all_fit(datatype, values, *limits):
        return
    rows = [row for row, value in enumerate(values) if not _fits(datatype, value, *limits)]
    if rows:
        held = "an integer" if datatype in INTEGERS else "a number"
        fact = f"Column {name}, {row_numbers(rows)}: not {held} that {datatype} can hold"
        raise InputError(fact, remedy=f"Send {held} in its range, or another datatype", column=name, rows=rows)


def check_table(names: Sequence[str], datatype: str, rows: Sequence[Any]) -> None:
    """The same for rows of a table whose columns have these names."""
    if datatype != ANY_JSON and all(type(row) is list for row in rows):
        for name, values in zip(names, zip(*rows, strict=False), strict=False):
            check_column(name, datatype, values)


def _all_fit(datatype: str, values: Sequence[Any], low: float, high: float) -> bool:
    kinds = {int} if datatype in INTEGERS else {int, float}
    return set(map(type, values)) <= kinds and low <= min(values) and max(values) <= high


def _fits(datatype: str, value: object, low: float, high: float) -> bool:
    if type(value) is not int and type(value) is not float:
        return True
    return low <= value <= high and (datatype in FLOATS or value == int(value))
