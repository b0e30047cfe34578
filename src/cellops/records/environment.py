from cellops.records.base import Record


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
