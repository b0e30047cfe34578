"""A table pinned by content: every value, every name, every type and the order of rows change the digest."""

from typing import TYPE_CHECKING, Any

from cellops.records.run import DataFingerprint

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xxhash

TABLE_TYPES = ("DataFrame", "Series", "Index")


def is_table(value: object) -> bool:
    """Whether a value is a pandas frame or series, or a numpy array, without importing either."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == "pandas":
        return any(base.__name__ in TABLE_TYPES for base in kind.__mro__)
    return kind.__module__ == "numpy" and kind.__name__ == "ndarray"


def fingerprint(name: str, role: str, table: Any) -> DataFingerprint:
    """Hash the whole content of a pandas frame or series, or a numpy array, with 128-bit xxHash (XXH3).

    The method says what was covered: `full`, or `metadata-only` where a value could not be hashed.
    """
    import xxhash

    shape = table.shape
    digest = xxhash.xxh3_128()
    method = "full"
    try:
        _update(digest, table)
    except Exception:  # noqa: BLE001 - a value of any kind can stand in an object column, and fail in any way
        digest = xxhash.xxh3_128(f"{type(table).__name__}{shape}{getattr(table, 'dtypes', '')}".encode())
        method = "metadata-only"
    return DataFingerprint(
        name=name,
        role=role,
        method=method,
        digest=f"xxh3-128:{digest.hexdigest()}",
        rows=int(shape[0]) if shape else 1,
        columns=int(shape[1]) if len(shape) > 1 else 1,
    )


def _update(digest: "xxhash.xxh3_128", table: Any) -> None:
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        _update_values(digest, table.index)
        for position, label in enumerate(table.columns):
            digest.update(f"\0{label!r}\0".encode())
            _update_values(digest, table.iloc[:, position])
    elif isinstance(table, pd.Series | pd.Index):
        digest.update(f"\0{table.name!r}\0".encode())
        _update_values(digest, table)
    else:
        digest.update(f"\0{table.dtype}{table.shape}\0".encode())
        _update_array(digest, table)


def _update_values(digest: "xxhash.xxh3_128", values: "pd.Series[Any] | pd.Index[Any]") -> None:
    import numpy as np
    import pandas as pd

    digest.update(f"\0{values.dtype}\0{len(values)}\0".encode())
    if isinstance(values, pd.RangeIndex):
        digest.update(f"{values.start},{values.stop},{values.step}".encode())
        return
    if isinstance(values, pd.MultiIndex):
        for level in range(values.nlevels):
            _update_values(digest, values.get_level_values(level))
        return
    if isinstance(values.dtype, pd.CategoricalDtype):
        categorical = pd.Categorical(values)
        _update_values(digest, categorical.categories)
        _update_array(digest, categorical.codes)
        return
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biufcmM":
        _update_array(digest, values.to_numpy())
    else:
        _update_extension(digest, values)


def _update_extension(digest: "xxhash.xxh3_128", values: "pd.Series[Any] | pd.Index[Any]") -> None:
    """Strings, dates with zones, nullable and object columns: missingness, then a 64-bit hash of each value."""
    import numpy as np
    import pandas as pd

    _update_array(digest, np.asarray(values.isna()))
    hashed = pd.util.hash_array(values.array, categorize=True) if values.dtype != object else _hash_objects(values)
    _update_array(digest, hashed)


def _hash_objects(values: "pd.Series[Any] | pd.Index[Any]") -> "np.ndarray[Any, Any]":
    """Objects are hashed with their type, so that 1 and "1" and True differ."""
    import numpy as np
    import pandas as pd

    present = values[np.asarray(values.notna())]
    if pd.api.types.infer_dtype(present, skipna=False) == "string":
        return pd.util.hash_array(present.to_numpy(dtype=object), categorize=True)
    return pd.util.hash_array(pd.Index([_text(value) for value in present], dtype=object).to_numpy(), categorize=True)


def _text(value: object) -> str:
    """A value's type and content; an object that shows only its address has no content to hash."""
    text = repr(value)
    if " at 0x" in text:
        fact = f"{type(value).__qualname__} has no repr of its content"
        raise TypeError(fact)
    return f"{type(value).__qualname__}:{text}"


def _update_array(digest: "xxhash.xxh3_128", array: "np.ndarray[Any, Any]") -> None:
    import numpy as np

    if array.dtype == object:
        for value in array.ravel():
            digest.update(f"{_text(value)}\0".encode())
        return
    digest.update(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data)
