"""A summary as one file: small, versioned, and not looked into before its digest is that of its content."""

import hashlib
import math
import struct
import uuid
import zlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cellops.data.summary.arrays import Packed, pack, unpack
from cellops.data.summary.column import ColumnSummary
from cellops.data.summary.distinct import REGISTERS
from cellops.data.summary.table import TableSummary
from cellops.errors import InputError, NotFoundError

MAGIC = b"cellops summary\n"
VERSION = 1
HEAD = struct.Struct(">16sHQ32s")
"""What it is, the version, the size of what is packed, and the SHA-256 of version, size and packed content."""
LARGEST = 1 << 30
FARTHEST = 1100
"""No float has a binary exponent that is farther from zero."""
AGAIN = "Make it again: cellops profile FILE --output PROFILE"


def write(summary: TableSummary, path: Path) -> None:
    """Save a summary; one that stood there is replaced at once.

    Raises
    ------
    InputError
        When something else stands there.
    OSError
        When it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not is_summary(path):
        fact = f"{path} is there already, and is no profile"
        raise InputError(fact, remedy="Give another path, or remove what is there")
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")  # another process may write to this path too
    try:
        new.write_bytes(to_bytes(summary))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def read(path: Path) -> TableSummary:
    """Read a summary that was saved.

    Raises
    ------
    NotFoundError
        When there is no such file.
    InputError
        When it is no summary, was written by another version, or is damaged.
    """
    if not path.is_file():
        fact = f"There is no file {path}"
        raise NotFoundError(fact, remedy=AGAIN)
    return from_bytes(path.read_bytes(), path.name)


def is_summary(path: Path) -> bool:
    """Whether a file says that it is one."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def to_bytes(summary: TableSummary) -> bytes:
    """The content of the file.

    Examples
    --------
    >>> import pandas as pd
    >>> from cellops.data.summary.summarize import summarize
    >>> summary = summarize(pd.DataFrame({"hour": [5, 6]}))
    >>> from_bytes(to_bytes(summary)) == summary
    True
    """
    content = msgspec.msgpack.encode(summary, enc_hook=_plain)
    packed = zlib.compress(content, 6)
    return HEAD.pack(MAGIC, VERSION, len(content), _digest(VERSION, len(content), packed)) + packed


def from_bytes(data: bytes, name: str = "The profile") -> TableSummary:
    """The summary whose file this is.

    Raises
    ------
    InputError
        When it is no summary, was written by another version, or is damaged.
    """
    if len(data) < HEAD.size or not data.startswith(MAGIC):
        fact = f"{name} is no profile that cellops saved"
        raise InputError(fact, remedy=AGAIN)
    _, version, size, digest = HEAD.unpack(data[: HEAD.size])
    packed = data[HEAD.size :]
    if version != VERSION:
        fact = f"{name} is a profile of version {version}, and this cellops reads version {VERSION}"
        raise InputError(fact, received=version, remedy=AGAIN)
    if digest != _digest(version, size, packed) or not 0 < size <= LARGEST:  # to zlib, 0 is no limit
        fact = f"{name} is damaged: its content is not that of its digest"
        raise InputError(fact, remedy=AGAIN)
    try:
        content = zlib.decompressobj().decompress(packed, size)
        summary = msgspec.msgpack.decode(content, type=TableSummary, dec_hook=_typed)
        for column in summary.columns:
            _check(column)
    except (ValueError, TypeError, ArithmeticError, LookupError, zlib.error, msgspec.MsgspecError) as error:
        fact = f"{name} cannot be read: {error}"
        raise InputError(fact, remedy=AGAIN) from error
    return summary


def _digest(version: int, size: int, packed: bytes) -> bytes:
    return hashlib.sha256(struct.pack(">HQ", version, size) + packed).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return pack(value)
    fact = f"{type(value).__name__} has no place in a profile"
    raise NotImplementedError(fact)


def _typed(_kind: Any, value: Any) -> Any:
    return unpack(msgspec.convert(value, Packed))


def _check(column: ColumnSummary) -> None:
    """That arrays which belong together are of one length, and extremes and levels are such as floats have."""
    sketches = [part.sketch for part in column.parts.numeric]
    lengths = [(sketch.values, sketch.counts) for sketch in sketches if sketch.values is not None]
    levels = [one for sketch in sketches for one in (sketch.relative, sketch.even) if one is not None]
    fits = all(other is not None and len(one) == len(other) for one, other in lengths)
    fits &= all(len({len(array) for array in levelled.buckets}) == 1 for levelled in levels)
    whole = all(
        (sketch.values is None) == (sketch.even is not None and sketch.relative is not None) for sketch in sketches
    )
    ends = [end for sketch in sketches for end in sketch.extremes or ()]
    moments = [part.moments for part in column.parts.numeric if part.moments.count]
    finite = all(map(math.isfinite, [*ends, *(end for one in moments for end in (one.minimum, one.maximum))]))
    finite &= all(abs(levelled.level) <= FARTHEST for levelled in levels)
    registers = all(part.seen is None or len(part.seen.registers) == REGISTERS for part in column.parts.counted)
    if not (fits and whole and finite and registers):
        fact = f"what it says of column {column.name} does not fit together"
        raise ValueError(fact)
