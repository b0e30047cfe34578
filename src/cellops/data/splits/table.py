"""A table whose rows are divided: of pandas, polars or Arrow, all read and taken apart in one way."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellops.data.problems import listed, row_numbers
from cellops.errors import InputError

KINDS = {("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table")}


class Table:
    """A view of a table: its names, the columns that decide, and some of its rows in its own type.

    Parameters
    ----------
    data
        A DataFrame of pandas or polars, or a table of pyarrow.

    Raises
    ------
    InputError
        When it is something else.
    """

    def __init__(self, data: Any) -> None:
        kinds = {(base.__module__.partition(".")[0], base.__name__) for base in type(data).__mro__}
        found = KINDS & kinds
        if not found:
            fact = "What is to be divided is no table"
            remedy = "Give a DataFrame of pandas or polars, or a table of pyarrow; collect a lazy one before"
            raise InputError(fact, received=f"{type(data).__module__}.{type(data).__qualname__}", remedy=remedy)
        self.data = data
        self._library = found.pop()[0]
        self.rows = data.num_rows if self._library == "pyarrow" else len(data)
        self.names = tuple(map(str, data.column_names if self._library == "pyarrow" else data.columns))

    def column(self, name: str) -> Any:
        """A column as an Arrow array of shape (rows,), without missing values.

        Raises
        ------
        InputError
            When it is not there, stands there twice, lacks values or mixes kinds of them.
        """
        times = Counter(self.names)[name]
        if times != 1:
            fact = f"The table has {times} columns called {name}" if times else f"The table has no column {name}"
            remedy = "Rename them" if times else f"Its columns are {listed(self.names)}"
            raise InputError(fact, remedy=remedy, column=name)
        column = self._arrow(name)
        gaps = np.flatnonzero(np.asarray(column.is_null(nan_is_null=True)))
        if len(gaps):
            fact = f"Column {name} has no value in {row_numbers(gaps.tolist())}, so nothing says where to put them"
            raise InputError(fact, remedy="Fill the values in, or drop the rows", column=name, rows=gaps[:5].tolist())
        return column

    def take(self, places: NDArray[np.intp]) -> Any:
        """Some rows, in the type of the table."""
        if self._library == "pandas":
            return self.data.iloc[places]
        return self.data[places] if self._library == "polars" else self.data.take(places)

    def _arrow(self, name: str) -> Any:
        import pyarrow as pa

        if self._library != "pandas":
            return self.data.column(name) if self._library == "pyarrow" else self.data.get_column(name).to_arrow()
        series = self.data.iloc[:, self.names.index(name)]
        if series.dtype == object:
            _refuse_mixed_zones(name, series.tolist())
        if hasattr(series.dtype, "tz"):
            return pa.array(series.dt.tz_convert(None).to_numpy()).cast(pa.timestamp(series.dt.unit, "UTC"))
        try:
            return pa.Array.from_pandas(series)
        except (UnicodeEncodeError, OverflowError) as error:
            fact = f"Column {name} holds a value that is no Unicode, or a number beyond 2**64"
            remedy = f"Write its values otherwise before: table[{name!r}] = table[{name!r}].map(ascii)"
            raise InputError(fact, received=str(error), remedy=remedy, column=name) from error
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            fact = f"Column {name} mixes values of different kinds"
            remedy = f"Make them one kind before: table[{name!r}] = table[{name!r}].astype(str)"
            raise InputError(fact, received=str(error).splitlines()[0], remedy=remedy, column=name) from error


def _refuse_mixed_zones(name: str, values: Sequence[Any]) -> None:
    """Arrow would drop the time zone of some, or take the first one's for all."""
    zones = {str(value.tzinfo) for value in values if hasattr(value, "tzinfo")}
    if len(zones) > 1:
        fact = f"Column {name} mixes times of different time zones, or with and without one"
        remedy = f"Convert it before: table[{name!r}] = pandas.to_datetime(table[{name!r}], utc=True)"
        raise InputError(fact, received=", ".join(sorted(zones)), remedy=remedy, column=name)
