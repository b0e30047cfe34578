"""Expectations: rules that a table must satisfy, in the vocabulary of Great Expectations."""

from cellops.data.expectations.actions import broken_rows
from cellops.data.expectations.check import check, row_rules
from cellops.data.expectations.from_pandera import from_pandera
from cellops.data.expectations.great_expectations import from_great_expectations, to_great_expectations
from cellops.data.expectations.infer import infer
from cellops.data.expectations.parser import parse
from cellops.data.expectations.row_checker import RowChecker
from cellops.data.expectations.to_pandera import to_pandera
from cellops.data.expectations.written import written

__all__ = [
    "RowChecker",
    "broken_rows",
    "check",
    "from_great_expectations",
    "from_pandera",
    "infer",
    "parse",
    "row_rules",
    "to_great_expectations",
    "to_pandera",
    "written",
]
