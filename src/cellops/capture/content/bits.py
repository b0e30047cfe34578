"""64 bits for each value of a column, the same for the same content, whatever library holds the table."""

import math
from typing import TYPE_CHECKING, Any

from cellops.capture.content.fingerprint import is_columnar
from cellops.capture.content.tokens import UnhashableError, check_nesting, token

if TYPE_CHECKING:
    import numpy as np

    Bits = np.ndarray[Any, np.dtype[np.uint64]]

MISSING = 0x8C5D3A61F27B904E
"""What stands for a missing value that is no NaN: a number that hardly any column holds, as it may hold -1."""

HALVES = "backslashreplace"
"""How half a surrogate pair is read, which is no Unicode, and which pandas refuses to hash."""


def columns_of(table: Any) -> list["Bits"]:
    """The columns of a table of pandas, numpy, polars or Arrow, in 64 bits for each value: the same for the same.

    Raises
    ------
    UnhashableError
        When a column cannot be read safely.
    """
    if not is_columnar(table):
        fact = f"rows of {type(table).__module__}.{type(table).__qualname__} are not compared"
        raise UnhashableError(fact)
    library = type(table).__module__.partition(".")[0]
    if library in {"polars", "pyarrow"}:
        return [_arrow_bits(column) for column in _arrow_columns(table, library)]
    if hasattr(table, "iloc"):
        series = [table] if table.ndim == 1 else [table.iloc[:, place] for place in range(table.shape[1])]
        return [_bits(one.array if _is_extension(one.dtype) else one.to_numpy()) for one in series]
    columns = math.prod(table.shape[1:])
    flat = table.reshape(len(table), columns)
    return [_bits(flat[:, place]) for place in range(columns)]


def _is_extension(dtype: Any) -> bool:
    return not type(dtype).__module__.startswith("numpy")


def _bits(values: Any) -> "Bits":
    """64 bits for each value, the same for the same."""
    import numpy as np
    import pandas as pd

    if _is_extension(values.dtype):
        return _extension_bits(values)
    match values.dtype.kind:
        case "f":
            numbers = values.astype(np.float64) + 0.0
            numbers[np.isnan(numbers)] = np.nan
            return _seen_as_bits(numbers)
        case "b" | "i" | "u":
            return _seen_as_bits(values.astype(np.uint64 if values.dtype.kind == "u" else np.int64))
        case "m" | "M":
            missing = np.isnat(values)
            return np.where(missing, np.uint64(MISSING), _seen_as_bits(_in_nanoseconds(values)))
        case "U" | "S":
            return pd.util.hash_array(values.astype(object))
        case "O":
            return _object_bits(values.tolist())
        case _:
            fact = f"columns of {values.dtype} are not compared"
            raise UnhashableError(fact)


def _seen_as_bits(values: Any) -> "Bits":
    bits: Bits = values.view("uint64")
    return bits


def _in_nanoseconds(times: Any) -> Any:
    """Times and durations in the unit that pandas had alone for long, unless they would not fit."""
    import numpy as np

    kind = np.dtype(f"{times.dtype.kind}8[ns]")
    if times.dtype == kind:
        return np.ascontiguousarray(times)
    fine = times.astype(kind)
    return fine if (fine.astype(times.dtype) == times)[~np.isnat(times)].all() else np.ascontiguousarray(times)


def _extension_bits(array: Any) -> "Bits":
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if type(array).__module__.partition(".")[0] != "pandas" or type(array.dtype).__name__ == "SparseDtype":
        fact = f"columns of {array.dtype.name} are not compared"
        raise UnhashableError(fact)
    if type(array.dtype).__name__ == "CategoricalDtype":
        of_categories = np.append(_bits(_plainest(array.categories)), np.uint64(MISSING))
        return np.asarray(of_categories[array.codes], np.uint64)
    if type(array.dtype).__name__ == "DatetimeTZDtype":
        return _bits(array.tz_convert(None).to_numpy())
    if hasattr(array, "__arrow_array__") and type(array.dtype).__name__ not in {"PeriodDtype", "IntervalDtype"}:
        return _arrow_bits(pa.array(array, from_pandas=True))
    hashed: Bits = pd.util.hash_array(array)
    return hashed


def _plainest(index: Any) -> Any:
    return index.array if _is_extension(index.dtype) else index.to_numpy()


def _object_bits(values: list[Any]) -> "Bits":
    import numpy as np
    import pandas as pd
    import xxhash

    if all(type(value) is str or _is_missing(value) for value in values):
        held = [value.encode(errors=HALVES).decode() if type(value) is str else "" for value in values]
        texts = pd.util.hash_array(np.array(held, dtype=object))
        return np.where([type(value) is str for value in values], texts, np.uint64(MISSING))
    check_nesting(values)
    hashes = (xxhash.xxh3_64_intdigest(token(value)) for value in values)
    return np.fromiter(hashes, np.uint64, len(values))


def _is_missing(value: object) -> bool:
    return value is None or (type(value) is float and math.isnan(value))


def _arrow_columns(table: Any, library: str) -> list[Any]:
    if library == "polars":
        frame = table.to_frame() if type(table).__name__ == "Series" else table
        if any("Object" in repr(dtype) for dtype in frame.dtypes):
            fact = "columns of polars' type Object are not compared"
            raise UnhashableError(fact)
        table = frame.to_arrow()
    return list(table.columns) if hasattr(table, "schema") else [table]


def _arrow_bits(column: Any) -> "Bits":
    import numpy as np
    import pyarrow as pa

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column = column.cast(kind.storage_type)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        return _bits(_in_numpy(column.cast(pa.float64()).fill_null(float("nan"))))
    return np.where(_in_numpy(column.is_null()), np.uint64(MISSING), _present_bits(column))


def _present_bits(column: Any) -> "Bits":
    """Of the values that are there; for missing ones any."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, types = column.type, pa.types
    if types.is_null(kind):
        return np.zeros(len(column), np.uint64)
    if types.is_boolean(kind) or types.is_integer(kind):
        return _bits(_in_numpy(pc.fill_null(column.cast(pa.uint8()) if types.is_boolean(kind) else column, 0)))
    if types.is_timestamp(kind) or types.is_duration(kind):
        letter = "M" if types.is_timestamp(kind) else "m"
        return _bits(_in_numpy(pc.fill_null(column.cast(pa.int64()), 0)).view(f"{letter}8[{kind.unit}]"))
    if types.is_temporal(kind) and kind != pa.month_day_nano_interval():
        narrow = pa.int32() if kind.bit_width == 32 else pa.int64()  # noqa: PLR2004
        return _bits(_in_numpy(pc.fill_null(column.cast(narrow), 0)))
    if types.is_decimal(kind):
        column = column.cast(pa.string())
    if types.is_string(column.type) or types.is_large_string(column.type) or types.is_string_view(column.type):
        return _text_bits(column.cast(pa.large_string()))
    return _object_bits(column.to_pylist())


def _text_bits(column: Any) -> "Bits":
    """Each distinct text is hashed once."""
    import numpy as np
    import pandas as pd

    encoded = column.dictionary_encode()
    encoded = encoded.combine_chunks() if hasattr(encoded, "chunks") else encoded
    of_texts = pd.util.hash_array(np.array([*encoded.dictionary.to_pylist(), ""], dtype=object))
    return np.asarray(of_texts[_in_numpy(encoded.indices.fill_null(-1))], np.uint64)


def _in_numpy(column: Any) -> Any:
    return column.to_numpy() if hasattr(column, "chunks") else column.to_numpy(zero_copy_only=False)
