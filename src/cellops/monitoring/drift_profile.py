"""What the rows of a batch showed of each column, as one file: `cellops drift` reads it in place of the rows."""

import hashlib
import zlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cellops.data.observation import Observation
from cellops.data.summary.arrays import Packed, pack, unpack
from cellops.errors import InputError
from cellops.monitoring.relations import RelationsPart
from cellops.monitoring.window_part import WindowPart
from cellops.records.contract import Contract

MARK = b"cellops drift profile 1\n"
DIGEST = 32
LARGEST = 1 << 30
SUFFIX = ".drift"
QUICK, SMALL = 1, 6
"""Levels of compression: of what is soon merged, and of what is kept."""


class _Counted(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A part of a window as it is written, and in whose bins."""

    digest: str
    label: str
    start: str | None
    end: str | None
    rows: int
    columns: tuple[Observation, ...]
    output: Observation | None
    relations: RelationsPart | None
    drawn_of: int | None = None


def to_bytes(part: WindowPart, digest: str, level: int = SMALL) -> bytes:
    """The content of the file.

    Parameters
    ----------
    part
        Without labelled rows: no row leaves a profile.
    digest
        SHA-256 of the manifest of the package in whose bins it was counted.
    level
        Of the compression, from 1, which takes a quarter of the time, to 9.
    """
    counted = _Counted(
        digest,
        part.label,
        part.start,
        part.end,
        part.rows,
        part.columns,
        part.output,
        part.relations,
        part.drawn_of,
    )
    content = msgspec.msgpack.encode(counted, enc_hook=_plain, order="deterministic")
    packed = zlib.compress(content, level)
    return MARK + hashlib.sha256(packed).digest() + packed


def from_bytes(data: bytes, contract: Contract, digest: str, name: str = "The profile") -> WindowPart:
    """The profile, for the package in whose bins it was counted.

    Raises
    ------
    InputError
        When it is damaged, or was counted for another package.
    """
    packed = data[len(MARK) + DIGEST :]
    again = "Score the rows again: cellops score PACKAGE IN OUT"
    if not data.startswith(MARK) or hashlib.sha256(packed).digest() != data[len(MARK) : len(MARK) + DIGEST]:
        fact = f"{name} is damaged, or no drift profile"
        raise InputError(fact, remedy=again)
    try:
        content = zlib.decompressobj().decompress(packed, LARGEST)
        counted = msgspec.msgpack.decode(content, type=_Counted, dec_hook=_typed)
    except (ValueError, TypeError, ArithmeticError, zlib.error, msgspec.MsgspecError) as error:
        fact = f"{name} cannot be read: {error}"
        raise InputError(fact, remedy=again) from error
    if counted.digest != digest:
        fact = f"{name} was counted in the bins of another package, {counted.digest[:12]}"
        raise InputError(fact, remedy="Give the package that scored the rows, or score them again with this one")
    if len(counted.columns) != len(contract.profile.columns):
        fact = f"{name} has not the columns of the package"
        raise InputError(fact, remedy=again)
    return WindowPart(
        label=counted.label,
        start=counted.start,
        end=counted.end,
        rows=counted.rows,
        columns=counted.columns,
        output=counted.output,
        relations=counted.relations,
        labelled=None,
        drawn_of=counted.drawn_of,
    )


def is_drift_profile(path: Path) -> bool:
    """Whether a file says that it is one."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return pack(value)
    fact = f"{type(value).__name__} has no place in a profile"
    raise NotImplementedError(fact)


def _typed(_kind: Any, value: Any) -> Any:
    return unpack(msgspec.convert(value, Packed))
