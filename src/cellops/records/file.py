from enum import StrEnum

from cellops.records.base import Record


class Pointer(Record, frozen=True, kw_only=True):
    """Where else the content of a file is known by name: a system that keeps versions of data."""

    kind: str
    """`dvc`, `delta`, `lakefs`, `git-lfs`, or `uri` for an address that names no version."""
    target: str
    """What is pointed to: an address without credentials, or the path of the file that says so."""
    version: str | None = None
    """The version there: a DVC hash, the version of a Delta table, a lakeFS reference, a git-lfs object."""
    digest: str | None = None
    """Of the entry in the log of a Delta table that made the version: a table made anew counts from 0 again."""


class FileUse(Record, frozen=True, kw_only=True):
    """A file, a folder or an address that a cell read or wrote."""

    path: str
    """Relative to the project where it lies inside, else absolute with the user's home as `~`; or an address."""
    mode: str
    """`read`, `write`, or `update` for both."""
    opened: str
    """How it is known: `open` where python opened it, `argument` where the cell names it in a call."""
    size: int | None = None
    modified: float | None = None
    """Seconds since the epoch, UTC."""
    method: str = "metadata-only"
    """What the digest covers: `full`, `sampled`, `metadata-only`; `deferred` while it is read beside the kernel."""
    digest: str | None = None
    reason: str | None = None
    """Why the digest covers less than everything."""
    pointers: tuple[Pointer, ...] = ()


class Found(StrEnum):
    """What there was where a cell looked."""

    FOLDER = "folder"
    """One whose names it listed."""
    SOMETHING = "something"
    """It only asked."""
    NOTHING = "nothing"


class Look(Record, frozen=True, kw_only=True):
    """What a cell found in a place without reading it: the names in a folder, or that nothing was there."""

    path: str
    """As in `FileUse`."""
    found: Found
    digest: str | None = None
    """Of the sorted names in a folder, with 128-bit xxHash (XXH3); None where there are too many of them.

    Of something: its bytes, and the nanoseconds since the epoch at which it was written to, where the cell asked."""
    names: tuple[str, ...] | None = None
    """The names in a folder; None where there are too many for a record."""
    pattern: str | None = None
    """What was asked for in the folder by `glob`: only names that match it count, or paths below the folder where it
    has slashes; None for all names."""


class FilesPinned(Record, frozen=True, kw_only=True, tag="files-pinned", tag_field="event"):
    """What became of hashing files that were hashed beside the kernel's work."""

    session: str
    files: tuple[FileUse, ...]
