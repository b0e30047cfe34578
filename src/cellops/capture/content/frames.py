"""Digests of pandas frames, series and indices: names, types, order and every value."""

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from cellops.capture.content.arrays import PLAIN, array_digest, column_digests, object_digest
from cellops.capture.content.arrow import arrow_digest
from cellops.capture.content.tokens import UnhashableError, check_zone, join, token

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Values = pd.Series[Any] | pd.Index[Any]


def frame_digest(frame: "pd.DataFrame") -> bytes:
    """The digest of a frame. Columns are told apart by their places, so that names may stand twice.

    Raises
    ------
    UnhashableError
        When a column holds objects that cannot be read safely.
    """
    return join(frame_digests(frame))


def frame_digests(frame: "pd.DataFrame") -> list[bytes]:
    """The digests of a frame's index, of its labels, and of each column; raises as `frame_digest` does."""
    head = [values_digest(frame.index), _labels(frame.columns)]
    uniform = uniform_columns(frame)
    if uniform is not None:
        return [*head, *column_digests(uniform)]
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    plain = {place: column.to_numpy() for place, column in enumerate(columns) if _is_plain(column)}
    digests = dict(zip(plain, column_digests(list(plain.values())), strict=True))
    return [*head, *(digests.get(place) or values_digest(column) for place, column in enumerate(columns))]


def uniform_columns(frame: "pd.DataFrame") -> "list[np.ndarray[Any, Any]] | None":
    """The columns of a frame whose columns all have one of numpy's plain types; taken out at once, not one by one."""
    kinds = set(frame.dtypes)
    if len(kinds) != 1 or type(kind := kinds.pop()).__module__.partition(".")[0] != "numpy" or kind.kind not in PLAIN:
        return None
    return list(frame.to_numpy().T)


def series_digest(series: "pd.Series[Any]") -> bytes:
    """The digest of a series with its name and its index."""
    return join([values_digest(series.index), token(series.name), values_digest(series)])


def values_digest(values: "Values") -> bytes:
    """The digest of what a series or an index holds; of an index with its names."""
    import pandas as pd

    if isinstance(values, pd.MultiIndex):
        levels = [values.get_level_values(level) for level in range(values.nlevels)]
        return join([b"MultiIndex", *map(values_digest, levels)])
    names = join([token(values.name)]) if isinstance(values, pd.Index) else b""
    if isinstance(values, pd.RangeIndex):
        return names + join([b"RangeIndex", *(token(n) for n in (values.start, values.stop, values.step))])
    if _is_plain(values):
        return names + array_digest(values.to_numpy())
    if values.dtype == object:
        return names + object_digest(values.tolist())
    return names + join([str(values.dtype).encode() if _is_named(values.dtype) else b"", _extension(values.array)])


def _is_plain(values: "Values") -> bool:
    return getattr(values.dtype, "kind", "") in PLAIN and type(values.dtype).__module__.startswith("numpy")


def _is_named(dtype: Any) -> bool:
    """Whether the name of a dtype is known to be its own and not that of something inside it."""
    check_zone(getattr(dtype, "tz", None))
    return type(dtype).__name__ != "CategoricalDtype"


def _extension(array: Any) -> bytes:
    """The digest of one of pandas' own extension arrays."""
    import numpy as np
    import pandas as pd

    kind = type(array.dtype).__name__
    if type(array).__module__.partition(".")[0] != "pandas":
        fact = f"columns of {type(array).__module__}.{type(array).__name__} cannot be hashed"
        raise UnhashableError(fact)
    match kind:
        case "CategoricalDtype":
            return join([token(array.ordered), values_digest(array.categories), array_digest(array.codes)])
        case "DatetimeTZDtype" | "PeriodDtype":
            return array_digest(array.asi8)
        case "IntervalDtype":
            return join(
                [token(array.closed), values_digest(pd.Index(array.left)), values_digest(pd.Index(array.right))]
            )
        case "SparseDtype":
            return array_digest(np.asarray(array))
        case "StringDtype" | "ArrowDtype":
            return arrow_digest(array.__arrow_array__()) if hasattr(array, "__arrow_array__") else _objects(array)
        case _:
            return _masked(array)


def _masked(array: Any) -> bytes:
    """Nullable integers, floats and truth values: where one is missing, and the others."""
    import numpy as np

    missing = np.asarray(array.isna())
    return join([array_digest(missing), array_digest(array.to_numpy(array.dtype.numpy_dtype, na_value=0))])


def _objects(array: Any) -> bytes:
    return object_digest(array.to_numpy(object).tolist())


def _labels(columns: "pd.Index[Any]") -> bytes:
    names: Iterable[Hashable] = columns.names
    return join([join([token(name) for name in names]), *(token(label) for label in columns.tolist())])
