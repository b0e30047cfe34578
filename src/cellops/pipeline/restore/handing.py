"""Values that steps handed on between kernels, where one kernel executes all cells."""

from collections.abc import Iterable, Sequence

from cellops.records.cell import CellRecord

STORE = "restored_handed_on"


def hand_over(own: Sequence[CellRecord], cells: Iterable[CellRecord]) -> str:
    """The source of a cell behind those of a kernel, which keeps what others take from it; empty without such."""
    session = own[0].session
    names = sorted({name for record in cells for name, origin in record.taken.items() if origin == session})
    held = ", ".join(f"{name!r}: {name}" for name in names)
    return f"{_store(session)} = {{{held}}}" if names else ""


def take_over(record: CellRecord) -> str:
    """The source of the cell that takes them: copies, as those of a file are."""
    of_sessions: dict[str, list[str]] = {}
    for name, session in record.taken.items():
        of_sessions.setdefault(session, []).append(name)
    return "\n".join(
        f'[{", ".join(names)}] = map(__import__("copy").deepcopy({_store(session)}).get, {names!r})'
        for session, names in of_sessions.items()
    )


def _store(session: str) -> str:
    return f"{STORE}_{session[:8]}"
