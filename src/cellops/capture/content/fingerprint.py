"""A table pinned by content: every value, every name, every type and the order of rows change the digest."""

from collections.abc import Callable
from typing import Any

from cellops.records.run import DataFingerprint

TABLE_TYPES = ("DataFrame", "Series", "Index")
SPARSE = ("csr", "csc", "bsr", "coo", "dia")
LARGEST = 8 * 2**30
"""Bytes of a table beyond which rows of it are hashed instead of all: about two seconds' work."""
MOST_OBJECTS = 2_000_000
"""Python objects in a table beyond which the same is done."""
SAMPLE = 100_000
"""Rows in a sample."""
BYTES_OF_AN_OBJECT = 400
"""As many bytes of numbers are hashed while one python object is."""
BYTES_OF_A_COLUMN = 40_000
"""And while a column of a frame is taken out."""


def is_table(value: object) -> bool:
    """Whether a value is a pandas frame or series, or a numpy array, without importing either."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == "pandas":
        return any(base.__name__ in TABLE_TYPES for base in kind.__mro__)
    return kind.__module__ == "numpy" and kind.__name__ == "ndarray"


def is_columnar(value: object) -> bool:
    """Whether a value is a table whose rows can be compared: of pandas, numpy, polars or Arrow."""
    return is_table(value) or _library(value) in {"polars", "pyarrow"}


def is_data(value: object) -> bool:
    """Whether a value is something that `fingerprint` reads: a table, or numbers in a list or tuple."""
    if isinstance(value, list | tuple) and type(value) in {list, tuple}:
        return len(value) > 0 and set(map(type, value)) <= {int, float}
    return is_table(value) or _library(value) is not None


def fingerprint(name: str, role: str, table: Any, pointer: str | None = None) -> DataFingerprint:
    """Hash the content of a table with 128-bit xxHash (XXH3).

    The method says what was covered: `full`; `sampled`, rows spread evenly over a table too large to be read in
    passing; `metadata-only`, no more than its kind and size, with the reason.
    """
    import xxhash

    rows, columns = _size(table)
    method, reason = "full", None
    try:
        if _is_too_large(table, rows):
            method, reason = (
                "sampled",
                f"{SAMPLE} of {rows} rows were hashed: the table is too large to read in passing",
            )
            content = _content(_sampled(table, rows))
        else:
            content = _content(table)
    except Exception as error:  # noqa: BLE001 - a library refuses in its own ways
        from cellops.capture.content.tokens import UnhashableError

        method, content = "metadata-only", b""
        reason = str(error) if isinstance(error, UnhashableError) else f"hashing failed: {type(error).__name__}"
    head = f"{type(table).__module__}.{type(table).__qualname__}\0{rows}\0{columns}\0{method}\0"
    return DataFingerprint(
        name=name,
        role=role,
        method=method,
        digest=f"xxh3-128:{xxhash.xxh3_128_hexdigest(head.encode() + content)}",
        rows=rows,
        columns=columns,
        pointer=pointer,
        reason=reason,
    )


def digest_of(table: Any) -> bytes:
    """The digest of a table, or of numbers in a list, with its type and shape.

    Raises
    ------
    UnhashableError
        When it holds something that cannot be read safely.
    """
    return _headed(table, _content(table))


def digest_with_columns(frame: Any) -> tuple[bytes, dict[str, bytes]]:
    """The digest of a pandas frame, and those of its index and columns by name; raises as `digest_of` does."""
    from cellops.capture.content.frames import frame_digests
    from cellops.capture.content.tokens import join

    found = frame_digests(frame)
    names = ["(index)", "(names)", *(str(label) for label in frame.columns.tolist())]
    return _headed(frame, join(found)), dict(zip(names, found, strict=True))


def digest_with_index(series: Any) -> tuple[bytes, dict[str, bytes]]:
    """The digest of a pandas series, and those of its index, its name and its values; raises as `digest_of` does."""
    from cellops.capture.content.frames import values_digest
    from cellops.capture.content.tokens import join, token

    found = [values_digest(series.index), token(series.name), values_digest(series)]
    return _headed(series, join(found)), dict(zip(("(index)", "(name)", "(values)"), found, strict=True))


def _headed(table: Any, content: bytes) -> bytes:
    import xxhash

    rows, columns = _size(table)
    head = f"{type(table).__module__}.{type(table).__qualname__}\0{rows}\0{columns}\0"
    return xxhash.xxh3_128_digest(head.encode() + content)


def is_table_of_a_library(value: object) -> bool:
    """Whether a value is a table or an array that `digest_of` reads."""
    return is_table(value) or _library(value) is not None


def size_in_bytes(table: Any) -> int:
    """About how many bytes have to be read of a table; a python object counts as much as the time that it takes."""
    rows, columns = _size(table)
    if hasattr(table, "memory_usage"):
        kinds = [table.dtype] if table.ndim == 1 else list(table.dtypes)
        objects = sum(getattr(kind, "kind", "O") == "O" for kind in kinds)
        return int(rows * (columns * 8 + objects * BYTES_OF_AN_OBJECT)) + columns * BYTES_OF_A_COLUMN
    objects = int(str(getattr(table, "dtype", "")) == "object")
    return _bytes(table) + rows * columns * objects * BYTES_OF_AN_OBJECT + columns * BYTES_OF_A_COLUMN


def evenly(table: Any, rows: int) -> Any:
    """That many rows of a table, spread evenly over it, the first and the last among them."""
    return _sampled(table, rows_of(table), rows)


def rows_of(table: Any) -> int:
    """The rows of a table."""
    return _size(table)[0]


def _library(value: object) -> str | None:
    """The library, other than pandas, that a table of a known kind belongs to."""
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    if library == "numpy":
        return library if any(base.__name__ == "ndarray" for base in kind.__mro__) else None
    if library == "polars":
        return library if kind.__name__ in {"DataFrame", "Series"} else None
    if library == "pyarrow":
        return library if hasattr(kind, "to_pylist") and hasattr(kind, "nbytes") else None
    if library == "scipy":
        return library if kind.__module__.startswith("scipy.sparse") and hasattr(kind, "tocoo") else None
    return None


def _size(table: Any) -> tuple[int, int]:
    if type(table) in {list, tuple}:
        return len(table), 1
    shape = getattr(table, "shape", None)
    if shape is None:
        return len(table), int(getattr(table, "num_columns", 1))
    return int(shape[0]) if shape else 1, int(shape[1]) if len(shape) > 1 else 1


def _is_too_large(table: Any, rows: int) -> bool:
    if rows <= SAMPLE or type(table) in {list, tuple}:
        return False
    if not hasattr(table, "memory_usage") or table.ndim == 1:
        objects = int(str(getattr(table, "dtype", "")) == "object")
        return _bytes(table) > LARGEST or objects * rows > MOST_OBJECTS
    objects = [str(dtype) for dtype in table.dtypes].count("object")
    return int(table.memory_usage(index=True).sum()) > LARGEST or objects * rows > MOST_OBJECTS


def _bytes(table: Any) -> int:
    return int(table.estimated_size() if _library(table) == "polars" else getattr(table, "nbytes", 0))


def _sampled(table: Any, rows: int, count: int = SAMPLE) -> Any:
    """Rows spread evenly over a table, the first and the last among them."""
    import numpy as np

    places = np.linspace(0, rows - 1, count).astype(np.int64)
    if hasattr(table, "iloc"):
        return table.iloc[places]
    return table.take(places) if _library(table) == "pyarrow" else table[places]


def _content(table: Any) -> bytes:
    """The digests that make up a table."""
    kind = type(table)
    if kind in {list, tuple}:
        from cellops.capture.content.arrays import object_digest

        return object_digest(list(table))
    readers: dict[str | None, Callable[[Any], bytes]] = {
        "numpy": _of_numpy,
        "polars": _of_polars,
        "pyarrow": _of_arrow,
        "scipy": _of_sparse,
    }
    return readers.get(_library(table), _of_pandas)(table)


def _of_pandas(table: Any) -> bytes:
    from cellops.capture.content.frames import frame_digest, series_digest, values_digest

    readers = {1: series_digest if hasattr(table, "index") else values_digest, 2: frame_digest}
    return readers[table.ndim](table)


def _of_numpy(array: Any) -> bytes:
    import numpy as np

    from cellops.capture.content.arrays import array_digest

    if isinstance(array, np.ma.MaskedArray):
        return array_digest(np.ma.getmaskarray(array)) + array_digest(array.filled(array.dtype.type()))
    return array_digest(np.asarray(array))


def _of_polars(table: Any) -> bytes:
    from cellops.capture.content.arrow import polars_digest

    return polars_digest(table.to_frame() if type(table).__name__ == "Series" else table)


def _of_arrow(table: Any) -> bytes:
    from cellops.capture.content.arrow import arrow_digest, table_digest

    return table_digest(table) if hasattr(table, "schema") else arrow_digest(table)


def _of_sparse(matrix: Any) -> bytes:
    from cellops.capture.content.arrays import array_digest
    from cellops.capture.content.tokens import join

    if matrix.format not in SPARSE:
        matrix = matrix.tocoo()
    if not getattr(matrix, "has_sorted_indices", True):
        matrix = matrix.sorted_indices()
    named = ("data", "indices", "indptr", "offsets", "row", "col")
    arrays = [getattr(matrix, name) for name in named if hasattr(matrix, name)]
    return join([matrix.format.encode(), *map(array_digest, arrays)])
