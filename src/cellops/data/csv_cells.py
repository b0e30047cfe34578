"""A cell of a CSV file as the JSON scalar that its column takes."""

import re

from cellops.records.contract import Field
from cellops.records.profile import ColumnKind

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
LONGEST = 40
"""Digits up to which an integer is read as one; the decoder refuses longer ones anyway."""
BOOLEANS = {"true": True, "false": False}


def cell_value(field: Field, cell: str) -> str | int | float | bool | None:
    """The value of a cell; one that is not of the column's kind stays text, which the decoder then refuses.

    An empty cell is a missing value, but in a text column that has none it is the empty string.

    >>> from cellops.records.contract import Field
    >>> cell_value(Field(name="hour", kind=ColumnKind.INTEGER, dtype="int64", nullable=False), "7")
    7
    """
    if cell == "" and (field.nullable or field.kind is not ColumnKind.TEXT):
        return None
    if field.kind is ColumnKind.BOOLEAN:
        return BOOLEANS.get(cell.lower(), cell)
    if field.kind not in (ColumnKind.INTEGER, ColumnKind.NUMBER) or not NUMBER.fullmatch(cell):
        return cell
    whole = field.kind is ColumnKind.INTEGER and cell.lstrip("+-").isdigit()
    return int(cell) if whole and len(cell) <= LONGEST else float(cell)
