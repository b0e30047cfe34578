"""How a notebook's kernel is chosen and used."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cellops.pipeline.forkserver.forkserver import ForkServer


@dataclass(frozen=True, kw_only=True)
class KernelOptions:
    """Which kernel executes a notebook, and how it is used."""

    name: str
    """Of an installed kernel."""
    folder: Path
    """In which it works."""
    environment: Mapping[str, str]
    """Its whole environment."""
    cell_timeout: float | None = None
    """Seconds that one cell may take."""
    save_interval: float = 10.0
    """Seconds between two savings of the notebook while it is executed."""
    interpreter: Path | None = None
    """The Python to start it with, instead of that of its name."""
    forkserver: ForkServer | None = None
    """What forks it, where that can be done, from a process that has imported what it needs."""
