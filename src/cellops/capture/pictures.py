"""What a figure shows, without what its file says of when and by what it was made."""

import json
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from cellops.capture.blobs import digest

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SHOWN = {b"IHDR", b"PLTE", b"tRNS"}
"""Chunks of a PNG that say how its pixels look."""
LARGEST = 2**28
"""Bytes of pixels that are unpacked."""
METADATA = re.compile(
    r"<metadata\b.*?(?:</metadata\s*>|\Z)|<!--.*?(?:-->|\Z)|<\?xml\b.*?(?:\?>|\Z)|<!DOCTYPE\b[^>]*>?", re.DOTALL
)
NAMED = re.compile(r"""\bid\s*=\s*["']([^"']+)["']""")
RANDOM = re.compile(r"(?:[a-zA-Z_]{0,3}[0-9a-f]{8,})\Z")
"""Ids that matplotlib makes of a hash with a salt that is another one each time: `p5f0c1d2a3b`, `m0a1b2c3d4e`."""
UNIQUE = {"uid"}
"""Keys of a plotly figure that are new each time."""


def picture_of(suffix: str, content: bytes) -> str | None:
    """The SHA-256 of what a figure shows; None where its file is not of the kind that its suffix names.

    Pixels are compared unpacked, so that another compression is no other picture. Of a vector figure the metadata and
    comments are left out, and ids that are made anew each time stand for their order.
    """
    try:
        match suffix:
            case ".png":
                return digest(b"".join(_of_png(content)))
            case ".svg":
                return digest(_of_svg(content.decode()).encode())
            case ".plotly.json" | ".vl.json" | ".vg.json":
                return digest(json.dumps(_without_ids(json.loads(content)), sort_keys=True).encode())
            case _:
                return digest(content)
    except (ValueError, zlib.error, struct.error, RecursionError):
        return None


def _of_png(content: bytes) -> Iterator[bytes]:
    """How the pixels look, and the pixels.

    Raises
    ------
    ValueError, struct.error, zlib.error
        When it is no PNG, or too large.
    """
    if not content.startswith(SIGNATURE):
        raise ValueError(content[:8])
    pixels = []
    place = len(SIGNATURE)
    while place < len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        chunk = content[place + 8 : place + 8 + size]
        if kind == b"IDAT":
            pixels.append(chunk)
        elif kind in SHOWN:
            yield kind + struct.pack(">I", len(chunk)) + chunk
        place += size + 12
    unpacking = zlib.decompressobj()
    yield unpacking.decompress(b"".join(pixels), LARGEST)
    if not unpacking.eof:
        raise ValueError(len(pixels))


def _of_svg(text: str) -> str:
    text = METADATA.sub("", text)
    random = dict.fromkeys(name for name in NAMED.findall(text) if RANDOM.match(name))
    if not random:
        return text
    places = {name: f"(id {place})" for place, name in enumerate(random)}
    return re.sub("|".join(map(re.escape, sorted(random, key=len, reverse=True))), lambda m: places[m[0]], text)


def _without_ids(value: Any) -> Any:
    match value:
        case dict():
            return {name: _without_ids(held) for name, held in value.items() if name not in UNIQUE}
        case list():
            return [_without_ids(held) for held in value]
        case _:
            return value
