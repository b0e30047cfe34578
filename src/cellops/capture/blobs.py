"""Small files kept by their content: the same content stands once, and is readable by its owner only."""

import hashlib
import os
import uuid
from pathlib import Path

PART = ".part"
"""How the name of a file ends that is being written."""


class Blobs:
    """A folder of files, each named by the SHA-256 of what it holds; it is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes, suffix: str = "") -> Path:
        """Where the content stands, written in one stroke unless it stands there already.

        Raises
        ------
        OSError
            When the disk refuses it; nothing is left of it then.
        """
        path = self.path(digest(content), suffix)
        if path.exists():
            return path
        write(content, path)
        return path

    def path(self, name: str, suffix: str = "") -> Path:
        """Where the content with a digest stands, if it was kept."""
        return self._folder / f"{name}{suffix}"


def write(content: bytes, path: Path) -> None:
    """Write a file in one stroke, readable by its owner only; its folder is made where it is missing.

    Raises
    ------
    OSError
        When the disk refuses it; nothing is left of it then, and what stood there stands there still.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}{PART}")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
