"""Steps that are kept where other machines find them too: a folder on any file system that fsspec reaches.

What lies there could have been written by anybody who may write there, and loading a pickle runs code. So each entry is
signed with a key that only one's own machines know, and names the digests of all that belongs to it.
"""

import hashlib
import hmac
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import msgspec

from cellops.capture.secrets import keep
from cellops.errors import StepError
from cellops.pipeline.cache.shared_folder import SharedError, SharedFolder
from cellops.records.cached import KeptStep
from cellops.settings import without_credentials

SHORTEST_KEY = 16
"""Characters of the key that signs entries."""
SIGNED = b"cellops kept step 1\n"
MOST_ENTRIES = 64
"""Entries of one key that are given, the newest: their names begin with the time."""
MOST_READ = 256
"""Files among which they are looked for: some may be no use."""
LARGEST_ENTRY = 50_000_000
Answer = TypeVar("Answer")


class SharedSteps:
    """Entries and their files in a folder that several machines share.

    Parameters
    ----------
    address
        Of the folder, as fsspec takes it: `s3://bucket/steps`, `sftp://host/steps`, `file:///mnt/steps`.
    key
        What signs entries; one that is signed with another key is not used.

    Raises
    ------
    StepError
        When there is no key, fsspec or the driver for such addresses is not installed, or the address is wrong.
    """

    def __init__(self, address: str, key: str | None) -> None:
        self.public = without_credentials(address)
        if key is None or len(key) < SHORTEST_KEY:
            fact = f"Steps are kept in {self.public} with a key of at least {SHORTEST_KEY} characters that signs them"
            remedy = "Set CELLOPS_STEP_STORE_KEY to one long random text on all of your machines, and on no other"
            raise StepError(fact, remedy=remedy)
        for secret in (key, unquote(urlsplit(address).password or "")):
            keep(secret)
        self._key = key.encode()
        self._folder = SharedFolder(address, self.public)

    @property
    def salt(self) -> bytes:
        """What digests of secrets are made with, so that nobody finds them by trying."""
        return self._key

    def push(self, entry: KeptStep, folder: str, files: Mapping[str, Path]) -> None:
        """Write an entry behind all the files that belong to it.

        Parameters
        ----------
        folder
            What the entry is filed under.
        files
            The files by their names in the store.

        Raises
        ------
        SharedError
            When the store does not take them.
        """
        content = entry.to_json()
        signed = f"{self._signature(content)}\n".encode() + content
        for name, path in files.items():
            self._folder.put(name, path.stat().st_size, path)
        name = f"{round(entry.ended * 1000):015d}-{hashlib.sha256(content).hexdigest()}.json"
        self._folder.put(f"kept/{folder}/{name}", len(signed), signed)

    def find(self, folder: str, problems: list[str]) -> Iterator[KeptStep]:
        """The entries that are filed under something, newest first; what cannot be used is told in `problems`.

        Each is read when it is asked for: mostly the first will do.
        """
        found = self._told(lambda: self._folder.files(f"kept/{folder}", LARGEST_ENTRY), problems) or []
        listed = sorted((path for path in found if path.endswith(".json")), reverse=True)[:MOST_READ]
        contents = (self._told(lambda path=path: self._folder.read(path), problems) for path in listed)  # type: ignore[misc]
        entries = (self._entry(content, problems) for content in contents if content)
        yield from itertools.islice((entry for entry in entries if entry is not None), MOST_ENTRIES)

    def sizes(self) -> dict[str, int]:
        """The bytes of all files, by name."""
        return self._folder.sizes()

    def all(self, names: Iterable[str]) -> Iterator[tuple[str, KeptStep]]:
        """The entries among some files, each with its name; none that is signed with another key."""
        for name in names:
            content = self._folder.read(name) if name.startswith("kept/") and name.endswith(".json") else None
            entry = self._entry(content, []) if content else None
            if entry is not None:
                yield name, entry

    def delete(self, name: str) -> None:
        self._folder.delete(name)

    def pull(self, name: str, digest: str, target: Path) -> None:
        """Bring a file here, unless it is not the one that an entry names; raises as `SharedFolder.bring`."""
        self._folder.bring(name, digest, target)

    def _entry(self, content: bytes, problems: list[str]) -> KeptStep | None:
        signature, _, signed = content.partition(b"\n")
        if not hmac.compare_digest(signature, self._signature(signed).encode()):
            problems.append(f"what {self.public} holds of it is signed with another key than CELLOPS_STEP_STORE_KEY")
            return None
        try:
            return KeptStep.from_json(signed)
        except msgspec.DecodeError:
            problems.append(f"what {self.public} holds of it was kept by another version of cellops")
            return None

    def _signature(self, content: bytes) -> str:
        return hmac.new(self._key, SIGNED + content, "sha256").hexdigest()

    def _told(self, ask: Callable[[], Answer], problems: list[str]) -> Answer | None:
        """Ask the file system; None where that fails, which is told once."""
        try:
            return ask()
        except SharedError as error:
            problems += [] if str(error) in problems else [str(error)]
            return None
