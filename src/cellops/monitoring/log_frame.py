"""Segments as one pandas table, whatever models wrote them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def to_frame(segments: "Sequence[pa.Table]", always: "pa.Schema") -> "pd.DataFrame":
    """Segments below one another in order of arrival, every value of the type that it was logged with.

    A column that not all segments have is missing in the others. One that holds different types, as the labels of two
    models may, has the dtype `object`. A table without rows has the columns `always`, `received` among them.
    """
    import pandas as pd
    import pyarrow as pa

    tables = [segment for segment in segments if segment.num_rows] or [always.empty_table()]
    types: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for field in table.schema:
            types.setdefault(field.name, set()).add(field.type)
    clashing = [name for name, seen in types.items() if len(seen) > 1]
    alike = [table.drop_columns([name for name in clashing if name in table.column_names]) for table in tables]
    frame: pd.DataFrame = pa.concat_tables(alike, promote_options="default").to_pandas()
    mixed = {name: pd.Series(_scalars(tables, name), dtype=object) for name in clashing}
    frame = frame.assign(**mixed)[list(types)]
    return frame.sort_values("received", kind="stable", ignore_index=True)


def _scalars(tables: "Sequence[pa.Table]", name: str) -> list[Any]:
    return [
        value
        for table in tables
        for value in (table[name].to_pylist() if name in table.column_names else [None] * table.num_rows)
    ]
