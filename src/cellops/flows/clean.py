"""Delete what can be made again, and nothing that exists only once."""

from pathlib import Path

from cellops.flows.sync import journals, read_progress
from cellops.settings import Settings, load


def removable(settings: Settings | None = None) -> list[Path]:
    """Journals that were carried to the tracking store, the writer's log, drift reports, and executed notebooks.

    While a journal still waits for the tracking store, executed notebooks stay, as it may name them.
    """
    settings = settings or load()
    waiting = any(not read_progress(path).done for path in journals(settings))
    carried = [path for path in journals(settings) if read_progress(path).done]
    beside = [path.with_suffix(suffix) for path in carried for suffix in (".progress", ".lock", ".alive")]
    executed = [] if waiting else (settings.folder / "executions").glob("*.ipynb")
    made = [*executed, *(settings.folder / "drift").rglob("*.*")]
    return [path for path in (*carried, *beside, settings.folder / "writer.log", *made) if path.is_file()]


def clean(files: list[Path]) -> int:
    """Delete the files that `removable` named; give the number of bytes that this freed."""
    freed = 0
    for path in files:
        freed += path.stat().st_size
        path.unlink()
    return freed
