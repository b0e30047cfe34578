"""The rules on values of which there is a list."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cellops.data.expectations.bounds import time_of
from cellops.data.expectations.column import Column, Mask
from cellops.data.expectations.conversions import Values
from cellops.data.expectations.rule import Bind, ValueRule, require_list
from cellops.records.base import Value

SCALARS = (str, int, float, bool)
ELEMENT = (*SCALARS, type(None))
EXAMPLE = 'For example: ["EWR", "JFK", "LGA"]'
FEW = 24
"""Numbers up to which comparing with each costs less than a hash table."""


@dataclass(frozen=True)
class ValuesInSet(ValueRule):
    """Each value is one of these."""

    value_set: list[Value]

    name = "expect_column_values_to_be_in_set"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_list("value_set", self.value_set, ELEMENT, EXAMPLE)

    def failed(self, column: Column) -> Mask:
        return ~among(column, self.value_set)

    def value_test(self, value: str, bind: Bind) -> str:
        texts_alone = all(isinstance(one, str) for one in self.value_set)
        of_a_kind = "" if texts_alone else f"type({value}) in {bind(frozenset(SCALARS))} and "
        return f"{of_a_kind}{value} in {bind(frozenset(self.value_set))}"


@dataclass(frozen=True)
class ValuesNotInSet(ValueRule):
    """No value is one of these."""

    value_set: list[Value]

    name = "expect_column_values_to_not_be_in_set"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_list("value_set", self.value_set, ELEMENT, EXAMPLE)

    def failed(self, column: Column) -> Mask:
        return among(column, self.value_set)

    def value_test(self, value: str, bind: Bind) -> str:
        return f"type({value}) in {bind(frozenset(SCALARS))} and {value} not in {bind(frozenset(self.value_set))}"


def among(column: Column, value_set: list[Value]) -> Mask:
    """True for each row whose value is one of a set, where its column holds scalars; times are given as ISO 8601."""
    column.refuse_other_than("text", "number", "integer", "boolean", "time")
    if column.kinds == {"time"}:
        times = [time_of(value) for value in value_set if isinstance(value, str)]
        return _equal(column.operand.astype("datetime64[us]"), [time for time in times if time is not None])
    values = column.array
    if values is not None and values.dtype.kind in "iuf":
        return _equal(values, _as_held(value_set, values.dtype))
    allowed = set(value_set)
    return column.where(lambda value: value in allowed)


def _equal(values: Values, wanted: list[Any]) -> Mask:
    if len(wanted) > FEW:
        import pandas as pd

        return np.asarray(pd.Series(values).isin(wanted).to_numpy())
    found = np.zeros(len(values), dtype=bool)
    for value in wanted:
        found |= values == value
    return found


def _as_held(value_set: list[Value], dtype: "np.dtype[Any]") -> list[Any]:
    """Those numbers of a set that a type can hold exactly: no other value of a column equals them."""
    held = []
    for value in value_set:
        if isinstance(value, int | float):
            exact = float(value) if dtype.kind == "f" else int(value)
            limits = np.iinfo(dtype) if dtype.kind in "iu" else None
            if exact == value and (limits is None or limits.min <= exact <= limits.max):
                held.append(exact)
    return held
