"""What is to be said of the files of a cell."""

from collections.abc import Collection, Mapping

from cellops.capture.files.recording import Recording
from cellops.records.file import FileUse
from cellops.records.finding import Finding, Severity


def over_the_network(addresses: Mapping[str, object], where: str) -> list[Finding]:
    """Addresses that readers of data were given."""
    return [
        Finding(
            code="network-read",
            severity=Severity.WARNING,
            where=where,
            seen=f"data was read from {address}, which can answer differently tomorrow",
            remedy="Keep a copy in the project, or name a version that does not change",
        )
        for address in addresses
    ]


def not_fetched(uses: list[FileUse], where: str) -> list[Finding]:
    """Pointers that were read in place of what they point to."""
    return [
        Finding(
            code="data-not-fetched",
            severity=Severity.WARNING,
            where=where,
            seen=f"{use.path} is the pointer of git-lfs and not the data",
            remedy="Run: git lfs pull",
        )
        for use in uses
        if any(pointer.kind == "git-lfs" for pointer in use.pointers)
    ]


def untold(readers: Collection[str], where: str) -> list[Finding]:
    """Readers of other languages whose paths the source does not tell."""
    return [
        Finding(
            code="path-not-known",
            severity=Severity.INFO,
            where=where,
            seen=f"which file {name} reads is not certain from the source, and Python does not tell",
            remedy="Name the path outside of functions and loops, under a name that is bound once",
        )
        for name in readers
    ]


def not_listed(recording: Recording, where: str) -> list[Finding]:
    """Files beyond those that a record lists."""
    if not recording.missed:
        return []
    listed = len(recording.opened)
    return [
        Finding(
            code="files-not-listed",
            severity=Severity.INFO,
            where=where,
            seen=f"the cell opened {listed + len(recording.missed)} files, of which {listed} are listed",
            remedy="Pin the folder as a whole, with DVC for example, or read one archive",
        )
    ]
