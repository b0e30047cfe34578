"""The one typed decoder of tables: types come from the contract, never from what was sent.

An `INTEGER` takes integers and integral floats, a `NUMBER` any number, `TEXT` strings only, `BOOLEAN` true and false
only, `DATETIME` ISO 8601 strings (UTC where they name no offset). A missing value is null or absent, and is taken only
where the training data had one. Errors say of what kind a value was, never the value: they go back over the wire.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.arrays import Array, build_column
from cellops.data.frames import plain_column, scalars
from cellops.data.matrix import Matrix, Places, finite, finite_numbers
from cellops.data.problems import SHOWN, Problem, listed, refuse, row_numbers, shorten
from cellops.data.quick_columns import Read, reader
from cellops.data.typed_arrays import array_scalars, plain_array
from cellops.errors import InputError
from cellops.records.contract import Field, Schema
from cellops.records.profile import ColumnKind

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, Array]
"""One array of shape (rows,) for each input."""
LISTS = (list, tuple, np.ndarray)
LONGEST_NAME = 200
"""Characters of a name for which a similar one is looked for, which takes the square of them."""
MOST_COMPARED = 50
"""Names among which a similar one is looked for; of more, those of about the same length."""


def decode_columns(schema: Schema, table: object) -> Columns:
    """Decode a table of columns, `{name: [scalar, ...]}`; see `Decoder.columns`."""
    return Decoder(schema).columns(table)


def decode_rows(schema: Schema, table: object) -> Columns:
    """Decode a list of rows, `{name: scalar}` each, or lists of scalars in the schema's order; see `Decoder.rows`."""
    return Decoder(schema).rows(table)


def frame_columns(schema: Schema, frame: "pd.DataFrame", *, allow_missing: bool = False) -> Columns:
    """Give the columns of a pandas frame the types that a request's columns get.

    Parameters
    ----------
    frame
        The table; columns that are no input of the model are left out.
    allow_missing
        Whether missing values are taken in every column, as drift wants them: there they are what is looked for.

    Raises
    ------
    InputError
        When a column is not there, or its values do not fit.
    """
    fields = [field.replace(nullable=True) if allow_missing else field for field in schema.inputs]
    given = [str(name) for name in frame.columns]
    refuse([_missing(field.name) for field in fields if field.name not in given])
    plain = {field.name: plain_column(field, frame[field.name]) for field in fields}
    rest = [field for field in fields if plain[field.name] is None]
    built = _build(rest, {field.name: scalars(frame[field.name]) for field in rest})
    return {name: built[name] if array is None else array for name, array in plain.items()}


def unseen(schema: Schema, columns: Mapping[str, Array]) -> dict[str, list[str]]:
    """The categories, column by column, that the training data never had: said, not refused.

    Columns whose categories were too many to be listed in the contract are not judged.
    """
    found = {}
    for field in schema.inputs:
        if field.kind is ColumnKind.TEXT and field.categories is not None:
            strange = set(columns[field.name].tolist()).difference(field.categories, (None,))
            if strange:
                found[field.name] = sorted(strange)
    return found


@dataclass(frozen=True)
class Decoder:
    """The decoder of one schema: a server makes one and keeps it.

    >>> from cellops.records.contract import Task
    >>> fields = (Field(name="distance", kind=ColumnKind.NUMBER, dtype="float64", nullable=True),)
    >>> decoder = Decoder(Schema(inputs=fields, task=Task.REGRESSION, target="delay"))
    >>> decoder.rows([{"distance": 733}, {}])
    {'distance': array([733.,  nan])}
    >>> decoder.columns({"distance": ["733"]})
    Traceback (most recent call last):
    cellops.errors.InputError: Column distance, row 0 is a string where a number is needed. Send a number for distance
    """

    schema: Schema

    @cached_property
    def fields(self) -> dict[str, Field]:
        return {field.name: field for field in self.schema.inputs}

    @cached_property
    def numbers_only(self) -> bool:
        """Whether every input is a number, so that a table is one matrix."""
        return all(field.kind is ColumnKind.NUMBER for field in self.schema.inputs)

    @cached_property
    def _places(self) -> Places:
        return Places(self.fields)

    @cached_property
    def _readers(self) -> tuple[tuple[str, Read], ...]:
        return tuple((field.name, reader(field)) for field in self.schema.inputs)

    @cached_property
    def required(self) -> frozenset[str]:
        return frozenset(field.name for field in self.schema.inputs if not field.nullable)

    def columns(self, table: object) -> Columns:
        """Decode columns of JSON scalars.

        Parameters
        ----------
        table
            Column name to list of scalars, or to an array of numpy in which NaN is a missing value, all of one length.
            A column that may be missing may be absent.

        Returns
        -------
        columns
            One array of shape (rows,) for each input, in the schema's order; `arrays.build_column` says of which types.

        Raises
        ------
        InputError
            When the table does not fit; it names the columns and rows of every problem.
        """
        if not isinstance(table, dict):
            fact = "The columns are not an object of lists"
            raise InputError(fact, remedy='Send {"column": [value, …], …}')
        fast = self._stacked(table)
        if fast is not None:
            return fast
        unlisted = [name for name in table if name in self.fields and not isinstance(table[name], LISTS)]
        given = {name: table[name] for name in self.fields if name in table and name not in unlisted}
        absent = self.required.difference(table)
        problems = self._names(table, absent=absent)
        problems += [Problem(n, (), f"Column {n} is not a list", f"Send {n} as a list of values") for n in unlisted]
        problems += _ragged({name: len(values) for name, values in given.items()})
        rows = len(next(iter(given.values()))) if given else 0
        fields = [field for name, field in self.fields.items() if name not in absent and name not in unlisted]
        return _build(fields, {field.name: given.get(field.name, [None] * rows) for field in fields}, problems)

    def rows(self, table: object) -> Columns:
        """Decode rows of JSON scalars: objects, or lists in the schema's order; returns and raises as `columns`."""
        if not isinstance(table, list | tuple):
            fact = "The rows are not a list"
            raise InputError(fact, remedy='Send [{"column": value, …}, …]')
        kinds = set(map(type, table))
        if kinds <= {dict}:
            return self._named(table)
        if kinds <= {list, tuple}:
            return self._positional(table)
        strange = [row for row, value in enumerate(table) if not isinstance(value, dict | list | tuple)]
        wrong = "neither an object nor a list"
        if not strange:
            strange = [row for row, value in enumerate(table) if isinstance(value, dict) != isinstance(table[0], dict)]
            wrong = f"not {'an object' if isinstance(table[0], dict) else 'a list'}, as row 0 is"
        fact = f"{row_numbers(strange).capitalize()} of the table: {wrong}"
        raise InputError(fact, remedy='Send each row as {"column": value, …}', rows=strange[:SHOWN])

    def matrix(self, table: Sequence[Sequence[Any]]) -> Matrix | None:
        """Decode rows of finite numbers in one step; None where a closer look is needed."""
        values = finite_numbers(table, len(self._places)) if self.numbers_only and table else None
        return None if values is None else Matrix(self._places, values)

    def numbers(self, table: Sequence[Sequence[float]]) -> Matrix | None:
        """The same for rows of which every value is known to be a number."""
        values = finite(table, len(self._places)) if self.numbers_only and table else None
        return None if values is None else Matrix(self._places, values)

    def table(self, values: Array) -> Columns:
        """Decode an array of shape (rows, inputs); NaN is a missing value. It raises as `columns`."""
        if self.numbers_only and values.dtype.kind in "fiu" and np.isfinite(values).all():
            return Matrix(self._places, np.ascontiguousarray(values, dtype=np.float64))
        return self.columns({name: values[:, place] for name, place in self._places.items()})

    def _stacked(self, table: Mapping[str, Any]) -> Matrix | None:
        """Arrays of finite numbers as one matrix; None where a closer look is needed."""
        if not self.numbers_only or table.keys() != self._places.keys():
            return None
        arrays = [table[name] for name in self._places]
        if not all(type(array) is np.ndarray and array.dtype.kind in "fiu" for array in arrays):
            return None
        shapes = {array.shape for array in arrays}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            return None
        values = np.column_stack(arrays).astype(np.float64, copy=False)
        return Matrix(self._places, values) if np.isfinite(values).all() else None

    def _positional(self, table: Sequence[Sequence[Any]]) -> Columns:
        fast = self.matrix(table)
        if fast is not None:
            return fast
        width = len(self.fields)
        wrong = [row for row, values in enumerate(table) if len(values) != width]
        if wrong:
            fact = (
                f"{row_numbers(wrong).capitalize()}: {len(table[wrong[0]])} values where the model has {width} inputs"
            )
            remedy = f"Send each row in this order: {listed(self.fields)}"
            refuse([Problem(None, tuple(wrong[:SHOWN]), fact, remedy)])
        return self._transposed(table)

    def _named(self, table: Sequence[Mapping[str, Any]]) -> Columns:
        names = list(self.fields)
        try:
            picked = [row[names[0]] for row in table] if len(names) == 1 else list(map(itemgetter(*names), table))
        except KeyError:
            return self._incomplete(table)
        if any(len(row) != len(names) for row in table):
            return self._incomplete(table)
        rows = [(value,) for value in picked] if len(names) == 1 else picked
        fast = self.matrix(rows)
        return self._transposed(rows) if fast is None else fast

    def _incomplete(self, table: Sequence[Mapping[str, Any]]) -> Columns:
        given, everywhere = set(chain.from_iterable(table)), set(table[0]).intersection(*table)
        absent = [name for name in self.fields if name in self.required and name not in everywhere]
        # Of the many columns that rows of few bytes can lack, only those that are spelled out are looked for in each.
        lacking = {name: [row for row, values in enumerate(table) if name not in values] for name in absent[:SHOWN]}
        problems = self._names(given, absent=set(absent), rows=lacking)
        fields = [field for name, field in self.fields.items() if name in everywhere or name not in self.required]
        nothing = [None] * len(table)
        values = {f.name: [row.get(f.name) for row in table] if f.name in given else nothing for f in fields}
        return _build(fields, values, problems)

    def _transposed(self, rows: Sequence[Sequence[Any]]) -> Columns:
        values = list(zip(*rows, strict=True)) if rows else [()] * len(self.fields)
        columns: dict[str, Array] = {}
        for (name, read), column in zip(self._readers, values, strict=True):
            array = read(column)
            if array is None:
                break
            columns[name] = array
        else:
            return columns
        return _build(self.schema.inputs, dict(zip(self.fields, values, strict=True)))

    def _names(
        self, given: Iterable[object], *, absent: Iterable[str], rows: Mapping[str, list[int]] | None = None
    ) -> list[Problem]:
        """The columns that are not the model's, and those of the model that are not there."""
        unknown = sorted(str(name) for name in given if name not in self.fields)
        meant = {name: _nearest(name, self.fields) for name in unknown[:SHOWN] if name != self.schema.target}
        problems = [_unknown(name, meant.get(name), self.schema) for name in unknown[:SHOWN]]
        instead = {near: _instead(near, name) for name, near in meant.items() if near}
        if len(unknown) > SHOWN:
            more = f"There are {len(unknown) - SHOWN} more columns that are no input of the model"
            problems.append(Problem(None, (), more, "Send the inputs of the model only"))
        lacking = [_missing(name, (rows or {}).get(name, [])) for name in self.fields if name in absent]
        return problems + [replace(lack, remedy=instead.get(str(lack.column), lack.remedy)) for lack in lacking]


def _build(
    fields: Iterable[Field], table: Mapping[str, Sequence[Any] | Array], found: Sequence[Problem] = ()
) -> Columns:
    columns: dict[str, Array] = {}
    problems = list(found)
    for field in fields:
        array, wrong = _column(field, table[field.name])
        problems += wrong
        if array is not None:
            columns[field.name] = array
    refuse(problems)
    return columns


def _column(field: Field, values: Sequence[Any] | Array) -> tuple[Array | None, list[Problem]]:
    if not isinstance(values, np.ndarray):
        return build_column(field, values)
    plain = plain_array(field, values)
    return build_column(field, array_scalars(values)) if plain is None else (plain, [])


def _missing(name: str, rows: Sequence[int] = ()) -> Problem:
    where = f" in {row_numbers(rows)}" if rows else ""
    return Problem(name, tuple(rows[:SHOWN]), f"Column {name} is missing{where}", f"Send {name}: the model needs it")


def _unknown(name: str, near: str | None, schema: Schema) -> Problem:
    hint = _instead(near, name) if near else f"The inputs are {listed(field.name for field in schema.inputs)}"
    if name == schema.target:
        hint = f"Leave {shorten(name)} out: it is what the model predicts"
    return Problem(shorten(name), (), f"The model has no input {shorten(name)}", hint)


def _instead(near: str, name: str) -> str:
    return f"Send {near} in place of {shorten(name)}"


def _nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like one, in capitals or not."""
    if len(name) > LONGEST_NAME:
        return None
    meant, folded = name.casefold(), {other.casefold(): other for other in known}
    if meant in folded:
        return folded[meant]
    compared = list(folded)
    if len(compared) > MOST_COMPARED:
        compared = [other for other in compared if abs(len(other) - len(meant)) <= 1][:MOST_COMPARED]
    near = get_close_matches(meant, compared, n=1)
    return folded[near[0]] if near else None


def _ragged(lengths: Mapping[str, int]) -> list[Problem]:
    if len(set(lengths.values())) <= 1:
        return []
    said = listed([f"{name} {length}" for name, length in lengths.items()])
    return [Problem(None, (), f"The columns differ in length: {said}", "Send as many values for each column")]
