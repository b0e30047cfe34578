"""What is not executed again: it could not come out the same, or would do harm."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cellops.capture.secrets import REDACTED
from cellops.errors import VerificationError
from cellops.records.cell import CellRecord, place
from cellops.records.file import FileUse
from cellops.records.guarding import Heard
from cellops.records.recorded import RecordedRun

COMMANDS = frozenset({"shell-command", "package-installed"})
"""Findings on cells that change what lies outside of the kernel."""
SENDING = frozenset({"network-write"})
ALLOW = "Allow it with --commands, where executing them again does no harm"


def require_executable(run: RecordedRun, cells: Sequence[CellRecord], project: Path, *, commands_allowed: bool) -> None:
    """Refuse what cannot be executed as it was, before a kernel starts.

    Raises
    ------
    VerificationError
        Naming the cells.
    """
    if not cells:
        fact = f"The run {run.name} ({run.run[:8]}) has no cells on its record"
        raise VerificationError(fact, remedy="Run it again with this version of cellops")
    secret = [record for record in cells if REDACTED in record.source]
    if secret:
        fact = f"{_places(secret)} held a secret, which was not recorded, so it cannot be executed again"
        remedy = "Read the secret from the environment, and run the cells again"
        raise VerificationError(fact, remedy=remedy, cells=[record.order for record in secret])
    if not commands_allowed:
        _refuse(_with(cells, COMMANDS), "runs shell commands that may change files or what is installed")
        _refuse(_with(cells, SENDING), "sends data over the network, which may change what others see")
    gone = [use for use in _files(cells) if not _exists(use, project)]
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        fact = f"The run has read {gone[0].path}{more}, which {'is' if len(gone) == 1 else 'are'} gone"
        remedy = "Put the data back, and verify again"
        raise VerificationError(fact, remedy=_pointed(gone[0]) or remedy, files=[use.path for use in gone])


def require_allowed(heard: Iterable[Heard]) -> None:
    """Refuse a verdict on cells that were kept from doing what they did.

    Raises
    ------
    VerificationError
        Naming what they were about to do.
    """
    refused = [f"{one.doing} {one.name}" for one in heard if one.refused]
    if refused:
        fact = f"What the run executes has {', '.join(refused)}, which was not done again"
        raise VerificationError(fact, remedy=ALLOW.replace("them", "it"))


def _refuse(cells: Sequence[CellRecord], does: str) -> None:
    if cells:
        fact = f"{_places(cells)} {does}"
        raise VerificationError(fact, remedy=ALLOW, cells=[record.order for record in cells])


def _with(cells: Iterable[CellRecord], codes: frozenset[str]) -> list[CellRecord]:
    return [record for record in cells if any(finding.code in codes for finding in record.findings)]


def _places(records: Sequence[CellRecord]) -> str:
    return ", ".join(place(record.execution_count) for record in records)


def _files(cells: Sequence[CellRecord]) -> Iterator[FileUse]:
    """The files that the slice has read and not written itself before."""
    written: set[str] = set()
    for record in cells:
        own = {use.path for use in record.files if use.mode != "read"}
        yield from (use for use in record.files if use.mode == "read" and use.path not in written | own)
        written |= own


def _exists(use: FileUse, project: Path) -> bool:
    return "://" in use.path or (project / Path(use.path).expanduser()).exists()


def _pointed(use: FileUse) -> str | None:
    pointer = next(iter(use.pointers), None)
    if pointer is None:
        return None
    return f"Bring them back: {pointer.kind} has them as {pointer.version or pointer.target}"
