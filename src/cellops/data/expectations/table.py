"""One view of a table for the rules, be it a DataFrame or the columns of a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cellops.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Values = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
KINDS = {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "U": "text", "M": "time"}


def kind_of(type_: type | str) -> str | None:
    """`boolean`, `integer`, `number`, `text` or `time`, from a Python type, a numpy type or the name of one."""
    return KINDS.get(np.dtype(type_).kind)


@dataclass(frozen=True)
class Column:
    """A column with its missing values set apart."""

    name: str
    missing: Mask
    """True where the value is missing, shape (rows,)."""
    present: Values
    """The other values, in their order."""

    @cached_property
    def kinds(self) -> frozenset[str]:
        """What the present values are: `boolean`, `integer`, `number`, `text`, `time`, else the name of their type."""
        if self.present.dtype.kind != "O":
            return frozenset({KINDS.get(self.present.dtype.kind, str(self.present.dtype))})
        return frozenset(kind_of(type_) or type_.__name__ for type_ in set(map(type, self.present)))

    def require(self, *kinds: str) -> Values:
        """The present values, when they are of these kinds.

        Raises
        ------
        InputError
            When some are not.
        """
        if len(self.present) and not self.kinds <= set(kinds):
            fact = (
                f"Column {self.name} holds {' and '.join(sorted(self.kinds))} values; the rule needs {kinds[0]} values"
            )
            raise InputError(fact, remedy="Correct the column, or use another rule", column=self.name)
        numeric = self.present.dtype.kind == "O" and self.kinds <= {"integer", "number"}
        return self.present.astype(float) if numeric else self.present

    def rows_where(self, failed: Mask) -> npt.NDArray[np.intp]:
        """The row numbers of those present values for which `failed` is true."""
        return np.flatnonzero(~self.missing)[failed]


class Table:
    """The columns by name; each is split into missing and present values when a rule first asks for it."""

    def __init__(self, data: "Mapping[str, Values] | pd.DataFrame") -> None:
        self._data = data
        self._columns: dict[str, Column] = {}
        self.rows = len(next(iter(data.values()), ())) if isinstance(data, Mapping) else len(data)

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def column(self, name: str) -> Column:
        """The column `name`.

        Raises
        ------
        InputError
            When there is none, or more than one.
        """
        if name not in self._columns:
            self._columns[name] = self._split(name)
        return self._columns[name]

    def value(self, name: str, row: int) -> Any:
        """The value in one row, None where it is missing."""
        column = self.column(name)
        return None if column.missing[row] else column.present[np.count_nonzero(~column.missing[:row])]

    def _split(self, name: str) -> Column:
        if name not in self:
            fact = f"The table has no column {name}"
            raise InputError(fact, remedy="Correct the name in the expectation, or add the column", column=name)
        if isinstance(self._data, Mapping):
            values = self._data[name]
            missing = _missing(values)
            return Column(name, missing, values[~missing] if missing.any() else values)
        series = self._data[name]
        if series.ndim != 1:
            fact = f"The table has {series.shape[1]} columns called {name}"
            raise InputError(fact, remedy="Rename them", column=name)
        missing = series.isna().to_numpy(dtype=bool)
        return Column(name, missing, _plain(series[~missing]))


def _missing(values: Values) -> Mask:
    match values.dtype.kind:
        case "f":
            return np.isnan(values)
        case "M":
            return np.isnat(values)
        case "O":
            import pandas as pd

            return np.asarray(pd.isna(values), dtype=bool)
        case _:
            return np.zeros(len(values), dtype=bool)


def _plain(series: "pd.Series[Any]") -> Values:
    """The values of a series without missing ones as numpy holds them: times in UTC, categories as themselves."""
    if hasattr(series.dtype, "tz"):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    return series.to_numpy()
