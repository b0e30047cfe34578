"""The values of columns as bytes: the same for the same value, whatever library, type or machine holds it."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from cellops.errors import InputError

Codes = NDArray[np.int64]
NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}
DAY = 86_400 * 10**9


def keys_of(columns: Sequence[Any]) -> tuple[Codes, list[bytes]]:
    """The distinct keys that stand in the rows of some columns, and which one each row has.

    A key is written as the lengths and bytes of its values: of a whole number the decimal digits, be it held as an
    integer, a float or a decimal; of a text its UTF-8; of a time the nanoseconds since 1970 in UTC.

    Parameters
    ----------
    columns
        Arrow arrays of shape (rows,) without missing values.

    Returns
    -------
    codes, keys
        For each row, shape (rows,), the place of its key among the keys.

    Raises
    ------
    InputError
        When a column holds what is no key: lists, structures.
    """
    codes, keys = _column(columns[0])
    for column in columns[1:]:
        more, others = _column(column)
        pairs, codes = np.unique(codes * len(others) + more, return_inverse=True)
        keys = [keys[pair // len(others)] + others[pair % len(others)] for pair in pairs.tolist()]
    return codes, keys


def hashes_of(keys: Sequence[bytes], salt: str) -> NDArray[np.uint64]:
    """A 64-bit hash of each key, XXH3 over the salt, a zero byte and the key: shape (keys,).

    References
    ----------
    XXH3 as its specification fixes it since xxHash 0.8; its values do not depend on the machine.

    Examples
    --------
    >>> hex(hashes_of([b"2 n5"], "")[0])
    '0xc2c6a77d130bc12'
    """
    head = salt.encode() + b"\0"
    return np.fromiter((xxhash.xxh3_64_intdigest(head + key) for key in keys), np.uint64, len(keys))


def _column(column: Any) -> tuple[Codes, list[bytes]]:
    """As `keys_of`, of one column: each distinct value is written once."""
    encoded = _plain(column).dictionary_encode()
    encoded = encoded.combine_chunks() if hasattr(encoded, "chunks") else encoded
    texts = _texts(encoded.dictionary)
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), [b"%d %b" % (len(t), t) for t in texts]


def _plain(column: Any) -> Any:
    """A column whose distinct values are written differently: 0.0 and -0.0 are one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_nested(column.type):
        raise _no_keys(column.type)

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        return pc.add(column.cast(pa.float64()), 0.0)
    return column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column


def _texts(values: Any) -> list[bytes]:
    """Distinct values as bytes that begin with the kind of value."""
    import pyarrow as pa
    from pyarrow import types

    kind = values.type
    if types.is_timestamp(kind):
        return [b"t%d" % (tick * NANOSECONDS[kind.unit]) for tick in values.cast(pa.int64()).to_pylist()]
    if types.is_date(kind):
        return [b"t%d" % (day * DAY) for day in values.cast(pa.date32()).cast(pa.int32()).to_pylist()]
    if types.is_integer(kind):
        return [b"n%d" % value for value in values.to_pylist()]
    if types.is_floating(kind) or types.is_decimal(kind):
        return [_number(value) for value in values.to_pylist()]
    if types.is_string(kind) or types.is_large_string(kind):
        return [b"s" + value.encode() for value in values.to_pylist()]
    if types.is_boolean(kind):
        return [b"b%d" % value for value in values.to_pylist()]
    raise _no_keys(kind)


def _no_keys(kind: Any) -> InputError:
    fact = "A column that divides rows holds values that are no keys"
    return InputError(fact, received=str(kind), remedy="Give a column of whole numbers, texts or times")


def _number(value: float | Decimal) -> bytes:
    """A number, whole ones without a fraction."""
    if value in {math.inf, -math.inf}:
        return b"f" + repr(float(value)).encode()
    return b"n%d" % int(value) if value == int(value) else b"f" + repr(float(value)).encode()
