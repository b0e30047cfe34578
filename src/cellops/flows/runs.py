"""The list of runs: the tracking store's, and those that still stand in a local journal only."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.capture.journal import read
from cellops.capture.lease import is_alive
from cellops.errors import NotFoundError, TrackingError
from cellops.flows.carrier import killed
from cellops.flows.progress import Progress, first_event, journals, read_progress
from cellops.flows.written_notebooks import keys_of, names_notebook
from cellops.records.finding import Finding, Severity
from cellops.records.proof import Proof
from cellops.records.run import RunClosed, RunOpened, RunSummary
from cellops.settings import LOCAL_STORE, Settings, load, local_store

if TYPE_CHECKING:
    from cellops.tracking.database import Database
    from cellops.tracking.store import Store

SHORTEST_KEY = 4
UNIQUE_KEY = 8
"""As many digits of a key as every screen shows; they name one run."""
LAST = "last"
NEWEST = 1000
"""Among so many runs a name, or what comes near to one, is looked for."""


def runs(settings: Settings | None = None, *, limit: int = 50) -> list[RunSummary]:
    """The newest runs first: of the tracking store, joined with those not yet carried there.

    A store that does not answer leaves the local ones, with a finding on each.

    Raises
    ------
    TrackingError
        When the store does not answer and there is no local run.
    """
    settings = settings or load()
    proofs = _proofs(settings)
    return [run.replace(proof=proofs.get(run.run, run.proof)) for run in _joined(settings, limit)]


def _joined(settings: Settings, limit: int) -> list[RunSummary]:
    local = {run.run: run for run in _local(settings)}
    try:
        stored = _stored(settings, limit)
    except TrackingError as error:
        if not local:
            raise
        note = Finding(
            code="store-unreachable", severity=Severity.WARNING, where="tracking", seen=error.fact, remedy=error.remedy
        )
        return _newest([run.replace(findings=(*run.findings, note)) for run in local.values()], limit)
    merged = {run.run: run for run in stored}
    merged |= {key: run for key, run in local.items() if not run.synced}
    return _newest(list(merged.values()), limit)


def show(run: str, *, settings: Settings | None = None) -> RunSummary:
    """The run whose key, MLflow id or name is given; the start of a key is enough, and `last` is the newest.

    The path of an executed notebook stands for the last run of its execution that has a model, or else for the last.
    A run that has not been carried is answered from its journal, without asking the tracking store.

    Raises
    ------
    NotFoundError
        When there is none, or more than one.
    TrackingError
        When the tracking store has to be asked and does not answer.
    """
    settings = settings or load()
    if names_notebook(run):
        of_execution = [show(key, settings=settings) for key in keys_of(Path(run), settings)]
        return next((one for one in of_execution if one.models), of_execution[0])
    found = _not_carried(run, settings)
    if found is not None:
        return found
    known = runs(settings, limit=NEWEST)
    older = [] if len(known) < NEWEST or any(_has_key(k, run) for k in known) else _older(run, settings)
    return _among(run, [*known, *older])


def _proofs(settings: Settings) -> dict[str, str]:
    """The verdicts of the newest proofs that were made on this machine, by the keys of their runs."""
    found = [event for path in journals(settings) if isinstance(event := first_event(path), Proof)]
    return {proof.run: proof.verdict.value for proof in sorted(found, key=lambda proof: proof.started)}


def proof_waits(run: str, settings: Settings) -> bool:
    """Whether a proof of the run is still on its way to the tracking store, to which the writer carries it."""
    waiting = (first_event(path) for path in journals(settings) if not read_progress(path).done)
    return any(isinstance(event, Proof) and event.run == run for event in waiting)


def _older(run: str, settings: Settings) -> list[RunSummary]:
    """The runs whose key begins so, however old."""
    store = _store(settings) if len(run) >= SHORTEST_KEY and run.isalnum() else None
    return [] if store is None else store.starting_with(run)


def _among(run: str, known: list[RunSummary]) -> RunSummary:
    if run == LAST and known:
        return known[0]
    found = [k for k in known if _has_key(k, run)] or [k for k in known if k.name == run][:1]
    found = found or [k for k in known if k.name.lower() == run.lower()][:1]
    if len(found) == 1:
        return found[0]
    if found:
        fact = f"{len(found)} runs begin with {run}"
        raise NotFoundError(fact, remedy="Give more digits of the key")
    raise _missing(run, known)


def _has_key(known: RunSummary, run: str) -> bool:
    return len(run) >= SHORTEST_KEY and (known.run.startswith(run) or known.mlflow_run_id == run)


def _missing(run: str, known: list[RunSummary]) -> NotFoundError:
    if not run.strip():
        return NotFoundError("No run is named", remedy=f"Give the start of its key, its name, or {LAST}")
    fact = f"There is no run {run}"
    if not known:
        return NotFoundError(fact, remedy="None has been recorded yet: begin a cell with %%mlops run")
    if any(k.run.startswith(run) for k in known):
        fact = f"{run} is too short for a key"
        return NotFoundError(fact, remedy=f"Give at least {SHORTEST_KEY} digits")
    names = {k.name.lower(): k.name for k in known} | {k.run[:UNIQUE_KEY]: k.run[:UNIQUE_KEY] for k in known}
    near = [names[name] for name in get_close_matches(run.lower(), names, n=1)]
    return NotFoundError(fact, remedy=f"Did you mean {near[0]}?" if near else "See which there are with: cellops runs")


def _not_carried(run: str, settings: Settings) -> RunSummary | None:
    """The run, where its journal knows it, the store cannot know more, and no newer one can be meant."""
    waiting = [path for path in journals(settings) if not read_progress(path).done]
    known = _newest([summary for path in waiting for summary in _of_journal(path)], 1000)
    if len(run) >= UNIQUE_KEY and (found := [k for k in known if k.run.startswith(run)]):
        return found[0] if len(found) == 1 and not found[0].synced else None
    found = [k for k in known if run in {LAST, k.name}][:1]
    carried = [path for path in journals(settings) if path not in waiting]
    if not found or found[0].synced or any(path.stat().st_mtime >= found[0].started for path in carried):
        return None
    return found[0]


def _stored(settings: Settings, limit: int) -> list[RunSummary]:
    store = _store(settings)
    return [] if store is None else store.runs(limit)


def _store(settings: Settings) -> "Database | Store | None":
    """The tracking store; none where the local one has not been made, as who only looks makes none.

    A local one is read without MLflow, whose import takes seconds, as long as its tables are those that we know.
    """
    folder = settings.folder
    is_local = settings.tracking_uri == local_store(folder) and not folder.is_file()
    if is_local and not (folder / LOCAL_STORE).exists():
        return None
    from cellops.tracking.database import Database

    database = Database.of(settings)
    if database is not None:
        return database
    from cellops.tracking.store import Store

    return Store(settings)


def _local(settings: Settings) -> list[RunSummary]:
    """Runs of journals that have not been carried to their end, and those that a store did not take."""
    found = []
    for path in journals(settings):
        progress = read_progress(path)
        if not progress.done:
            found += _of_journal(path)
        elif any(key not in progress.runs for key in progress.kept):
            found += [run for run in _of_journal(path) if run.run not in progress.runs]
    return found


def _of_journal(path: Path) -> list[RunSummary]:
    """The runs of a journal; none of one that another process has deleted meanwhile."""
    try:
        return _read(path)
    except FileNotFoundError:
        return []


def _read(path: Path) -> list[RunSummary]:
    opened: dict[str, RunOpened] = {}
    closed: dict[str, RunClosed] = {}
    alive = is_alive(path)
    for event, _ in read(path):
        match event:
            case RunOpened():
                opened[event.run] = event
            case RunClosed():
                closed[event.run] = event
            case _:
                pass
    if not alive:
        closed = {key: killed(run, path) for key, run in opened.items()} | closed
    progress = read_progress(path)
    return [_summary(run, closed.get(key), progress) for key, run in opened.items()]


def _summary(opened: RunOpened, closed: RunClosed | None, progress: Progress) -> RunSummary:
    synced = opened.run in progress.runs and opened.run not in progress.open
    found = RunSummary.of(opened, closed)
    return found.replace(mlflow_run_id=progress.runs.get(opened.run), synced=synced)


def _newest(found: list[RunSummary], limit: int) -> list[RunSummary]:
    return sorted(found, key=lambda run: run.started, reverse=True)[:limit]
