from cellops.records.base import Record

PROOFS = "proofs"
"""The folder of proofs, below that of cellops."""
REPLAYING = "replaying"
"""The file that stands among the proofs while a slice is executed again; its time is the last sign of life."""
ASIDE = "aside"
"""The folder of copies, below that of a proof."""
ALIVE = "alive"
"""The file in it that the processes which touch files hold, as long as one of them lives."""
LIST = "list.jsonl"
"""The file in the folder of copies that says what they are copies of, a line each."""


class PutAside(Record, frozen=True, kw_only=True, tag="put-aside", tag_field="event"):
    """What stood in a place before code touched it that is executed again."""

    path: str
    copied: str | None = None
    """Where the copy stands; None where no file stood there."""
    link: str | None = None
    """Where a symbolic link pointed that stood there."""
    is_folder: bool = False
    """Whether it is a folder: made or removed by the code, by what `existed` says."""
    existed: bool = False
    mode: int | None = None
    """Who may do what with a folder that stood there."""


class Left(Record, frozen=True, kw_only=True, tag="left", tag_field="event"):
    """How the code has left a file or a symbolic link; another one in its place is somebody else's."""

    path: str
    size: int
    modified: float
    """Seconds since the epoch, UTC."""
