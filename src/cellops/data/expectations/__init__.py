"""Expectations: rules that a table must satisfy, in the vocabulary of Great Expectations."""

from cellops.data.expectations.check import check, row_rules
from cellops.data.expectations.parser import parse
from cellops.data.expectations.row_checker import RowChecker

__all__ = ["RowChecker", "check", "parse", "row_rules"]
