"""The list of runs: the tracking store's, and those that still stand in a local journal only."""

from difflib import get_close_matches
from pathlib import Path

from cellops.capture.journal import read
from cellops.capture.lease import is_alive
from cellops.errors import NotFoundError, TrackingError
from cellops.flows.sync import journals, read_progress
from cellops.records.finding import Finding, Severity
from cellops.records.run import RunClosed, RunOpened, RunStatus, RunSummary, SessionOpened
from cellops.settings import Settings, load

SHORTEST_KEY = 4


def runs(settings: Settings | None = None, *, limit: int = 50) -> list[RunSummary]:
    """The newest runs first: of the tracking store, joined with those not yet carried there.

    A store that does not answer leaves the local ones, with a finding on each.
    """
    settings = settings or load()
    local = {run.run: run for run in _local(settings)}
    try:
        stored = _stored(settings, limit)
    except TrackingError as error:
        note = Finding(
            code="store-unreachable", severity=Severity.WARNING, where="tracking", seen=error.fact, remedy=error.remedy
        )
        return _newest([run.replace(findings=(*run.findings, note)) for run in local.values()], limit)
    merged = {run.run: run for run in stored}
    for key, run in local.items():
        if key not in merged or not merged[key].synced:
            known = merged.get(key)
            merged[key] = run.replace(mlflow_run_id=known.mlflow_run_id if known else None)
    return _newest(list(merged.values()), limit)


def show(run: str, *, settings: Settings | None = None) -> RunSummary:
    """The run whose key, MLflow id or name is given; the start of a key is enough, and `last` is the newest.

    Raises
    ------
    NotFoundError
        When there is none, or more than one.
    """
    known = runs(settings, limit=1000)
    if run == "last" and known:
        return known[0]
    found = [k for k in known if len(run) >= SHORTEST_KEY and (k.run.startswith(run) or k.mlflow_run_id == run)]
    found = found or [k for k in known if k.name == run][:1]
    if len(found) == 1:
        return found[0]
    if found:
        fact = f"{len(found)} runs begin with {run}"
        raise NotFoundError(fact, remedy="Give more digits of the key")
    near = get_close_matches(run, [k.name for k in known] + [k.run[:8] for k in known], n=1)
    hint = f"Did you mean {near[0]}?" if near else "See which there are with: cellops runs"
    fact = f"There is no run {run}"
    raise NotFoundError(fact, remedy=hint)


def _stored(settings: Settings, limit: int) -> list[RunSummary]:
    from cellops.tracking.store import Store

    return Store(settings).runs(limit)


def _local(settings: Settings) -> list[RunSummary]:
    """Runs of journals that have not been carried to their end."""
    return [run for path in journals(settings) if not read_progress(path).done for run in _of_journal(path)]


def _of_journal(path: Path) -> list[RunSummary]:
    opened: dict[str, RunOpened] = {}
    closed: dict[str, RunClosed] = {}
    alive = False
    for event, _ in read(path):
        match event:
            case SessionOpened():
                alive = is_alive(path, event.pid)
            case RunOpened():
                opened[event.run] = event
            case RunClosed():
                closed[event.run] = event
            case _:
                pass
    found = [RunSummary.of(run, closed.get(key)) for key, run in opened.items()]
    return [run if alive or run.run in closed else run.replace(status=RunStatus.KILLED) for run in found]


def _newest(found: list[RunSummary], limit: int) -> list[RunSummary]:
    return sorted(found, key=lambda run: run.started, reverse=True)[:limit]
