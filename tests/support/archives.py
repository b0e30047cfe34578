"""Zip archives put together by hand, with any of their claims replaced by a lie."""

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Part:
    """A file in an archive: what is there, and what is said of it in front of it and in the list."""

    name: bytes
    content: bytes
    both: dict[str, int] = field(default_factory=dict)
    """What both headers say otherwise than it is."""
    local: dict[str, int] = field(default_factory=dict)
    central: dict[str, int] = field(default_factory=dict)
    local_name: bytes | None = None
    extra: bytes = b""
    local_extra: bytes = b""
    before: bytes = b""
    """Bytes that stand in front of it and that nobody speaks of."""
    unlisted: bool = False


def parts(folder: Path) -> list[Part]:
    """The files of a package as they are."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [Part(path.relative_to(folder).as_posix().encode(), path.read_bytes()) for path in found]


def deflated(content: bytes, level: int = 9) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def archive(path: Path, held: list[Part], *, behind: bytes = b"", comment: bytes = b"", **end: int) -> Path:
    """Write an archive; what is said of a part follows from its content unless it says otherwise."""
    out, listed = b"", []
    for part in held:
        out += part.before
        offset = len(out)
        fact = {"flags": 0x800, "method": 0, "crc": zlib.crc32(part.content), "packed": len(part.content)}
        fact |= {"size": len(part.content), "mode": 0o100644 << 16, "offset": offset, "disk": 0} | part.both
        local, central = fact | part.local, fact | part.central
        name = part.name if part.local_name is None else part.local_name
        said = (local["flags"], local["method"], 0, 33, local["crc"], local["packed"], local["size"])
        out += struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, *said, len(name), len(part.local_extra))
        out += name + part.local_extra + part.content
        said = (central["flags"], central["method"], 0, 33, central["crc"], central["packed"], central["size"])
        where = (len(part.name), len(part.extra), 0, central["disk"], 0, central["mode"], central["offset"])
        entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 3 << 8 | 20, 20, *said, *where) + part.name + part.extra
        listed += [] if part.unlisted else [entry]
    start, content = len(out), b"".join(listed)
    fact = {"count": len(listed), "length": len(content), "start": start} | end
    out += content + struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, fact["count"], fact["count"], fact["length"], fact["start"], len(comment)
    )
    path.write_bytes(out + comment + behind)
    return path
