"""The rules on the types of values."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from cellops.data.expectations.column import Column, Mask, kind_of
from cellops.data.expectations.rule import ValueRule, require_list, require_type
from cellops.errors import ExpectationError

EXAMPLE = 'For example: "int"'


@dataclass(frozen=True)
class ValuesOfType(ValueRule):
    """`int`, `float`, `bool`, `str`, `datetime64`, or another name of numpy; the width in bits does not matter.

    Not for single rows: what arrives with a request is typed by the schema.
    """

    type_: str

    name = "expect_column_values_to_be_of_type"
    row_wise = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_type("type_", self.type_, str, EXAMPLE)
        _wanted(self.type_)

    def failed(self, column: Column) -> Mask:
        return _of_other_kinds(column, {_wanted(self.type_)})


@dataclass(frozen=True)
class ValuesInTypeList(ValueRule):
    """Each value is of one of these types, named as in `expect_column_values_to_be_of_type`."""

    type_list: list[str]

    name = "expect_column_values_to_be_in_type_list"
    row_wise = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_list("type_list", self.type_list, str, 'For example: ["int", "float"]')
        for type_ in self.type_list:
            _wanted(type_)

    def failed(self, column: Column) -> Mask:
        return _of_other_kinds(column, set(map(_wanted, self.type_list)))


def _wanted(type_: str) -> str:
    """The kind that a type is of."""
    try:
        kind = kind_of(type_)
    except TypeError:
        kind = None
    if kind is None:
        fact = "type_ must name a type of numpy"
        raise ExpectationError(fact, received=type_, remedy="Use one of: int, float, bool, str, datetime64")
    return kind


def _of_other_kinds(column: Column, wanted: Collection[str]) -> Mask:
    if column.kinds <= set(wanted):
        return np.zeros(column.count, dtype=bool)
    if len(column.kinds) == 1:
        return np.ones(column.count, dtype=bool)
    return np.fromiter((kind_of(type(value)) not in wanted for value in column.present), bool, column.count)
