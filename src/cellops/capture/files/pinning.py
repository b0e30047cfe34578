"""A file pinned by content: hashed only if it stays the same while it is read, and never in front of a cell."""

import contextlib
import os
import stat
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

BLOCK = 2**20
LARGEST = 16 * 2**30
"""Bytes beyond which blocks of a file are hashed instead of all."""
SAMPLED_BLOCKS = 1024
MOST_KNOWN = 10_000
"""Files whose digests are remembered."""
MOST_IN_A_FOLDER = 10_000


@dataclass(frozen=True)
class Identity:
    """What tells that a file has not been written to, as far as a file system says it."""

    size: int
    modified: int
    """Nanoseconds since the epoch."""
    changed: int
    inode: int
    device: int
    kind: int


@dataclass(frozen=True)
class Pinned:
    """What became of hashing a file."""

    method: str
    digest: str | None = None
    reason: str | None = None


def identify(path: Path) -> Identity | None:
    """The identity of a file or folder; None where there is none."""
    try:
        seen = path.stat()
    except (OSError, ValueError):
        return None
    return _identity(seen)


def is_regular(seen: Identity) -> bool:
    return stat.S_ISREG(seen.kind)


def is_folder(seen: Identity) -> bool:
    return stat.S_ISDIR(seen.kind)


def pin(path: Path, seen: Identity) -> Pinned:
    """Hash the content of a file with 128-bit xxHash (XXH3), if it is and stays the one that was seen.

    An enormous file is `sampled`: blocks spread evenly over it, the first and the last among them.
    """
    if is_folder(seen):
        return _pin_folder(path)
    if not is_regular(seen):
        return Pinned("metadata-only", reason="it is no regular file")
    try:
        digest = _digest(path, seen)
    except OSError as error:
        return Pinned("metadata-only", reason=f"it could not be read: {error.strerror or type(error).__name__}")
    if digest is None or identify(path) != seen:
        return Pinned("metadata-only", reason="it was written to before it had been hashed")
    if seen.size > LARGEST:
        return Pinned("sampled", digest, f"{SAMPLED_BLOCKS} blocks of {BLOCK} bytes were hashed: the file is too large")
    return Pinned("full", digest)


def _identity(seen: os.stat_result) -> Identity:
    return Identity(
        seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_dev, stat.S_IFMT(seen.st_mode)
    )


def _digest(path: Path, seen: Identity) -> str | None:
    """The digest of a file's content; None where it is not the file that was seen."""
    import xxhash

    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor has no path
        if _identity(os.fstat(descriptor)) != seen:
            return None
        digest = xxhash.xxh3_128()
        block = memoryview(bytearray(BLOCK))
        if seen.size > LARGEST:
            for number in range(SAMPLED_BLOCKS):
                file.seek(number * (seen.size - BLOCK) // (SAMPLED_BLOCKS - 1))
                digest.update(block[: file.readinto(block)])
        else:
            while count := file.readinto(block):
                digest.update(block[:count])
        return f"xxh3-128:{digest.hexdigest()}"


def _pin_folder(folder: Path) -> Pinned:
    """The digest of the names and contents of the files below a folder."""
    import xxhash

    digest = xxhash.xxh3_128()
    count = 0
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(top) / name
            seen = identify(path)
            pinned = pin(path, seen) if seen is not None else Pinned("metadata-only", reason="it has gone")
            count += 1
            if count > MOST_IN_A_FOLDER:
                return Pinned("metadata-only", reason=f"the folder holds more than {MOST_IN_A_FOLDER} files")
            if pinned.method != "full":
                return Pinned("metadata-only", reason=f"{name}: {pinned.reason}")
            digest.update(f"{path.relative_to(folder).as_posix()}\0{pinned.digest}\n".encode(errors="surrogateescape"))
    return Pinned("full", f"xxh3-128:{digest.hexdigest()}")


class Pins:
    """Digests of files by their identity. Large files are hashed beside the kernel's work, in a thread of its own."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Path, Identity], Pinned | None] = OrderedDict()
        self._waiting: SimpleQueue[tuple[Path, Identity] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def get(self, path: Path, seen: Identity) -> Pinned | None:
        """What is known of a file; None while it is not hashed."""
        return self._known.get((path, seen))

    def pin(self, path: Path, seen: Identity) -> Pinned:
        """Hash a file now, unless that has been done."""
        pinned = self.get(path, seen) or pin(path, seen)
        self._remember(path, seen, pinned)
        return pinned

    def defer(self, path: Path, seen: Identity) -> None:
        """Have a file hashed beside the kernel's work."""
        if (path, seen) in self._known:
            return
        self._remember(path, seen, None)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="cellops-pins", daemon=True)
            self._thread.start()
        self._waiting.put((path, seen))

    def stop(self) -> None:
        """Let the thread end behind the file that it reads; waits for nobody."""
        self._waiting.put(None)
        self._thread = None

    def _remember(self, path: Path, seen: Identity, pinned: Pinned | None) -> None:
        self._known[path, seen] = pinned
        if len(self._known) > MOST_KNOWN:
            with contextlib.suppress(KeyError):
                self._known.popitem(last=False)

    def _work(self) -> None:
        while (given := self._waiting.get()) is not None:
            try:
                pinned = pin(*given)
            except Exception as error:  # noqa: BLE001 - the next file is hashed all the same
                pinned = Pinned("metadata-only", reason=f"hashing failed: {type(error).__name__}")
            self._remember(*given, pinned)
