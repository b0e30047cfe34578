"""Delete what can be made again, and nothing that exists only once."""

import contextlib
import time
from pathlib import Path

from cellops.capture.journal import read
from cellops.errors import StepError, UsageError
from cellops.flows.progress import journals, read_progress
from cellops.packaging.deployment.environment import PLACE, remove, unused
from cellops.pipeline.cache.tidying import is_in_use
from cellops.pipeline.dask.place import HANDED
from cellops.records.aside import PROOFS
from cellops.records.cell import CellRecord
from cellops.records.run import RunClosed, RunOpened
from cellops.settings import Settings, load

STEPS = "steps"
"""Values and cells of steps: without them, the steps are executed again."""
DAY = 86_400.0
HANDED_OVER = ("executions/*.ipynb", "sweeps/*/*", "proofs/*/*", "sources/*.py", "patches/*.patch")
KEPT_FOR_PROOFS = ("states", "values")
"""Folders of what slices are executed again with; the tracking store has that of the runs that it has."""


def removable(settings: Settings | None = None) -> list[Path]:
    """Journals that the tracking store holds whole, the writer's log, drift reports, steps, what runs have handed over.

    While a journal still waits for the tracking store, executed notebooks, proofs, sources and patches stay, as it may
    name them. States of generators and numbers of values stay as long as a journal that stays names them, and steps
    as long as an execution uses them, environments as long as a test deployment does. What workers have handed over
    stays for a day: somebody may take it in.
    """
    settings = settings or load()
    waiting = any(not read_progress(path).done for path in journals(settings))
    carried = [path for path in journals(settings) if read_progress(path).done and not _only_here(path)]
    beside = [path.with_suffix(suffix) for path in carried for suffix in (".progress", ".lock", ".alive")]
    handed_over = [] if waiting else [p for place in HANDED_OVER for p in settings.folder.glob(place)]
    handed_over += [] if waiting else _not_named(settings, kept(settings))
    handed_over += _left(settings.folder / HANDED)
    steps = settings.folder / STEPS
    made = [*handed_over, *(settings.folder / "drift").rglob("*.*"), *([] if is_in_use(steps) else steps.rglob("*.*"))]
    files = [path for path in (*carried, *beside, settings.folder / "writer.log", *made) if path.is_file()]
    return files + unused(settings.folder / PLACE)


def _left(folder: Path) -> list[Path]:
    """What nobody has taken in within a day: whoever asked for it was killed."""
    left = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # it is taken in meanwhile
            left += [path] if path.stat().st_mtime < time.time() - DAY else []
    return left


def _not_named(settings: Settings, journals: list[Path]) -> list[Path]:
    """The states and numbers that none of these journals speaks of."""
    cells = [event for path in journals for event, _ in read(path) if isinstance(event, CellRecord)]
    named = {use.state for cell in cells for use in cell.generators}
    named |= {value.numbers for cell in cells for value in cell.values}
    return [
        path for folder in KEPT_FOR_PROOFS for path in (settings.folder / folder).glob("*") if path.name not in named
    ]


def kept(settings: Settings | None = None) -> list[Path]:
    """Journals that have been carried and stay all the same: they hold what is nowhere else."""
    return [path for path in journals(settings or load()) if read_progress(path).done and _only_here(path)]


def clean(files: list[Path]) -> int:
    """Delete the files and environments that `removable` named; give the number of bytes that this freed."""
    freed = 0
    for path in files:
        if path.is_dir():
            freed += sum(inner.lstat().st_size for inner in path.rglob("*") if not inner.is_dir())
            remove(path)
        else:
            freed += path.stat().st_size
            path.unlink()
    for folder in {path.parent for path in files if path.parent.parent.name == PROOFS}:
        with contextlib.suppress(OSError):
            folder.rmdir()
    return freed


def _only_here(journal: Path) -> bool:
    """Whether the store did not take all of a journal, or no run's trail goes as far as its last cell.

    A run whose kernel was killed has the whole trail.
    """
    open_runs, loose = set(), False
    for event, _ in read(journal):
        match event:
            case RunOpened():
                open_runs.add(event.run)
            case RunClosed():
                open_runs.discard(event.run)
            case CellRecord():
                loose = event.run is None
            case _:
                pass
    return bool(read_progress(journal).kept) or (loose and not open_runs)


def clean_shared(
    store: str, *, older_than: float | None = None, max_size: int | None = None, settings: Settings | None = None
) -> int:
    """Delete the oldest steps of a folder that machines share; give the number of bytes that this freed.

    Parameters
    ----------
    store
        Its address, as fsspec takes it.
    older_than
        Days after which a step is deleted.
    max_size
        Megabytes that may stay; what was kept first goes first.

    Raises
    ------
    UsageError
        When neither limit is given.
    StepError
        When the store cannot be used, or does not answer.
    """
    from cellops.pipeline.cache.entries import Cache
    from cellops.pipeline.cache.shared import SharedSteps
    from cellops.pipeline.cache.shared_folder import SharedError

    if older_than is None and max_size is None:
        fact = "How much of a shared folder may stay is not said"
        raise UsageError(fact, remedy="Give --older-than DAYS, --max-size MEGABYTES, or both")
    settings = settings or load()
    cache = Cache(settings.folder / STEPS, SharedSteps(store, settings.step_store_key))
    before = None if older_than is None else time.time() - older_than * DAY
    try:
        return cache.bound_shared(limit=None if max_size is None else max_size * 1_000_000, before=before)
    except SharedError as error:
        raise StepError(str(error), remedy="Ask again when it answers") from error
