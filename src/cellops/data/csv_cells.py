"""A cell of a CSV file as the JSON scalar that its column takes."""

import codecs
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cellops.data.arrays import Array
from cellops.records.base import Value
from cellops.records.contract import Field
from cellops.records.profile import ColumnKind

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
ONE = r"(?:[+-]?(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][+-]?\d++)?+)?+"
NUMBERS = re.compile(rf"{ONE}(?:\n{ONE})*+", re.ASCII)
"""Such numbers in lines, of which some may be empty."""
INTEGERS = re.compile(r"[+-]?\d{1,18}(?:\n[+-]?\d{1,18})*+", re.ASCII)
"""Whole numbers of 64 bits in lines."""
ALONE = re.compile(rb"\r(?!\n)")
QUOTED_OR_ALONE = re.compile(rb'(?<![^,\r\n])"(?:[^"]++|"")*+"|\r(?!\n)')
"""It never tries a cell in two ways, of which each character would have to be remembered."""
BLOCK = 8 << 20
"""Bytes of a file that are looked at together."""
LONGEST = 40
"""Digits up to which an integer is read as one; the decoder refuses longer ones anyway."""
BOOLEANS = {"true": True, "false": False}
MISSING = frozenset({"", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NaT", "null", "NULL", "None"})
"""What stands for a missing value in files."""


def bare_return(content: bytes) -> int | None:
    r"""The first line, from 1, with a carriage return outside of quotes that does not end it, where one row may be two.

    None where there is no such line, or no line ends otherwise, as in files of old.

    >>> bare_return(b'a,b\r\n"x\ry",1\r\n'), bare_return(b"a,b\nx\ry,1\n"), bare_return(b"a,b\rx,1\r")
    (None, 2, None)
    """
    if b"\n" not in content or not ALONE.search(content):
        return None
    place = next((found.start() for found in QUOTED_OR_ALONE.finditer(content) if found[0] == b"\r"), None)
    return None if place is None else content.count(b"\n", 0, place) + 1


def bare_return_in(path: Path) -> int | None:
    """The same of a file of any length, of which no more than a block is in memory as long as it has none."""
    with path.open("rb") as file:
        tail = b""
        while block := file.read(BLOCK):
            if ALONE.search((tail + block).removesuffix(b"\r")):
                return bare_return(path.read_bytes().removeprefix(codecs.BOM_UTF8))
            tail = block[-1:]
    return None


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


def cell_values(field: Field, cells: Sequence[str]) -> Sequence[Value] | Array:
    """The values of a column of cells, as `cell_value` gives each; numbers as an array, in which NaN is a missing one.

    >>> cell_values(Field(name="distance", kind=ColumnKind.NUMBER, dtype="float64", nullable=True), ["733", "", "1.5"])
    array([733. ,   nan,   1.5])
    """
    lines = "\n".join(cells)
    # An end of line inside of a cell would make one cell two.
    if cells and lines.count("\n") == len(cells) - 1:
        if field.kind is ColumnKind.NUMBER and NUMBERS.fullmatch(lines):
            return np.array([float(cell) if cell else math.nan for cell in cells])
        if field.kind is ColumnKind.INTEGER and INTEGERS.fullmatch(lines):
            return np.array(list(map(int, cells)), dtype=np.int64)
    return [cell_value(field, cell) for cell in cells]


def file_value(field: Field, cell: str) -> str | int | float | bool | None:
    """The value of a cell of a file, where a missing value may also be written as a word such as NA.

    In a text column such a word is a value if training knew it as one, or had no missing values there.

    >>> carrier = Field(name="carrier", kind=ColumnKind.TEXT, dtype="str", nullable=False, categories=("NA", "UA"))
    >>> file_value(carrier, "NA"), file_value(carrier, "")
    ('NA', None)
    """
    if field.kind is not ColumnKind.TEXT:
        return None if cell.strip() in MISSING else cell_value(field, cell.strip())
    if cell not in MISSING or cell in (field.categories or ()):
        return cell
    return None if field.nullable or cell == "" else cell


def class_value(classes: Sequence[Value], cell: str) -> Value:
    """The class that a cell of a file names, None for a missing one; a word that names none stays text.

    >>> class_value((0, 1), "1.0"), class_value(("NA", "EU"), "NA"), class_value((0, 1), "NA")
    (1, 'NA', None)
    """
    named = {str(known): known for known in classes}
    if cell in named:
        return named[cell]
    word = cell.strip()
    if word in MISSING:
        return None
    value = BOOLEANS.get(word.lower(), float(word) if NUMBER.fullmatch(word) else None)
    return next((known for known in classes if known == value), word)
