"""Tables of pandas, polars and pyarrow alike: columns as pandas reads them, rows taken by their places."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from cellops.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Places = npt.NDArray[np.intp]
"""Row numbers; -1 stands for a row of missing values."""


class Frame(Protocol):
    """A table of some library."""

    table: Any

    def __init__(self, table: Any) -> None: ...

    @property
    def names(self) -> list[str]:
        """Its columns."""

    def series(self, name: str) -> "pd.Series[Any]":
        """One column in pandas, with rows counted from 0."""

    def taken(self, names: dict[str, str], places: Places) -> Any:
        """Some rows of some columns, which get the names that stand beside them, as a table of the same library."""

    def beside(self, others: list[Any]) -> Any:
        """The table with the columns of others to its right."""


class PandasFrame:
    """A DataFrame of pandas; its index stays."""

    def __init__(self, table: Any) -> None:
        self.table = table

    @property
    def names(self) -> list[str]:
        return list(self.table.columns)

    def series(self, name: str) -> "pd.Series[Any]":
        found: pd.Series[Any] = self.table[name].reset_index(drop=True)
        return found

    def taken(self, names: dict[str, str], places: Places) -> Any:
        rows = self.table[list(names)].reset_index(drop=True)
        return (rows.take(places) if (places >= 0).all() else rows.reindex(places)).rename(columns=names)

    def beside(self, others: list[Any]) -> Any:
        import pandas as pd

        return pd.concat([self.table, *(other.set_axis(self.table.index) for other in others)], axis=1)


class PolarsFrame:
    """A DataFrame of polars."""

    def __init__(self, table: Any) -> None:
        self.table = table

    @property
    def names(self) -> list[str]:
        return list(self.table.columns)

    def series(self, name: str) -> "pd.Series[Any]":
        found: pd.Series[Any] = self.table[name].to_pandas()
        return found

    def taken(self, names: dict[str, str], places: Places) -> Any:
        import polars as pl

        rows = pl.Series(places).cast(pl.Int64)
        rows = rows.set(rows < 0, None)
        return self.table.select(pl.col(list(names)).gather(rows)).rename(names)

    def beside(self, others: list[Any]) -> Any:
        import polars as pl

        return pl.concat([self.table, *others], how="horizontal")


class ArrowFrame:
    """A table of pyarrow."""

    def __init__(self, table: Any) -> None:
        self.table = table

    @property
    def names(self) -> list[str]:
        return list(self.table.column_names)

    def series(self, name: str) -> "pd.Series[Any]":
        found: pd.Series[Any] = self.table.column(name).to_pandas(date_as_object=False)
        return found.reset_index(drop=True)

    def taken(self, names: dict[str, str], places: Places) -> Any:
        import pyarrow as pa

        rows = pa.array(places, mask=places < 0)
        return self.table.select(list(names)).take(rows).rename_columns(list(names.values()))

    def beside(self, others: list[Any]) -> Any:
        made = self.table
        for other in others:
            for name in other.column_names:
                made = made.append_column(name, other.column(name))
        return made


def frame_of(table: Any, called: str) -> Frame:
    """A table as the joins read it.

    Parameters
    ----------
    table
        A DataFrame of pandas or polars, or a table of pyarrow.
    called
        What it is called in errors.

    Raises
    ------
    InputError
        When it is none of these, or names a column twice.
    """
    kinds: dict[str, type[Frame]] = {"pandas": PandasFrame, "polars": PolarsFrame, "pyarrow": ArrowFrame}
    library = type(table).__module__.partition(".")[0]
    if library not in kinds or type(table).__name__ not in {"DataFrame", "Table"}:
        fact = f"The {called} are no table but a {type(table).__name__}"
        raise InputError(fact, remedy="Give a DataFrame of pandas or polars, or a table of pyarrow")
    found = kinds[library](table)
    twice = [name for place, name in enumerate(found.names) if name in found.names[:place]]
    if twice:
        fact = f"The {called} have more than one column {twice[0]}"
        raise InputError(fact, remedy="Name each column once", column=twice[0])
    return found


def alike(frame: Frame, other: Frame) -> Frame:
    """A table as one of the library of another."""
    if type(frame) is type(other):
        return frame
    import pyarrow as pa

    table = frame.table
    try:
        held = pa.Table.from_pandas(table, preserve_index=False) if isinstance(frame, PandasFrame) else table
    except (pa.ArrowException, UnicodeEncodeError, OverflowError) as error:
        fact = f"Values of several kinds have no place in a column of Arrow: {'; '.join(map(str, error.args))}"
        raise InputError(fact, remedy="Give values of one kind, or a DataFrame of pandas") from error
    held = held.to_arrow() if isinstance(frame, PolarsFrame) else held
    if isinstance(other, PandasFrame):
        return PandasFrame(held.to_pandas(date_as_object=False))
    if isinstance(other, PolarsFrame):
        import polars as pl

        return PolarsFrame(pl.from_arrow(held))
    return ArrowFrame(held)
