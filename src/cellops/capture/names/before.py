"""What the watcher of names remembers while a cell runs."""

from collections.abc import Callable
from dataclasses import dataclass

from cellops.capture.names.hooks import Installed
from cellops.capture.names.kinds import Description
from cellops.capture.names.namespace import Picture
from cellops.capture.names.output import Output


@dataclass(frozen=True)
class Before:
    """The names as they stood before a cell."""

    picture: Picture
    kinds: dict[str, Description]
    """Of the names that the source shows."""
    bound: dict[str, Callable[[], object]]
    """The objects of the names that it binds."""
    watched: tuple[str, ...]
    """Those of them whose objects are missed: that they are given up can be seen."""
    ending: tuple[str, ...]
    """Those whose objects may do something when they are given up."""
    lingering: tuple[str, ...]
    """Those of them whose objects may live on then, as they hold themselves."""
    strayed: tuple[str, ...]
    """Names that it reads and that no cell has bound to what they are now."""
    nested: bool
    beside: dict[str, None]
    """The cells that ran at the same time, in other threads."""
    accompanied: bool
    """Whether other threads may have run code of the notebook at the same time."""
    collected: int
    """How many objects python has found in circles so far."""
    output: Output
    """Where the output of cells went."""
    redirected: bool
    """Whether an earlier cell had redirected it."""
    hooks: Installed
    """What ran around it, or before it."""
    tasks: bool
    """Whether tasks that earlier cells have left may have gone on since the last one, or go on now."""
