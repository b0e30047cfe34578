"""The watcher of outputs: what a cell printed and displayed, and the figures that a run showed."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellops.capture.displays import LARGEST, Displayed, said
from cellops.capture.figures import Shown, not_kept
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.output import OutputSeen

STREAMS = ("stdout", "stderr")


@dataclass
class Printed:
    """What one thread prints while a cell is executed in it."""

    texts: list[str] = field(default_factory=list)
    size: int = 0
    """The bytes of all of it."""
    characters: int = 0

    def add(self, text: str, size: int) -> None:
        self.size += size
        if self.characters <= LARGEST:
            self.texts.append(text)
            self.characters += len(text)

    def clear(self) -> None:
        self.texts.clear()
        self.characters = 0


class Tally:
    """Counts the bytes of what passes; a stream of ipykernel's repeats to its `echo` all that it is given."""

    def __init__(self, echo: Any) -> None:
        self.echo = echo
        """Whom the stream repeated it to before."""
        self.size = 0
        self._open: dict[int, list[Printed]] = {}
        """What listens to each thread: a cell, and the one that it executes."""

    def write(self, text: str) -> int:
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        self.size += size
        for printed in self._open.get(threading.get_ident(), ()):
            printed.add(text, size)
        return len(text) if self.echo is None else int(self.echo.write(text))

    def flush(self) -> None:
        if self.echo is not None:
            self.echo.flush()

    def begin(self, thread: int) -> Printed:
        """Listen to a thread."""
        printed = Printed()
        self._open.setdefault(thread, []).append(printed)
        return printed

    def end(self, thread: int, printed: Printed) -> None:
        """Listen to it no more."""
        left = [other for other in self._open.pop(thread, []) if other is not printed]
        if left:
            self._open[thread] = left


@dataclass(frozen=True)
class Before:
    sizes: dict[str, int]
    figures: Shown
    displayed: Displayed
    printed: Printed | None
    hook: Callable[[dict[str, Any]], dict[str, Any]]
    """What ipykernel gives each message to that the cell's thread shows."""


class Outputs:
    """What is known where ipykernel has the streams and sends the displays; elsewhere it is None.

    Displays are seen that the thread shows which executes the cell: the main one, or one of a subshell. Of what other
    threads print the size is counted.
    """

    name = "outputs"

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self._tallies: dict[str, tuple[Any, Tally]] = {}
        self._displays: list[Any] = []
        self._told_of_results = False
        """Whether the display of a cell's last expression is seen, as from ipykernel 7 on."""

    def start(self, shell: Any) -> None:
        for name in STREAMS:
            stream = getattr(sys, name)
            if type(stream).__module__.startswith("ipykernel") and hasattr(stream, "echo"):
                self._tallies[name] = (stream, Tally(stream.echo))
                stream.echo = self._tallies[name][1]
        self._displays = [show for show in (shell.display_pub, shell.displayhook) if hasattr(show, "register_hook")]
        self._told_of_results = shell.displayhook in self._displays

    def stop(self) -> None:
        for stream, tally in self._tallies.values():
            if stream.echo is tally:
                stream.echo = tally.echo
        self._tallies, self._displays = {}, []

    def before(self, cell: OpenCell) -> Before:
        figures, displayed = Shown(), Displayed(in_run=cell.run is not None)
        stdout = self._stdout()
        printed = None if stdout is None else stdout.begin(cell.thread)

        def see(message: dict[str, Any]) -> dict[str, Any]:
            with contextlib.suppress(Exception):
                displayed.note(message)
            with contextlib.suppress(Exception):
                if message["msg_type"] == "clear_output" and printed is not None:
                    printed.clear()
                elif cell.run is not None:
                    figures.note(message["content"])
            return message

        for display in self._displays:
            display.register_hook(see)
        sizes = {name: tally.size for name, (_, tally) in self._tallies.items()}
        return Before(sizes, figures, displayed, printed, see)

    def after(self, cell: OpenCell, state: Before, _ending: Ending) -> Seen:
        for display in self._displays:
            display.unregister_hook(state.hook)
        stdout = self._stdout()
        if stdout is not None and state.printed is not None:
            stdout.end(cell.thread, state.printed)
        sizes = {f"{name}_size": tally.size - state.sizes[name] for name, (_, tally) in self._tallies.items()}
        seen: dict[str, object] = dict(sizes)
        if stdout is not None and self._told_of_results:
            seen["outputs"] = (*_printed(state.printed, sizes["stdout_size"]), *state.displayed.read())
        if cell.run is None:
            return Seen(seen)
        figures = state.figures.keep(self._spool / cell.run)
        return Seen({**seen, "figures": figures}, tuple(not_kept(state.figures.left, cell.where)))

    def _stdout(self) -> Tally | None:
        return self._tallies["stdout"][1] if "stdout" in self._tallies else None


def _printed(printed: Printed | None, size: int) -> Iterator[OutputSeen]:
    """What the cell printed; that of other threads comes in no order, so that it is only said."""
    if printed is None:
        return
    if printed.texts:
        text = "".join(printed.texts)
        yield said("stdout", "text/plain", text[:LARGEST], cut=len(text) > LARGEST)
    if size > printed.size:
        yield OutputSeen(origin="stdout", kind="", reason="other threads printed as well")
