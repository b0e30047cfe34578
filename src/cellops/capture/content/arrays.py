"""Digests of numpy arrays: of their content in its logical order, however it lies in memory."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import xxhash

from cellops.capture.content.tokens import (
    CONTAINERS,
    LONG_DOUBLE,
    PADDED,
    UnhashableError,
    check_nesting,
    is_extended,
    join,
    token,
)

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

PLAIN = "biufcmMSUV"
"""Kinds of dtypes whose bytes are their content; `V` where it has no fields."""
TURNED = "biufmM"
TILE_ROWS = 512
TILE_COLUMNS = 32
"""Rows and columns that are turned at once: they fit into the processor's cache."""
LARGEST_TURNED = 8


def array_digest(array: "Array") -> bytes:
    """The digest of an array's type, shape and values, in the order of its indices.

    Raises
    ------
    UnhashableError
        When it holds an object that cannot be read safely.
    """
    digest = xxhash.xxh3_128(_head(array))
    if array.dtype.names is not None:
        for name in array.dtype.names:
            digest.update(array_digest(array[name]))
    elif array.dtype.kind in "OT":
        digest.update(object_digest(array.ravel().tolist()))
    elif array.dtype.kind not in PLAIN:
        fact = f"arrays of {array.dtype} cannot be hashed"
        raise UnhashableError(fact)
    else:
        for part in _contiguous(_values(array)):
            digest.update(part.data)
    return digest.digest()


def column_digests(columns: Sequence["Array"]) -> list[bytes]:
    """The digest of each of some one-dimensional arrays of equal length; many at once where they lie across memory."""
    digests: list[bytes] = []
    for group in _groups(columns):
        if len(group) == 1:
            digests.append(array_digest(group[0]))
        else:
            digests += _turned(group)
    return digests


def object_digest(values: list[Any]) -> bytes:
    """The digest of python objects: which type stands where, then all values of each type.

    Raises
    ------
    UnhashableError
        When one of them cannot be read safely.
    """
    import numpy as np

    kinds = sorted(set(map(type, values)), key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
    codes = {kind: code for code, kind in enumerate(kinds)}
    digest = xxhash.xxh3_128(join([f"{kind.__module__}.{kind.__qualname__}".encode() for kind in kinds]))
    digest.update(np.fromiter(map(codes.__getitem__, map(type, values)), np.uint32, len(values)).data)
    for kind in kinds:
        _update_objects(digest, kind, values if len(kinds) == 1 else [v for v in values if type(v) is kind])
    return digest.digest()


def _update_objects(digest: "xxhash.xxh3_128", kind: type, values: list[Any]) -> None:
    import numpy as np

    if kind is str:
        parts = [value.encode("utf-8", "surrogatepass") for value in values]
    elif kind in {float, bool}:
        digest.update(np.array(values, kind).data)
        return
    else:
        if kind in CONTAINERS:
            check_nesting(values)
        parts = [token(value) for value in values]
    digest.update(np.fromiter(map(len, parts), np.uint64, len(parts)).data)
    digest.update(b"".join(parts))


def _head(array: "Array") -> bytes:
    return join([array.dtype.str.encode(), repr(array.dtype.names).encode(), repr(array.shape).encode()])


def _values(array: "Array") -> "Array":
    """An array whose bytes are its values and nothing else."""
    import numpy as np

    if is_extended(array.dtype):
        array = np.ascontiguousarray(array).reshape(-1)
        return array.view(np.uint8).reshape(-1, PADDED)[:, :LONG_DOUBLE]
    return array


def _contiguous(array: "Array") -> Iterator["Array"]:
    """The bytes of an array in the order of its indices, without a copy of the whole."""
    import numpy as np

    if array.nbytes == 0:
        return
    if array.flags.c_contiguous:
        yield array.reshape(-1).view(np.uint8)
        return
    rows = max(1, TILE_ROWS * TILE_COLUMNS // max(1, array[:1].size))
    for start in range(0, len(array), rows):
        yield np.ascontiguousarray(array[start : start + rows]).reshape(-1).view(np.uint8)


def _groups(columns: Sequence["Array"]) -> Iterator[list["Array"]]:
    """Columns one by one, or the neighbours among the columns of one row-major array together."""
    group: list[Array] = []
    for column in columns:
        if group and len(group) < TILE_COLUMNS and _are_neighbours(group[-1], column):
            group.append(column)
            continue
        if group:
            yield group
        group = [column]
    if group:
        yield group


def _are_neighbours(one: "Array", other: "Array") -> bool:
    """Whether two columns lie side by side in the rows of one array."""
    if one.dtype != other.dtype or one.dtype.kind not in TURNED or one.strides != other.strides:
        return False
    return (
        one.itemsize < one.strides[0]
        and one.itemsize <= LARGEST_TURNED
        and _address(other) - _address(one) == one.itemsize
    )


def _address(array: "Array") -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _turned(group: list["Array"]) -> list[bytes]:
    """The digests of neighbouring columns, read tile by tile."""
    import numpy as np

    first = group[0]
    rows, count = len(first), len(group)
    block = np.lib.stride_tricks.as_strided(first, (rows, count), (first.strides[0], first.itemsize), writeable=False)
    digests = [xxhash.xxh3_128(_head(column)) for column in group]
    tile = np.empty((count, TILE_ROWS), first.dtype)
    whole = [(digest.update, line.data) for digest, line in zip(digests, tile.view(np.uint8), strict=True)]
    last = rows - rows % TILE_ROWS
    for start in range(0, last, TILE_ROWS):
        np.copyto(tile, block[start : start + TILE_ROWS].T)
        for update, line in whole:
            update(line)
    for digest, line in zip(digests, np.ascontiguousarray(block[last:].T), strict=True):
        digest.update(line.view(np.uint8).data)
    return [digest.digest() for digest in digests]
