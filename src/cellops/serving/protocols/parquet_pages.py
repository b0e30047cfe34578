"""How large the pages of a Parquet file become when they are unpacked, read from the head of each page itself.

The footer tells that too, but whoever reads a column believes its pages: one of a few kilobytes may become a gigabyte,
and the footer say that it does not. Heads are structs of Thrift's compact protocol; the source is parquet.thrift of
apache/parquet-format, `PageHeader`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from cellops.errors import LimitError
from cellops.serving.limits import MOST_COLUMNS, Content

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MOST_PAGES = 4 * MOST_COLUMNS
UNPACKED, PACKED = 2, 3
"""Fields of the head of a page."""
FIXED = frozenset({"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE"})
"""Physical types whose values are of 12 bytes at most."""
STOP, TRUE, FALSE, BYTE, DOUBLE, BINARY, STRUCT = 0, 1, 2, 3, 7, 8, 12
NUMBERS = (4, 5, 6)
MORE = 0x80
"""The bit of a byte that says that the number goes on."""
DEEPEST = 8
"""Structs in one another; a real head has three."""


class Unpacked(NamedTuple):
    """The size of a file when its pages are unpacked."""

    total: int
    """Bytes of all pages."""
    longest: int
    """Bytes that the values of one row have at most, those of a fixed width aside: none is longer than its page."""


def unpacked(content: Content, footer: "pq.FileMetaData") -> Unpacked:
    """Look at the head of each page.

    Raises
    ------
    ValueError
        When the head of a page cannot be read.
    LimitError
        When there are more pages than a table of any sense has.
    """
    total, longest = 0, dict[int, int]()
    for number, (place, size) in enumerate(_sizes(content, footer)):
        if number >= MOST_PAGES:
            fact = f"The table has more than {MOST_PAGES} pages"
            raise LimitError(fact, remedy="Write it with larger pages")
        total += size
        longest[place] = max(size, longest.get(place, 0))
    varied = (place for place in longest if footer.schema.column(place).physical_type not in FIXED)
    return Unpacked(total, sum(longest[place] for place in varied))


def _sizes(content: Content, footer: "pq.FileMetaData") -> Iterator[tuple[int, int]]:
    """The column and the unpacked bytes of each page."""
    for group in range(footer.num_row_groups):
        for place in range(footer.num_columns):
            column = footer.row_group(group).column(place)
            start = min(filter(None, (column.dictionary_page_offset, column.data_page_offset)), default=0)
            end = start + column.total_compressed_size
            while start < end:
                head = _Head(content, start)
                fields = head.struct()
                whole, packed = fields.get(UNPACKED, -1), fields.get(PACKED, -1)
                if whole < 0 or packed < 0:
                    raise ValueError(start)
                yield place, whole
                start = head.place + packed


class _Head:
    """Reads a struct, and keeps the numbers among its fields."""

    def __init__(self, content: Content, place: int) -> None:
        self._content = content
        self.place = place

    def struct(self, depth: int = 0) -> dict[int, int]:
        numbers: dict[int, int] = {}
        field = 0
        while (head := self._byte()) & 15 != STOP:
            before, field = field, field + (head >> 4) if head >> 4 else self._number()
            # What is said twice could be read in two ways.
            if field <= before or depth > DEEPEST:
                raise ValueError(field)
            value = self._value(head & 15, depth)
            if value is not None:
                numbers[field] = value
        return numbers

    def _value(self, kind: int, depth: int) -> int | None:
        if kind in NUMBERS:
            return self._number()
        if kind == STRUCT:
            self.struct(depth + 1)
        elif kind == BINARY:
            self._skip(self._varint())
        elif kind == DOUBLE:
            self._skip(8)
        elif kind == BYTE:
            self._skip(1)
        elif kind not in (TRUE, FALSE):
            # Lists, sets and maps: no head has any.
            raise ValueError(kind)
        return None

    def _number(self) -> int:
        coded = self._varint()
        return coded >> 1 ^ -(coded & 1)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & ~MORE) << shift
            if byte < MORE:
                return value
        raise ValueError(value)

    def _byte(self) -> int:
        self._skip(1)
        return self._content[self.place - 1]

    def _skip(self, size: int) -> None:
        self.place += size
        if self.place > len(self._content):
            raise ValueError(size)
