"""Lines of JSON, one object a row: `{"flight": "UA1", "distance": 733}`.

JSON gives each value a type of its own, and so may mix several in one column. A file is read twice: once for what each
column holds, so that all of its chunks are tables of one schema, and once for the rows. A column of several types
travels as the JSON text of its values, and inputs among them become values again before the contract judges each.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cellops.data.summary.batches import fitting_rows
from cellops.errors import InputError

SMALLEST, LARGEST = -(2**63), 2**63 - 1
EXACT = 2**53
"""Beyond this a float skips integers."""
LONGEST_LINE = 64 << 20
MIXED = "mixed"
"""What is noted of a column whose type differs from row to row; see `mixed_columns`."""


def tables_of_lines(path: Path, rows: int | None, most: int) -> Iterator[Any]:
    """The rows of a file as tables of Arrow, one at least.

    Parameters
    ----------
    path
        A file in UTF-8; lines of white space are no rows.
    rows
        Of a table; by default as many as fit, and `most` at most.

    Raises
    ------
    InputError
        When a line is no JSON object, naming the line.
    """
    schema = _schema(path)
    size = rows or min(most, fitting_rows(len(schema)))
    held: list[dict[str, Any]] = []
    told = False
    for row in _rows(path):
        held.append(row)
        if len(held) == size:
            yield table_of(held, schema)
            held, told = [], True
    if held or not told:
        yield table_of(held, schema)


def schema_of(rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> Any:
    """What the columns of rows hold, in the order in which they come up."""
    import pyarrow as pa

    kinds: dict[str, set[type]] = {}
    wide: set[str] = set()
    for row in rows:
        for name, value in row.items():
            kind = type(value)
            kinds.setdefault(name, set()).add(kind)
            if kind is int and not -EXACT <= value <= EXACT:
                wide.add(name)
                if not SMALLEST <= value <= LARGEST:
                    kinds[name].add(object)
    return pa.schema([_field(name, seen - {type(None)}, is_wide=name in wide) for name, seen in kinds.items()])


def table_of(rows: list[dict[str, Any]], schema: Any) -> Any:
    """Rows as a table of Arrow."""
    import pyarrow as pa

    columns = []
    for field in schema:
        values: list[Any] = [row.get(field.name) for row in rows]
        if _is_mixed(field):
            values = [None if value is None else msgspec.json.encode(value).decode() for value in values]
        columns.append(pa.array(values, field.type))
    if not columns:
        # A table without columns has no length.
        return pa.table({"": pa.nulls(len(rows))}).select([])
    return pa.Table.from_arrays(columns, schema=schema)


def mixed_columns(table: Any) -> list[str]:
    """The columns that hold the JSON text of their values."""
    return [field.name for field in table.schema if _is_mixed(field)]


def values_of(column: Any) -> list[Any]:
    """The values of a column that holds their JSON text."""
    decode = msgspec.json.Decoder().decode
    return [None if text is None else decode(text) for text in column.to_pylist()]


def _is_mixed(field: Any) -> bool:
    return (field.metadata or {}).get(MIXED.encode()) is not None


def _field(name: str, kinds: set[type], *, is_wide: bool) -> Any:
    import pyarrow as pa

    plain = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    if not kinds:
        return pa.field(name, pa.string())
    if len(kinds) == 1 and (kind := next(iter(kinds))) in plain:
        return pa.field(name, plain[kind])
    if kinds == {int, float} and not is_wide:
        return pa.field(name, pa.float64())
    return pa.field(name, pa.string(), metadata={MIXED: "1"})


def _schema(path: Path) -> Any:
    return schema_of(_rows(path))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if line.isspace():
                continue
            try:
                yield decode(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                fact = f"{path.name}, line {number} is no JSON object: {error}"
                remedy = "Write one object a line, in UTF-8, and each line in whole"
                raise InputError(fact, remedy=remedy, line=number) from error
