"""What watches each cell of a session, in the order in which it is asked."""

from typing import Any

from cellops.capture.blobs import Blobs
from cellops.capture.environment.modules import Modules
from cellops.capture.files.watcher import Files
from cellops.capture.habits.habits import Habits
from cellops.capture.names.watcher import Names
from cellops.capture.outputs import Outputs
from cellops.capture.randomness.forks import Forks
from cellops.capture.randomness.watcher import Generators
from cellops.capture.resources import Resources
from cellops.capture.results.splits import Splits
from cellops.capture.values.watcher import Values
from cellops.capture.watcher import Watcher
from cellops.records.recorded import Restoring
from cellops.settings import Settings


def watchers(
    files: Files,
    generators: Generators,
    modules: Modules,
    splits: Splits,
    *,
    settings: Settings,
    restoring: Restoring | None,
) -> tuple[Watcher[Any], ...]:
    """All watchers; values are looked at behind names, which tell what a cell bound."""
    unread = None if restoring is None else restoring.unread
    return (
        files,
        Names(),
        generators,
        Values(Blobs(settings.folder / "values"), unread=unread),
        Resources(),
        Habits(),
        Forks(),
        modules,
        splits,
        Outputs(settings.folder / "spool"),
    )
