"""The data of two runs: files and tables by their content."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cellops.records.cell import CellRecord
from cellops.records.file import FileUse
from cellops.records.run import DataFingerprint
from cellops.records.run_comparison import Difference
from cellops.records.value import ValueSeen

METADATA_ONLY = "metadata-only"
DIGITS = 12
"""Of a digest that is shown."""
Found = Difference | str
"""A difference, or why something could not be compared."""


def file_differences(before: Iterable[FileUse], after: Iterable[FileUse]) -> Iterator[Found]:
    """The files that one run has read and the other has not, or with another content."""
    then = {use.path: use for use in before}
    now = {use.path: use for use in after}
    for path in dict.fromkeys((*then, *now)):
        one, other = then.get(path), now.get(path)
        if one is None or other is None:
            yield Difference(kind="file", name=path, before=_content(one), after=_content(other))
        elif "://" in path:
            yield f"The content of {path} was not pinned, since it is remote"
        elif one.digest is not None and other.digest is not None and one.method == other.method:
            if one.digest != other.digest:
                yield Difference(kind="file", name=path, before=_content(one), after=_content(other))
        elif one.size != other.size:
            yield Difference(kind="file", name=path, before=_content(one), after=_content(other), note="by their sizes")
        else:
            reason = one.reason or other.reason or f"it was hashed {one.method} and {other.method}"
            yield f"The content of {path} was not compared: {reason}"


def table_differences(
    before: Iterable[DataFingerprint],
    after: Iterable[DataFingerprint],
    cells: Sequence[CellRecord],
    other_cells: Sequence[CellRecord],
) -> Iterator[Found]:
    """The tables that the runs used, with the columns that differ where the cells' values name them.

    Parameters
    ----------
    cells, other_cells
        Those that the first and the second run depended on.
    """
    then = {(table.role, table.name): table for table in before}
    now = {(table.role, table.name): table for table in after}
    values, others = _values(cells), _values(other_cells)
    for key in dict.fromkeys((*then, *now)):
        one, other = then.get(key), now.get(key)
        if one is None or other is None:
            yield Difference(kind="table", name=_name(key), before=_table(one), after=_table(other))
        elif METADATA_ONLY in (one.method, other.method) or one.method != other.method:
            if (one.rows, one.columns) != (other.rows, other.columns):
                yield Difference(
                    kind="table", name=_name(key), before=_table(one), after=_table(other), note="by their sizes"
                )
            else:
                reason = one.reason or other.reason or f"it was hashed {one.method} and {other.method}"
                yield f"The content of {_name(key)} was not compared: {reason}"
        elif one.digest != other.digest:
            parts, note = _columns(values.get(one.name), others.get(other.name))
            yield Difference(
                kind="table", name=_name(key), before=_table(one), after=_table(other), parts=parts, note=note
            )


def _values(cells: Iterable[CellRecord]) -> Mapping[str, ValueSeen]:
    """What names stood for at the end."""
    return {value.name: value for record in cells for value in record.values}


def _columns(before: ValueSeen | None, after: ValueSeen | None) -> tuple[tuple[str, ...], str]:
    """The columns that differ, and what else is known of them."""
    if before is None or after is None or not before.parts or not after.parts or before.covered is not after.covered:
        return (), ""
    apart = tuple(
        name for name in dict.fromkeys((*before.parts, *after.parts)) if before.parts.get(name) != after.parts.get(name)
    )
    return apart, "" if apart else "every column holds the same: their order, or the index, differs"


def _name(key: tuple[str, str]) -> str:
    role, name = key
    return name if role == "table" else f"{name} ({role})"


def _content(use: FileUse | None) -> str:
    if use is None:
        return ""
    size = "" if use.size is None else f"{use.size:,} bytes"
    return ", ".join(part for part in (size, (use.digest or "")[-DIGITS:]) if part) or use.method


def _table(table: DataFingerprint | None) -> str:
    return "" if table is None else f"{table.rows:,} x {table.columns}, {table.digest[-DIGITS:]}"
