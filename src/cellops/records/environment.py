import re
from functools import lru_cache

from cellops.records.base import Record

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
SHA256 = re.compile(r"[0-9a-f]{64}")


class ThreadPool(Record, frozen=True, kw_only=True):
    """A library that computes with several threads: its sums depend on how many, and on what processor it knows."""

    library: str
    """`openblas`, `mkl`, `openmp` …"""
    kind: str
    """`blas` or `openmp`."""
    version: str | None
    threads: int
    architecture: str | None = None


class Origin(Record, frozen=True, kw_only=True):
    """Where a distribution came from that was not asked of an index by its name."""

    local: bool
    """Whether no index can bring it."""
    editable: bool = False
    commit: str | None = None
    """The commit of the folder or repository that it was installed from."""
    sha256: str | None = None
    """Of the archive that it was installed from."""


@lru_cache(maxsize=4096)  # each run of a session asks the same of all that is installed
def is_pin(name: str, version: str) -> bool:
    """Whether an installer reads a name and a version as these (PEP 508, PEP 440), and as nothing else.

    Examples
    --------
    >>> is_pin("numpy", "2.4.6"), is_pin("distro-info", "1.1build1"), is_pin("a", "1 --index-url=http://b")
    (True, False, False)
    """
    from packaging.version import InvalidVersion, Version

    try:
        Version(version)
    except InvalidVersion:
        return False
    return NAME.fullmatch(name) is not None and version == version.strip()
