"""A package as one file: a zip in which every byte is accounted for, read without trusting what it says of itself.

Zip says most things twice, in front of each file and in a list at the end, and readers differ in what they believe.
Here both must say the same, the files must fill the archive from its first byte to that list without a gap or an
overlap, and what few packages need is refused. What is written is stored without compression: its bytes are then the
same with every version of zlib.
"""

import io
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from cellops.errors import PackageError
from cellops.packaging.paths import absent, broken, require_plain

SUFFIX = ".zip"
LOCAL: Final = struct.Struct("<4s5H3L2H")
CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
END: Final = struct.Struct("<4s4H2LH")
LOCAL_MARK, CENTRAL_MARK, END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
STORED, DEFLATED = 0, 8
NEEDED = {STORED: 10, DEFLATED: 20}
UTF8 = 0x800
LEVEL_FLAGS = 0x6
"""How hard deflate tried: it changes nothing for who reads."""
HARMLESS_EXTRAS = frozenset({0x000A, 0x5455, 0x5855, 0x7875})
"""Times and owners, which are not read. Others hold second names, sizes beyond 4 GB, links or keys."""
FIRST_DAY = 0x21
"""1980-01-01, the first that zip can say."""
PLAIN_FILE = (stat.S_IFREG | 0o644) << 16
UNIX = 3 << 8
VOLUME_OR_DEVICE = 0x48
LARGEST = 0xFFFFFFFE
"""Bytes of a file or of a whole archive: beyond it zip needs an extension that readers understand differently."""
MOST_FILES = 20_000
LARGEST_LIST = 8_000_000
"""Bytes of the list of files at the end."""
MOST_TIMES = 100
"""How many times the size of the archive its files may have together when they are unpacked."""
CHUNK = 1 << 18


@dataclass(frozen=True)
class Entry:
    """A file in the archive, as both of its headers describe it."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    """Of its header in front of it."""
    start: int = 0
    """Of its first byte."""


class Archive:
    """The files of a zip."""

    def __init__(self, place: Path) -> None:
        """Read the list of files, and hold each of its claims against the file itself.

        Raises
        ------
        IntegrityError
            When anything in the archive is not as `write_archive` or a common zip program makes it.
        """
        self.place = place.resolve()
        self._file = place.open("rb")
        try:
            self._entries = {entry.name: entry for entry in _entries(self._file, place.name)}
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def names(self) -> Iterator[str]:
        """Paths of all files."""
        yield from self._entries

    def open(self, name: str) -> tuple[io.BufferedReader, int]:
        """A file and the size that it claims; reading it gives at most one byte more.

        Raises
        ------
        IntegrityError
            When it is not there.
        """
        entry = self._entries.get(name)
        if entry is None:
            inside = next((other for other in self._entries if other.endswith(f"/{name}")), None)
            raise absent(name) if inside is None else broken(name, f"is missing at the top, where it is {inside}")
        return io.BufferedReader(_Reader(self._file, entry), CHUNK), entry.size


class _Reader(io.RawIOBase):
    """The content of an entry: never more than it claims, but for one byte by which the lie is seen."""

    def __init__(self, file: io.BufferedReader, entry: Entry) -> None:
        self._file = file
        self._name = entry.name
        self._at, self._end = entry.start, entry.start + entry.packed
        self._left = entry.size + 1
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == DEFLATED else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        part = buffer[: self._left]
        if self._inflate is None:
            count = self._file.readinto(part[: self._seek()])
            self._at += count
        else:
            content = self._inflated(len(part)) if part else b""
            count = len(content)
            part[:count] = content
        self._left -= count
        return count

    def _seek(self) -> int:
        """Go to where reading was, as all entries share the file; how many bytes are left there."""
        self._file.seek(self._at)
        return self._end - self._at

    def _packed(self) -> bytes:
        content = self._file.read(min(CHUNK, self._seek()))
        self._at += len(content)
        return content

    def _inflated(self, wanted: int) -> bytes:
        inflate = self._inflate
        assert inflate is not None  # noqa: S101 - the only caller has looked
        content = b""
        while not content and not inflate.eof:
            packed = inflate.unconsumed_tail or self._packed()
            try:
                content = inflate.decompress(packed, wanted)
            except zlib.error as error:
                raise broken(self._name, f"cannot be unpacked ({error})") from error
            if not packed:
                break
        if inflate.eof and (inflate.unused_data or self._at < self._end):
            raise broken(self._name, "has more behind its end")
        return content


def _entries(file: BinaryIO, archive: str) -> list[Entry]:
    size = os.fstat(file.fileno()).st_size
    start, listed = _list(file, archive, size)
    if sum(entry.size for entry in listed) > MOST_TIMES * size:
        raise broken(archive, f"would be more than {MOST_TIMES} times its size when it is unpacked")
    position, found = 0, []
    for entry in sorted(listed, key=lambda entry: entry.offset):
        if entry.offset != position:
            raise broken(entry.name, "overlaps another file of the archive, or leaves a gap before it")
        begin = _begin(file, entry)
        position = begin + entry.packed
        found.append(replace(entry, start=begin))
    if position != start:
        raise broken(archive, "holds something between its files and their list")
    files = [entry for entry in found if not entry.name.endswith("/")]
    require_plain(entry.name for entry in files)
    inside = {f"{folder}/" for entry in files for folder in PurePosixPath(entry.name).parents}
    for folder in sorted({entry.name for entry in found} - {entry.name for entry in files} - inside):
        raise broken(folder, "is a folder without a file")
    return files


def _list(file: BinaryIO, archive: str, size: int) -> tuple[int, list[Entry]]:
    """Where the list of files begins, and what it says."""
    file.seek(max(size - END.size, 0))
    end = file.read(END.size)
    if len(end) < END.size or not end.startswith(END_MARK):
        raise broken(archive, "is no whole zip archive: it does not end as one without a comment does")
    _, disk, first_disk, here, count, length, start, comment = END.unpack(end)
    if disk or first_disk or here != count or comment or start + length + END.size != size:
        raise broken(archive, "ends with a list of files that does not fit it")
    if count > MOST_FILES or length > LARGEST_LIST:
        raise broken(archive, f"lists more than the {MOST_FILES} files of any real package")
    file.seek(start)
    content, position = file.read(length), 0
    found: list[Entry] = []
    while position < length and len(found) < count:
        entry, position = _listed(content, position, archive)
        found.append(entry)
    if position != length or len(found) != count:
        raise broken(archive, "lists another number of files than it says")
    return start, found


def _listed(content: bytes, position: int, archive: str) -> tuple[Entry, int]:
    """One entry of the list, and where the next begins."""
    if len(content) < position + CENTRAL.size or not content.startswith(CENTRAL_MARK, position):
        raise broken(archive, "has a list of files that cannot be read")
    fields = CENTRAL.unpack_from(content, position)
    _, _, _, flags, method, _, _, crc, packed, size, *lengths, disk, _, attributes, offset = fields
    ends = [position + CENTRAL.size]
    for length in lengths:  # of name, extra fields and comment
        ends.append(ends[-1] + length)
    if ends[-1] > len(content):
        raise broken(archive, "has a list of files that cannot be read")
    name = _name(content[ends[0] : ends[1]], flags, archive)
    _require_harmless(content[ends[1] : ends[2]], name)
    kind = stat.S_IFMT(attributes >> 16)
    expected = stat.S_IFDIR if name.endswith("/") else stat.S_IFREG
    if kind not in {0, expected} or attributes & VOLUME_OR_DEVICE:
        raise broken(name, "is a link or a special file")
    if flags & ~(UTF8 | LEVEL_FLAGS) or method not in NEEDED or disk or lengths[2]:
        remedy = "Unpack it by another program and use the folder, or pack it again: cellops package RUN -o model.zip"
        raise broken(name, "is encrypted, streamed, or packed in a way that is not read here", remedy)
    empty = name.endswith("/") and (size or packed)
    if empty or max(size, packed) > LARGEST or (method == STORED and size != packed):
        raise broken(name, "has a size that cannot be")
    return Entry(name, method, crc, packed, size, offset), ends[-1]


def _name(content: bytes, flags: int, archive: str) -> str:
    try:
        return content.decode("utf-8" if flags & UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise broken(archive, "holds a file whose name is not in UTF-8") from error


def _require_harmless(extra: bytes, name: str) -> None:
    position = 0
    while position < len(extra):
        field = extra[position : position + 4]
        kind, length = struct.unpack("<HH", field) if len(field) == 4 else (0, 0)  # noqa: PLR2004
        position += 4 + length
        if kind not in HARMLESS_EXTRAS or position > len(extra):
            raise broken(name, "has an extra field by which it could be another file")


def _begin(file: BinaryIO, entry: Entry) -> int:
    """Where the content of an entry begins, once the header in front of it says what the list says."""
    file.seek(entry.offset)
    header = file.read(LOCAL.size)
    if len(header) < LOCAL.size or not header.startswith(LOCAL_MARK):
        raise broken(entry.name, "is listed where no file begins")
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = LOCAL.unpack(header)
    name, extra = file.read(name_length), file.read(extra_length)
    said = (_name(name, flags, entry.name), flags & ~(UTF8 | LEVEL_FLAGS), method, crc, packed, size)
    if said != (entry.name, 0, entry.method, entry.crc, entry.packed, entry.size):
        raise broken(entry.name, "is described differently in the list and in front of it")
    _require_harmless(extra, entry.name)
    return entry.offset + LOCAL.size + len(name) + len(extra)


class ArchiveWriter:
    """Files put into a new archive; the same ones in the same order give the same bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._list = bytearray()
        self._count = 0

    @contextmanager
    def create(self, name: str) -> Iterator["_Sink"]:
        """A file to write to; the next one may begin when it is closed.

        Raises
        ------
        PackageError
            When it or the archive becomes larger than a zip can be without extensions.
        """
        encoded = name.encode()
        offset = self._file.tell()
        self._file.write(bytes(LOCAL.size) + encoded)
        sink = _Sink(self._file)
        yield sink
        if self._file.tell() > LARGEST or self._count >= MOST_FILES:
            fact = f"A package of more than {LARGEST / 1e9:.1f} GB or {MOST_FILES} files does not fit into an archive"
            raise PackageError(fact, remedy="Keep it as a folder: cellops package RUN -o model")
        same = (NEEDED[STORED], UTF8, STORED, 0, FIRST_DAY, sink.crc, sink.size, sink.size, len(encoded), 0)
        self._file.seek(offset)
        self._file.write(LOCAL.pack(LOCAL_MARK, *same))
        self._file.seek(0, os.SEEK_END)
        self._list += CENTRAL.pack(CENTRAL_MARK, UNIX | NEEDED[STORED], *same, 0, 0, 0, PLAIN_FILE, offset) + encoded
        self._count += 1

    def close(self) -> None:
        """Write the list of files."""
        start = self._file.tell()
        self._file.write(self._list)
        self._file.write(END.pack(END_MARK, 0, 0, self._count, self._count, len(self._list), start, 0))


class _Sink:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.crc = self.size = 0

    def write(self, content: bytes | memoryview) -> int:
        self.crc = zlib.crc32(content, self.crc)
        self.size += len(content)
        self._file.write(content)
        return len(content)
