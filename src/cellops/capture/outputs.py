"""The watcher of outputs: how much a cell printed, and the figures that a run showed."""

import base64
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellops.capture.blobs import digest
from cellops.capture.redaction import redact
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.figure import FigureSpool
from cellops.records.finding import Finding, Severity

STREAMS = ("stdout", "stderr")
SUFFIXES = {"image/svg+xml": ".svg", "image/png": ".png", "image/jpeg": ".jpg"}
"""Of the forms that a figure is shown in, the first of these is kept."""
MOST_FIGURES = 20
LARGEST_FIGURE = 8_000_000
"""Bytes of a figure as the front end is sent it."""


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


@dataclass
class Shown:
    """The figures of a run, by the display that each stands in; and how many were not kept."""

    figures: dict[object, tuple[str, str | bytes]] = field(default_factory=dict)
    left: int = 0


@dataclass(frozen=True)
class Before:
    sizes: dict[str, int]
    shown: Shown | None


class Outputs:
    """Sizes of streams are known where ipykernel has them, and figures where it sends them; else they are None.

    What one thread shows is seen: the one that cells are executed in.
    """

    name = "outputs"

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self._tallies: dict[str, tuple[Any, Tally]] = {}
        self._displays: list[Any] = []
        self._shown: Shown | None = None

    def start(self, shell: Any) -> None:
        for name in STREAMS:
            stream = getattr(sys, name)
            if type(stream).__module__.startswith("ipykernel") and hasattr(stream, "echo"):
                self._tallies[name] = (stream, Tally(stream.echo))
                stream.echo = self._tallies[name][1]
        for display in (shell.display_pub, shell.displayhook):
            if hasattr(display, "register_hook"):
                display.register_hook(self._see)
                self._displays.append(display)

    def stop(self) -> None:
        for stream, tally in self._tallies.values():
            if stream.echo is tally:
                stream.echo = tally.echo
        for display in self._displays:
            display.unregister_hook(self._see)
        self._tallies, self._displays = {}, []

    def before(self, cell: OpenCell) -> Before:
        self._shown = Shown() if cell.run is not None else None
        return Before({name: tally.size for name, (_, tally) in self._tallies.items()}, self._shown)

    def after(self, cell: OpenCell, state: Before, _ending: Ending) -> Seen:
        self._shown = None
        sizes = {f"{name}_size": tally.size - state.sizes[name] for name, (_, tally) in self._tallies.items()}
        if cell.run is None or state.shown is None:
            return Seen(sizes)
        figures = _keep(state.shown, self._spool / cell.run)
        return Seen({**sizes, "figures": figures}, tuple(_left(state.shown.left, cell.where)))

    def _see(self, message: dict[str, Any]) -> dict[str, Any]:
        """A hook of ipykernel's: it is given each message that shows something, and gives it on as it is."""
        if self._shown is not None:
            with contextlib.suppress(Exception):
                _note(self._shown, message["content"])
        return message


def _note(shown: Shown, content: dict[str, Any]) -> None:
    data = content.get("data", {})
    kind = next((kind for kind in SUFFIXES if kind in data), None)
    if kind is None:
        return
    place = content.get("transient", {}).get("display_id") or len(shown.figures) + shown.left
    if len(data[kind]) > LARGEST_FIGURE or (len(shown.figures) >= MOST_FIGURES and place not in shown.figures):
        shown.left += 1
        return
    shown.figures[place] = (SUFFIXES[kind], data[kind])


def _keep(shown: Shown, folder: Path) -> tuple[FigureSpool, ...]:
    """The figures that could be written to the spool; those that could not be are counted as left."""
    kept = []
    for number, (suffix, data) in enumerate(shown.figures.values(), 1):
        try:
            kept.append(_write(folder / f"figure-{number}{suffix}", _content(suffix, data)))
        except (OSError, ValueError):
            shown.left += 1
    return tuple(kept)


def _write(path: Path, content: bytes) -> FigureSpool:
    """Write a figure, readable by its owner only, to where the writer takes it from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    return FigureSpool(name=path.name, path=str(path), digest=digest(content))


def _content(suffix: str, data: str | bytes) -> bytes:
    if isinstance(data, bytes):
        return data
    return redact(data).encode() if suffix == ".svg" else base64.b64decode(data)


def _left(count: int, where: str) -> Iterator[Finding]:
    if count:
        yield Finding(
            code="figures-not-kept",
            severity=Severity.INFO,
            where=where,
            seen=f"{count} figures were not kept; a run keeps {MOST_FIGURES} of {LARGEST_FIGURE // 1_000_000} MB each",
            remedy="Show fewer or smaller ones in the run's cell, or make room on the disk",
        )
