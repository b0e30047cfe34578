"""Carry journals to the tracking store: by `cellops sync`, and by the writer beside a kernel."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import Timeout

from cellops.errors import TrackingError
from cellops.flows.carrier import Carrier
from cellops.flows.garbage import left_alone
from cellops.flows.progress import first_event, journals, lock, locked, on_disk, read_progress
from cellops.flows.trust import require_own
from cellops.records.base import Record
from cellops.records.finding import Finding, Severity
from cellops.records.run import NotebookExecuted, SessionOpened
from cellops.settings import Settings, load

if TYPE_CHECKING:
    from cellops.tracking.store import Store

POLL_SECONDS = 0.2
IDLE_SECONDS = 120.0
"""A writer with nothing to do leaves; the next run starts another."""
RETRY_SECONDS = 2.0


class SyncResult(Record, frozen=True, kw_only=True):
    """What a call of `sync` did."""

    journals: int
    """Journals of which something was carried."""
    runs: int
    killed: int
    """Runs whose kernel was gone before they ended."""
    findings: tuple[Finding, ...] = ()
    """What could not be carried; `refuse` raises those that are errors."""


def sync(settings: Settings | None = None, *, here: bool = False) -> SyncResult:
    """Carry every journal of the project to the tracking store that its kernel had.

    A journal that cannot be carried is a finding and stays as it is; the others are carried all the same.

    Parameters
    ----------
    here
        Carry everything to the tracking store of the settings instead, wherever it was meant to go.
    """
    settings = settings or load()
    stores = _Stores(settings, here=here)
    total = SyncResult(journals=0, runs=0, killed=0)
    waiting: set[str] = set()
    for path in journals(settings):
        if read_progress(path).done:
            continue
        try:
            with on_disk(path):
                total = _added(total, _carry(path, stores, waiting))
        except TrackingError as error:
            waiting |= _execution(path)
            total = total.replace(findings=(*total.findings, stores.failure(path, error)))
    return total.replace(findings=tuple(dict.fromkeys(total.findings)))


def errors_of(result: SyncResult) -> list[Finding]:
    """What a sync could not carry."""
    return [finding for finding in result.findings if finding.severity is Severity.ERROR]


def refuse(result: SyncResult) -> None:
    """Raise what a sync could not carry.

    Raises
    ------
    TrackingError
        When there is something.
    """
    errors = errors_of(result)
    if len(errors) == 1:
        raise TrackingError(errors[0].seen, remedy=errors[0].remedy)
    if errors:
        fact = f"{len(errors)} things could not be carried: {', '.join(finding.where for finding in errors)}"
        raise TrackingError(fact, remedy="Nothing is lost: the journals keep every record")


def _carry(path: Path, stores: "_Stores", waiting: Iterable[str]) -> SyncResult:
    if isinstance(first := first_event(path), NotebookExecuted) and first.execution in waiting:
        return SyncResult(journals=0, runs=0, killed=0)  # its runs have to be there first
    require_own(path)
    carrier = Carrier(path, stores.of(path))
    with locked(path):
        before = read_progress(path)
        after = carrier.carry()
    return SyncResult(
        journals=int(after != before),
        runs=len(after.runs.keys() - before.runs.keys()),
        killed=carrier.killed,
        findings=tuple(carrier.findings),
    )


def _added(one: SyncResult, other: SyncResult) -> SyncResult:
    return SyncResult(
        journals=one.journals + other.journals,
        runs=one.runs + other.runs,
        killed=one.killed + other.killed,
        findings=one.findings + other.findings,
    )


def _execution(path: Path) -> set[str]:
    first = first_event(path)
    return {first.execution} if isinstance(first, SessionOpened) and first.execution else set()


class _Stores:
    """The stores for which the journals were written; one that does not answer is asked once."""

    def __init__(self, settings: Settings, *, here: bool) -> None:
        self._settings = settings
        self._here = here
        self._known: dict[str, Store | TrackingError] = {}

    def of(self, journal: Path) -> "Store":
        settings = self._meant(journal)
        if settings.store not in self._known:
            self._known[settings.store] = _opened(settings)
        found = self._known[settings.store]
        if isinstance(found, TrackingError):
            raise found
        return found

    def failure(self, journal: Path, error: TrackingError) -> Finding:
        """What to say of a journal that could not be carried, and whether its whole store has gone silent."""
        settings = self._meant(journal)
        silent = self._silent(settings.store)
        other = settings.store != self._settings.store
        hint = ". To carry it to the store that is set now: cellops sync --here" if other else ""
        return Finding(
            code="not-carried",
            severity=Severity.ERROR,
            where=f"tracking store {settings.store}" if silent else journal.name,
            seen=(silent or error).fact,
            remedy=(silent or error).remedy + hint,
        )

    def _silent(self, store: str) -> TrackingError | None:
        found = self._known.get(store)
        if found is not None and not isinstance(found, TrackingError):
            try:
                found.ask()
            except TrackingError as error:
                self._known[store] = found = error
        return found if isinstance(found, TrackingError) else None

    def _meant(self, journal: Path) -> Settings:
        return self._settings if self._here else _recorded(journal, self._settings)


def _recorded(journal: Path, settings: Settings) -> Settings:
    """The settings with the store that the journal was written for, which the environment may have left since."""
    first = first_event(journal)
    return settings if first is None or first.store is None else settings.with_store(first.store)


def _opened(settings: Settings) -> "Store | TrackingError":
    try:
        return _store(settings)
    except TrackingError as error:
        return error


def follow(journal: Path, settings: Settings, *, models: bool = False) -> None:
    """Carry one journal while its kernel lives, until it is done, idle, or the store has not answered for too long.

    The journal is held only while there is something to carry, so that whoever wants its runs need not wait. With
    `models` it gets ready for these before it looks what there is.
    """
    carrier = None
    busy = time.monotonic()
    failing_since: float | None = None
    while time.monotonic() - busy < IDLE_SECONDS:
        try:
            if carrier is None:
                carrier = Carrier(journal, _got_ready(_recorded(journal, settings), models=models))
            before = carrier.progress.offset
            with lock(journal, timeout=0):
                progress = carrier.carry()
            failing_since = None
            if progress.done:
                break
            if progress.offset != before or progress.open:
                busy = time.monotonic()
            if progress.offset != before:
                continue  # more may have come meanwhile
        except Timeout:
            pass  # another one carries it now
        except TrackingError as error:
            failing_since = failing_since or time.monotonic()
            if time.monotonic() - failing_since > settings.writer_patience:
                print(error, flush=True)
                break
            time.sleep(RETRY_SECONDS)
        time.sleep(POLL_SECONDS)
    for finding in carrier.findings if carrier else ():
        print(f"{finding.where}: {finding.seen}. {finding.remedy}", flush=True)


def _got_ready(settings: Settings, *, models: bool) -> "Store":
    """The store, and what models are written with: these come first, as they look through all that is imported."""
    from cellops.tracking.model import prepare

    with left_alone(keep=True):
        if models:
            prepare()
        return _store(settings)


def _store(settings: Settings) -> "Store":
    from cellops.tracking.store import Store

    return Store(settings)
