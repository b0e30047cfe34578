from enum import StrEnum

from cellops.records.base import Record


class Guarding(Record, frozen=True, kw_only=True):
    """What code that is executed again may touch, in the kernel and in the processes that it starts."""

    aside: str
    """The folder to which files are copied before they are touched."""
    heard: str
    """The file that says what else was heard, a line each."""
    project: str
    """Files below it are guarded wherever it lies; other temporary files are not."""
    own: str
    """The folder of cellops' own files of this kernel."""
    commands_allowed: bool = False
    """Whether programs may be started, and anything be sent over the network, again."""


class Doing(StrEnum):
    STARTED = "started"
    """A program."""
    REACHED = "reached"
    """An address of the network."""
    SENT = "sent"
    """What changes something there: a method of HTTP and an address."""


class Heard(Record, frozen=True, kw_only=True):
    """What code did, or was about to do, that no copy of a file undoes."""

    doing: Doing
    name: str
    refused: bool = False
