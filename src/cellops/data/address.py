"""A folder at an address that fsspec takes, in which a file is there in whole or not at all."""

import uuid
from pathlib import Path
from typing import Any

from cellops.settings import without_credentials

OBJECTS = frozenset({"abfs", "abfss", "adl", "az", "gcs", "gs", "oci", "oss", "s3", "s3a"})
"""Where an object is there in whole or not at all; elsewhere a file is moved to its name at the end."""
PART = ".part"


class Address:
    """A folder at an address. Its drivers raise errors of their own, of any type.

    Parameters
    ----------
    place
        As fsspec takes it: `s3://bucket/folder`.

    Raises
    ------
    ImportError
        When fsspec, or the driver for such addresses, is not installed.
    """

    def __init__(self, place: str) -> None:
        from fsspec.core import url_to_fs

        self.public = without_credentials(place).rstrip("/")
        """The address as it may be shown and recorded."""
        files, root = url_to_fs(place, use_listings_cache=False, skip_instance_cache=True)
        self.files: Any = files
        self.root: str = root.rstrip("/")

    def path(self, name: str) -> str:
        """What the file system calls a file of the folder."""
        return f"{self.root}/{name}"

    def put(self, local: Path, name: str) -> None:
        """Write a file, in place of one that has its name."""
        path = self.path(name)
        if OBJECTS & set(self._protocols()):
            self.files.put_file(str(local), path)
            return
        self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        part = f"{path}.{uuid.uuid4().hex}{PART}"
        self.files.put_file(str(local), part)
        self.files.mv(part, path)

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""
        try:
            size: int | None = self.files.info(self.path(name))["size"]
        except FileNotFoundError:
            return None
        return size

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder of it, in order; none where there is no such folder."""
        try:
            entries = self.files.ls(self.path(folder), detail=True)
        except FileNotFoundError:
            return []
        return sorted(one["name"].rpartition("/")[2] for one in entries if one["type"] == "file")

    def _protocols(self) -> tuple[str, ...]:
        given = self.files.protocol
        return (given,) if isinstance(given, str) else tuple(given)
