"""A file of frames: before each stand its length and checksums, so that what is whole can be told from what is not."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np

LENGTHS = struct.Struct("<QI")
"""Bytes of the content, and their CRC."""
OWN = struct.Struct("<I")
"""The CRC of the two: without it, a damaged length would pass for an end that was never written."""
HEADER_SIZE = LENGTHS.size + OWN.size


def header(*parts: "memoryview | bytes") -> bytes:
    """What stands before a frame, which is given in parts."""
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    described = LENGTHS.pack(sum(map(len, parts)), checksum)
    return described + OWN.pack(zlib.crc32(described))


def read_frames(path: Path) -> tuple[list[memoryview], bool]:
    """The whole frames of a file, and whether some of it is damaged.

    A frame that is cut off at the end is no damage: a killed writer leaves one.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    content = _content(path)
    frames: list[memoryview] = []
    damaged, start = False, 0
    while len(content) - start >= HEADER_SIZE:
        described = content[start : start + LENGTHS.size]
        length, checksum = LENGTHS.unpack(described)
        if OWN.unpack_from(content, start + LENGTHS.size)[0] != zlib.crc32(described):
            # Where the next frame begins is unknown from here on.
            return frames, True
        frame = content[start + HEADER_SIZE : start + HEADER_SIZE + length]
        if len(frame) < length:
            break
        if zlib.crc32(frame) == checksum:
            frames.append(frame)
        else:
            damaged = True
        start += HEADER_SIZE + length
    return frames, damaged


def _content(path: Path) -> memoryview:
    """All of a file, in memory for which numpy asks in large pages; a page of 4 KB takes longer to get than to read."""
    with path.open("rb", buffering=0) as file:
        held = np.empty(os.fstat(file.fileno()).st_size, dtype=np.uint8).data
        read = 0
        while read < len(held) and (size := file.readinto(held[read:])):
            read += size
        # What it has grown by meanwhile; a file that tells no size has all of it here.
        rest = file.read()
    return memoryview(b"".join((held[:read], rest))) if rest else held[:read]
