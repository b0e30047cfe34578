"""Where cells looked, then and now: names that have come to a folder or gone, places that were empty and are not."""

from collections.abc import Iterator

from cellops.pipeline.verify.sources import listed
from cellops.records.cell import CellRecord
from cellops.records.file import Found, Look


def place_differences(before: CellRecord, after: CellRecord) -> Iterator[str]:
    """What a cell has found otherwise, as clauses; nothing of places where it has not looked both times."""
    read = {use.path: Look(path=use.path, found=Found.SOMETHING) for use in after.files if use.mode == "read"}
    asked = {(look.path, look.pattern): look for look in after.looks}
    for then in before.looks:
        found = asked.get((then.path, then.pattern)) or asked.get((then.path, None)) or read.get(then.path)
        if found is None or (found.found, found.digest) == (then.found, then.digest):
            continue
        if Found.NOTHING in (then.found, found.found):
            yield f"{then.path} is {'gone' if found.found is Found.NOTHING else 'there now'}"
        elif Found.SOMETHING in (then.found, found.found):
            continue
        elif then.names is None or found.names is None:
            yield f"the names in {then.path} are others"
        else:
            come = [name for name in found.names if name not in then.names]
            gone = [name for name in then.names if name not in found.names]
            parts = [f"{listed(come)} has come to {then.path}"] if come else []
            yield " and ".join([*parts, *([f"{listed(gone)} has gone from {then.path}"] if gone else [])])
