"""Digests of Arrow columns and of what is made of them: pyarrow tables, polars frames, pandas' Arrow columns."""

from collections.abc import Iterator
from typing import Any

import xxhash

from cellops.capture.content.tokens import UnhashableError, join


def table_digest(table: Any) -> bytes:
    """The digest of a pyarrow table or record batch."""
    fields = [join([f.name.encode(), str(f.type).encode(), b"%d" % f.nullable]) for f in table.schema]
    return join([b"%d" % table.num_rows, *fields, *(arrow_digest(column) for column in table.columns)])


def polars_digest(frame: Any) -> bytes:
    """The digest of a polars frame; its own types are told apart beside those that Arrow has for them.

    Raises
    ------
    UnhashableError
        When a column holds python objects, which Arrow cannot.
    """
    types = [repr(dtype) for dtype in frame.dtypes]
    if any("Object" in kind for kind in types):
        fact = "columns of polars' type Object cannot be hashed"
        raise UnhashableError(fact)
    return join([*(kind.encode() for kind in types), table_digest(frame.to_arrow())])


def arrow_digest(column: Any) -> bytes:
    """The digest of an Arrow array, however it is cut into chunks."""
    chunks = list(_chunks(column))
    return join([str(column.type).encode(), b"%d" % len(column), *_digests(column.type, chunks)])


def _chunks(column: Any) -> Iterator[Any]:
    yield from column.chunks if hasattr(column, "chunks") else [column]


def _digests(kind: Any, chunks: list[Any]) -> list[bytes]:
    """The digests that make up a column: which values are missing, and the values."""
    import pyarrow as pa

    if isinstance(kind, pa.ExtensionType):
        return _digests(kind.storage_type, [chunk.storage for chunk in chunks])
    if pa.types.is_dictionary(kind):
        return _digests(kind.value_type, [chunk.dictionary_decode() for chunk in chunks])
    return [_missing(chunks), *_present(kind, chunks)]


def _missing(chunks: list[Any]) -> bytes:
    if not any(chunk.null_count for chunk in chunks):
        return b"none"
    digest = xxhash.xxh3_128()
    for chunk in chunks:
        digest.update(_bytes_of(chunk.is_null(nan_is_null=False)))
    return digest.digest()


def _present(kind: Any, chunks: list[Any]) -> list[bytes]:
    from pyarrow import types

    if types.is_null(kind):
        return []
    if types.is_struct(kind):
        return [part for place in range(kind.num_fields) for part in _field(kind.field(place).type, place, chunks)]
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _lists(kind, chunks)
    return _flat(kind, chunks)


def _field(kind: Any, place: int, chunks: list[Any]) -> list[bytes]:
    return _digests(kind, [chunk.flatten()[place] for chunk in chunks])


def _lists(kind: Any, chunks: list[Any]) -> list[bytes]:
    import pyarrow.compute as pc

    lengths = [pc.list_value_length(chunk).fill_null(0) for chunk in chunks]
    return [_plain(lengths), *_digests(kind.value_type, [pc.list_flatten(chunk) for chunk in chunks])]


def _flat(kind: Any, chunks: list[Any]) -> list[bytes]:
    import pyarrow as pa

    types = pa.types
    if types.is_string(kind) or types.is_binary(kind) or types.is_large_string(kind) or types.is_large_binary(kind):
        return _texts(chunks)
    if types.is_string_view(kind) or types.is_binary_view(kind):
        return _texts([chunk.cast(pa.large_binary()) for chunk in chunks])
    if types.is_boolean(kind):
        return [_plain([chunk.cast(pa.uint8()) for chunk in chunks])]
    if types.is_primitive(kind) or types.is_decimal(kind) or types.is_fixed_size_binary(kind):
        return [_plain(chunks)]
    fact = f"Arrow columns of type {kind} cannot be hashed"
    raise UnhashableError(fact)


def _plain(chunks: list[Any]) -> bytes:
    """The digest of values of one width; what lies in the places of missing ones is put to one value."""
    digest = xxhash.xxh3_128()
    for chunk in chunks:
        digest.update(_bytes_of(_filled(chunk)))
    return digest.digest()


def _texts(chunks: list[Any]) -> list[bytes]:
    """The digests of lengths and of characters."""
    import numpy as np

    lengths, characters = xxhash.xxh3_128(), xxhash.xxh3_128()
    for chunk in chunks:
        values = _filled(chunk)
        _, offsets, data = values.buffers()
        wide = "large" in str(values.type)
        ends = np.frombuffer(offsets, np.int64 if wide else np.int32)[values.offset : values.offset + len(values) + 1]
        if len(values):
            lengths.update(np.diff(ends).astype(np.int64).data)
            characters.update(memoryview(data)[ends[0] : ends[-1]] if data is not None else b"")
    return [lengths.digest(), characters.digest()]


def _filled(chunk: Any) -> Any:
    """A chunk whose missing values are all the same."""
    import pyarrow as pa

    if not chunk.null_count:
        return chunk
    kind = chunk.type
    if pa.types.is_fixed_size_binary(kind):
        return chunk.fill_null(b"\0" * kind.byte_width)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return chunk.fill_null("")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return chunk.fill_null(b"")
    if pa.types.is_decimal(kind):
        return chunk.fill_null(pa.scalar(0, kind))
    return chunk.fill_null(pa.scalar(0, pa.int64()).cast(_integer(kind)).cast(kind))


def _integer(kind: Any) -> Any:
    """The integers from which Arrow casts to a type: those of its width for times, any for numbers."""
    import pyarrow as pa

    return pa.int32() if pa.types.is_temporal(kind) and kind.bit_width == 32 else pa.int64()  # noqa: PLR2004


def _bytes_of(chunk: Any) -> Any:
    """The bytes of a chunk's values, without those before and behind it in its buffer."""
    import pyarrow as pa

    if pa.types.is_boolean(chunk.type):
        chunk = chunk.cast(pa.uint8())
    data = chunk.buffers()[1]
    width = chunk.type.byte_width
    start = chunk.offset * width
    return memoryview(data)[start : start + len(chunk) * width] if data is not None else b""
