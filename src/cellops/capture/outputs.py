"""The watcher of outputs: how much a cell printed, and the figures that a run showed."""

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellops.capture.figures import Shown, not_kept
from cellops.capture.watcher import Ending, OpenCell, Seen

STREAMS = ("stdout", "stderr")


class Tally:
    """Counts the bytes of what passes; a stream of ipykernel's repeats to its `echo` all that it is given."""

    def __init__(self, echo: Any) -> None:
        self.echo = echo
        """Whom the stream repeated it to before."""
        self.size = 0

    def write(self, text: str) -> int:
        self.size += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        return len(text) if self.echo is None else int(self.echo.write(text))

    def flush(self) -> None:
        if self.echo is not None:
            self.echo.flush()


@dataclass(frozen=True)
class Before:
    sizes: dict[str, int]
    shown: Shown
    hook: Callable[[dict[str, Any]], dict[str, Any]]
    """What ipykernel gives each message to that the cell's thread shows."""


class Outputs:
    """Sizes of streams are known where ipykernel has them, and figures where it sends them; else they are None.

    Figures are seen that the thread shows which executes the run's cell: the main one, or one of a subshell.
    """

    name = "outputs"

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self._tallies: dict[str, tuple[Any, Tally]] = {}
        self._displays: list[Any] = []

    def start(self, shell: Any) -> None:
        for name in STREAMS:
            stream = getattr(sys, name)
            if type(stream).__module__.startswith("ipykernel") and hasattr(stream, "echo"):
                self._tallies[name] = (stream, Tally(stream.echo))
                stream.echo = self._tallies[name][1]
        self._displays = [show for show in (shell.display_pub, shell.displayhook) if hasattr(show, "register_hook")]

    def stop(self) -> None:
        for stream, tally in self._tallies.values():
            if stream.echo is tally:
                stream.echo = tally.echo
        self._tallies, self._displays = {}, []

    def before(self, cell: OpenCell) -> Before:
        shown = Shown()

        def see(message: dict[str, Any]) -> dict[str, Any]:
            with contextlib.suppress(Exception):
                shown.note(message["content"])
            return message

        for display in self._displays if cell.run is not None else ():
            display.register_hook(see)
        return Before({name: tally.size for name, (_, tally) in self._tallies.items()}, shown, see)

    def after(self, cell: OpenCell, state: Before, _ending: Ending) -> Seen:
        for display in self._displays if cell.run is not None else ():
            display.unregister_hook(state.hook)
        sizes = {f"{name}_size": tally.size - state.sizes[name] for name, (_, tally) in self._tallies.items()}
        if cell.run is None:
            return Seen(sizes)
        figures = state.shown.keep(self._spool / cell.run)
        return Seen({**sizes, "figures": figures}, tuple(not_kept(state.shown.left, cell.where)))
