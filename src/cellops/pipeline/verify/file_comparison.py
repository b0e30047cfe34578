"""The files that a cell read, held against those that it reads now."""

from collections.abc import Iterable, Iterator

from cellops.records.file import FileUse
from cellops.records.proof import Comparison, Verdict
from cellops.records.recorded import DEFERRED

ADDRESS = "://"
UNHASHED = "the kernel ended before it had been hashed"


def files(before: Iterable[FileUse], after: Iterable[FileUse]) -> Iterator[Comparison]:
    """The files that a cell read, by what was in them."""
    now = {use.path: use for use in after if use.mode == "read"}
    for use in before:
        if use.mode != "read":
            continue
        other = now.get(use.path)
        base = Comparison(kind="file", name=use.path, verdict=Verdict.NOT_COMPARED, before=_content(use))
        if ADDRESS in use.path:
            yield base.replace(note="its content was not pinned, since it is remote")
        elif other is None:
            yield base.replace(note="the cell has not read it this time")
        elif use.digest is None or other.digest is None or use.method != other.method:
            unread = (
                UNHASHED if use.method == DEFERRED else use.reason or other.reason or "it was hashed in another way"
            )
            yield base.replace(after=_content(other), note=unread)
        else:
            same = use.digest == other.digest
            note = (use.reason or "") if use.method != "full" else ""
            yield base.replace(
                verdict=Verdict.IDENTICAL if same else Verdict.DIVERGED, after=_content(other), note=note
            )


def _content(use: FileUse) -> str:
    size = "" if use.size is None else f"{use.size:,} bytes"
    return f"{size} {(use.digest or use.method)[-12:]}".strip()
