"""What every worker of a server is to serve: one file that is replaced in one step, and numbered."""

import os
from pathlib import Path

import msgspec

from cellops.errors import NotReadyError
from cellops.records.base import Record


class PlacedPackage(Record, frozen=True, kw_only=True):
    path: str
    name: str
    """Of the model."""
    digest: str | None
    """Of what is at work; None where nothing is."""


class Placement(Record, frozen=True, kw_only=True):
    """The packages of a server after some order."""

    number: int = 0
    """Of the order, from 0 at the start of the server. A change of a rollout has a number, too."""
    packages: tuple[PlacedPackage, ...] = ()
    """In their order: of one name the last at work is the default."""


class Stand(Record, frozen=True, kw_only=True):
    """How far one worker is."""

    number: int = -1
    """The last order that it has carried out; -1 while it starts."""
    packages: tuple[PlacedPackage, ...] = ()
    trouble: str = ""
    """Why it could not carry that out."""


def write(path: Path, record: Placement | Stand) -> None:
    """Replace a file in one step.

    Raises
    ------
    NotReadyError
        When that cannot be written.
    """
    beside = path.with_suffix(f".{os.getpid()}.new")
    try:
        beside.write_bytes(record.to_json())
        beside.replace(path)
    except OSError as error:
        fact = f"The other workers cannot be told: {os.strerror(error.errno or 0)}"
        raise NotReadyError(fact, remedy="See that the folder of temporary files has room, and try again") from error
    finally:
        beside.unlink(missing_ok=True)


def read_placement(path: Path) -> Placement | None:
    """None before the first worker answers."""
    try:
        return Placement.from_file(path)
    except FileNotFoundError:
        return None


def read_stand(path: Path) -> Stand | None:
    """None of a worker that has ended."""
    try:
        return Stand.from_file(path)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
