"""A chunk that is done, as it waits for the others."""

import hashlib
from typing import NamedTuple, Self

import msgspec

from cellops.records.base import Record
from cellops.records.batch import BatchReport

MARK = b"cellops part 2\n"
DIGEST = 32


class Part(Record, frozen=True, kw_only=True):
    """What a chunk has come to."""

    number: int
    source: str
    """Which rows they were: the digest of their file, the first of them, and how many."""
    output: bytes
    """The answers as a stream of Arrow."""
    rejects: bytes | None
    """The rows that were set aside, in the same form."""
    drift: bytes | None
    """What the rows showed of each column, see `monitoring.drift_profile`."""
    log: bytes | None = None
    """The answered rows as the prediction log keeps them, in the same form as the answers."""
    report: BatchReport

    def to_bytes(self) -> bytes:
        content = msgspec.msgpack.encode(self)
        return MARK + hashlib.sha256(content).digest() + content

    @classmethod
    def from_bytes(cls, data: bytes) -> "Part | None":
        """The part; None where the bytes are not all there, or not those that were written."""
        start = len(MARK) + DIGEST
        content = data[start:]
        if not data.startswith(MARK) or hashlib.sha256(content).digest() != data[len(MARK) : start]:
            return None
        return msgspec.msgpack.decode(content, type=cls)


class PackedPart(NamedTuple):
    """A part beside its bytes, which who has scored it has made: they are kept as they are."""

    part: Part
    content: bytes

    @classmethod
    def of(cls, part: Part) -> Self:
        return cls(part, part.to_bytes())

    @classmethod
    def from_bytes(cls, content: bytes) -> Self | None:
        """The part of some bytes; None where they are not those that were made."""
        part = Part.from_bytes(content)
        return None if part is None else cls(part, content)
