"""A column as the rules see it: what several of them need of it is computed once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.data.expectations.conversions import Codes, Values, encoded_texts, numbers_of, times_of
from cellops.errors import InputError

Mask = npt.NDArray[np.bool_]
KINDS = {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "U": "text", "T": "text", "M": "time"}
NUMBERS = ("number", "integer")
FULL = frozenset("fM")
"""Kinds of numpy whose missing values stand in the array itself and compare as false."""


def kind_of(type_: type | str) -> str | None:
    """`boolean`, `integer`, `number`, `text` or `time`, from a Python type, a numpy type or the name of one."""
    if isinstance(type_, type) and issubclass(type_, date):
        return "time"
    if type_ is Decimal:
        return "number"
    return KINDS.get(np.dtype(type_).kind)


@dataclass(frozen=True)
class Column:
    """The values of a column, with the missing ones told apart."""

    name: str
    array: Values | None
    """The values where numpy can hold them with their missing ones."""
    series: Any = None
    """The values where pandas alone can: text, categories, integers with missing ones."""

    @cached_property
    def missing(self) -> Mask:
        """True where the value is missing, shape (rows,)."""
        if self.array is None:
            return np.asarray(self.series.isna().to_numpy(dtype=bool))
        match self.array.dtype.kind:
            case "f":
                return np.isnan(self.array)
            case "M" | "m":
                return np.isnat(self.array)
            case "O":
                import pandas as pd

                return np.asarray(pd.isna(self.array), dtype=bool)
            case _:
                return np.zeros(len(self.array), dtype=bool)

    @cached_property
    def missing_count(self) -> int:
        return int(np.count_nonzero(self.missing))

    @property
    def rows(self) -> int:
        return len(self.missing)

    @property
    def no_rows(self) -> npt.NDArray[np.intp]:
        return np.empty(0, dtype=np.intp)

    @property
    def count(self) -> int:
        """How many values are there."""
        return self.rows - self.missing_count

    @cached_property
    def present(self) -> Values:
        """The values that are there, in their order, as numpy holds them: times in UTC, categories as themselves."""
        if self.array is None:
            kept = self.series[~self.missing] if self.missing_count else self.series
            return np.asarray(kept.to_numpy())
        return self.array[~self.missing] if self.missing_count else self.array

    @cached_property
    def kinds(self) -> frozenset[str]:
        """What the values are: `boolean`, `integer`, `number`, `text`, `time`, else the name of their type."""
        if self.of_text:
            return frozenset({"text"})
        values = self.present if self.categories is None else self.categories
        if values.dtype.kind != "O":
            return frozenset({KINDS.get(values.dtype.kind, str(values.dtype))})
        return frozenset(kind_of(type_) or type_.__name__ for type_ in set(map(type, values)))

    @property
    def of_text(self) -> bool:
        """Whether pandas itself knows that there are texts alone."""
        import pandas as pd

        return self.array is None and isinstance(self.series.dtype, pd.StringDtype)

    @cached_property
    def categories(self) -> Values | None:
        """The values that a categorical column may take; None for any other."""
        accessor = getattr(self.series, "cat", None) if hasattr(self.series, "dtype") else None
        return None if accessor is None else np.asarray(accessor.categories.to_numpy())

    @cached_property
    def operand(self) -> Values:
        """What a rule compares: all rows where missing values compare as false, else those that are there."""
        if self.array is not None and self.array.dtype.kind in FULL:
            return self.array
        values = self.present
        if values.dtype.kind == "O" and self.kinds <= set(NUMBERS):
            return numbers_of(values, whole=self.kinds == {"integer"})
        return times_of(values) if values.dtype.kind == "O" and self.kinds == {"time"} else values

    def require(self, *kinds: str) -> Values:
        """The operand, when the values are of these kinds.

        Raises
        ------
        InputError
            When some are not.
        """
        self.refuse_other_than(*kinds)
        return self.operand

    def refuse_other_than(self, *kinds: str) -> None:
        """Refuse values of other kinds.

        Raises
        ------
        InputError
            Naming the kinds that are there.
        """
        if self.count and not self.kinds <= set(kinds):
            held = " and ".join(sorted(self.kinds))
            fact = f"Column {self.name} holds {held} values; the rule needs {kinds[0]} values"
            raise InputError(fact, remedy="Correct the column, or use another rule", column=self.name)

    @cached_property
    def numbers(self) -> Values:
        """The numbers or times that are there; beware of a column that holds others."""
        return self.operand if len(self.operand) == self.count else self.operand[~self.missing]

    @cached_property
    def ordered(self) -> Values:
        """The numbers or times that are there, ascending."""
        return np.sort(self.numbers)

    @cached_property
    def coded(self) -> tuple[Codes, Values]:
        """For each row the position of its value among the distinct ones, -1 where it is missing; and these."""
        import pandas as pd

        if self.categories is not None:
            return self.series.cat.codes.to_numpy().astype(np.intp), self.categories
        encoded = encoded_texts(self.series) if self.of_text else None
        if encoded is not None:
            return encoded
        codes, distinct = pd.factorize(self.series if self.array is None else self.array)
        return np.asarray(codes), np.asarray(distinct)

    @cached_property
    def counts(self) -> npt.NDArray[np.intp]:
        """Rows of each distinct value, in the order of `coded`."""
        codes, distinct = self.coded
        return np.bincount(codes + 1, minlength=len(distinct) + 1)[1:]

    @cached_property
    def distinct(self) -> list[Any]:
        """Each value that is there once, as Python has it."""
        if self.array is not None and self.array.dtype.kind in "biufM":
            return list(self.unique if self.array.dtype.kind == "M" else self.unique.tolist())
        values = self.coded[1].tolist()
        return values if self.categories is None else [v for v, rows in zip(values, self.counts, strict=True) if rows]

    @cached_property
    def unique(self) -> Values:
        """Each number, time or boolean that is there once."""
        import pandas as pd

        return np.asarray(pd.unique(self.present))

    @property
    def distinct_count(self) -> int:
        if self.array is not None and self.array.dtype.kind in "biufM":
            return len(self.unique)
        return int(np.count_nonzero(self.counts))

    def where(self, wrong: Callable[[Any], bool]) -> Mask:
        """True for each row whose value is so; each distinct value is looked at once, as columns repeat theirs."""
        codes, distinct = self.coded
        verdicts = [wrong(value) for value in distinct.tolist()]
        return np.array([*verdicts, False], dtype=bool)[codes]

    def rows_where(self, mask: Mask) -> npt.NDArray[np.intp]:
        """The numbers of the rows for which a mask is true, that speaks of all rows or of those with a value."""
        if not mask.any():
            return self.no_rows
        if len(mask) == self.rows:
            return np.flatnonzero(mask & ~self.missing if self.missing_count else mask)
        return np.flatnonzero(~self.missing)[mask]

    def value(self, row: int) -> Any:
        """The value of one row, None where it is missing."""
        if self.missing[row]:
            return None
        return self.series.iloc[row] if self.array is None else self.array[row]

    @cached_property
    def full(self) -> Values:
        """All rows as numpy holds them; what stands in the missing ones means nothing."""
        if self.array is not None and self.array.dtype.kind != "O":
            return self.array
        if len(self.operand) == self.rows:
            return self.operand
        spread = np.zeros(self.rows, dtype=self.operand.dtype)
        spread[~self.missing] = self.operand
        return spread
