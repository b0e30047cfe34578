"""Key columns of two tables as one number a row: equal where all of their values are."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cellops.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Codes = npt.NDArray[np.int64]
"""One number a row; -1 where a value of the key is missing."""
KINDS = {"i": "numbers", "u": "numbers", "f": "numbers", "b": "booleans", "M": "times", "m": "spans of time"}
OF_OBJECTS = {
    "string": "texts",
    "integer": "numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
    "decimal": "decimals",
    "boolean": "booleans",
    "date": "dates",
    "bytes": "bytes",
}
LARGEST_WHOLE = 2**53
"""Whole numbers beyond it have no place of their own among floats."""


def codes(
    left: "list[pd.Series[Any]]", right: "list[pd.Series[Any]]", names: tuple[str, str] = ("labels", "events")
) -> tuple[Codes, Codes]:
    """The codes of the keys of two tables.

    Parameters
    ----------
    left, right
        The columns of the key, in one order.
    names
        What the tables are called in errors.

    Raises
    ------
    InputError
        When a column holds values of several kinds, or of another kind than its counterpart.

    Examples
    --------
    >>> import pandas as pd
    >>> codes([pd.Series(["a", None, "b"])], [pd.Series(["b", "c"])])
    (array([ 0, -1,  1]), array([1, 2]))
    """
    rows = len(left[0])
    found = np.zeros(rows + len(right[0]), dtype=np.int64)
    for one, other in zip(left, right, strict=True):
        code = _of_column(one, other, names)
        gone = (found < 0) | (code < 0)
        found = _dense(found * (int(code.max(initial=0)) + 1) + code) if found.any() else code.copy()
        found[gone] = -1
    return found[:rows], found[rows:]


def _dense(values: Codes) -> Codes:
    """Numbers from 0, so that another column still fits beside them."""
    import pandas as pd

    return pd.factorize(values)[0].astype(np.int64)


def _of_column(left: "pd.Series[Any]", right: "pd.Series[Any]", names: tuple[str, str]) -> Codes:
    import pandas as pd

    left, right = _plain(left), _plain(right)
    kinds = [_kind(series, name) for series, name in zip((left, right), names, strict=True)]
    if None not in kinds and kinds[0] != kinds[1]:
        fact = f"The key {left.name} holds {kinds[0]} in the {names[0]} and {kinds[1]} in the {names[1]}"
        remedy = f"Bring both to one type, as with frame[{str(left.name)!r}].astype(str)"
        raise InputError(fact, remedy=remedy, column=str(left.name))
    if kinds[0] == "numbers" and len({left.dtype.kind, right.dtype.kind}) > 1:
        _require_whole(left, right)
    if kinds[0] == "times":
        _require_zones(left, right, names)
    both = pd.concat([left, right], ignore_index=True)
    return pd.factorize(both)[0].astype(np.int64)


def _plain(series: "pd.Series[Any]") -> "pd.Series[Any]":
    """The values of a column of categories; texts and numbers of any library as pandas' own."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if pd.api.types.is_string_dtype(series.dtype) and series.dtype != object:
        return series.astype(object).where(series.notna(), None)
    return series


def _kind(series: "pd.Series[Any]", name: str) -> str | None:
    """What the values of a key are; None where there are none."""
    import pandas as pd

    if series.dtype.kind != "O":
        return KINDS.get(series.dtype.kind, str(series.dtype))
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind == "empty":
        return None
    if kind not in OF_OBJECTS:
        fact = f"The key {series.name} of the {name} holds values of several types ({kind})"
        remedy = f"Bring it to one, as with frame[{str(series.name)!r}].astype(str)"
        raise InputError(fact, remedy=remedy, column=str(series.name))
    return OF_OBJECTS[kind]


def _require_whole(left: "pd.Series[Any]", right: "pd.Series[Any]") -> None:
    """Numbers of two types are compared as floats, among which large whole ones fall together."""
    if any(series.abs().max() > LARGEST_WHOLE for series in (left, right)):
        fact = f"The key {left.name} is of two types of numbers, and some lie beyond 2**53, where floats fall together"
        remedy = "Read it as whole numbers or as text: astype('Int64') or astype(str)"
        raise InputError(fact, remedy=remedy, column=str(left.name))


def _require_zones(left: "pd.Series[Any]", right: "pd.Series[Any]", names: tuple[str, str]) -> None:
    zones = [getattr(series.dt, "tz", None) is not None for series in (left, right)]
    if zones[0] != zones[1]:
        zoned, naive = names if zones[0] else names[::-1]
        fact = f"The key {left.name} has a time zone in the {zoned} and none in the {naive}"
        raise InputError(fact, remedy="Say which it is: frame[column].dt.tz_localize('UTC')", column=str(left.name))
