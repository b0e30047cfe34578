"""Expectations: rules that a table must satisfy, in the vocabulary of Great Expectations."""

from cellops.data.expectations.check import check, row_rules
from cellops.data.expectations.parser import parse

__all__ = ["check", "parse", "row_rules"]
