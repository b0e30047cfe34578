"""The figures that a run showed: images, and figures of plotly and Vega as the front end is told to draw them."""

import base64
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from cellops.capture.blobs import digest
from cellops.capture.pictures import picture_of
from cellops.capture.redaction import redact
from cellops.records.figure import FigureSpool
from cellops.records.finding import Finding, Severity

FORMS = (
    (re.compile(r"image/svg\+xml"), ".svg"),
    (re.compile(r"image/png"), ".png"),
    (re.compile(r"image/jpeg"), ".jpg"),
    (re.compile(r"application/vnd\.plotly\.v\d+\+json"), ".plotly.json"),
    (re.compile(r"application/vnd\.vegalite\.v\d+(\.\d+)*\+json"), ".vl.json"),
    (re.compile(r"application/vnd\.vega\.v\d+(\.\d+)*\+json"), ".vg.json"),
)
"""Of the forms that a figure is shown in, the first of these is kept, in a file that JupyterLab opens as a figure."""
MOST_FIGURES = 20
LARGEST_FIGURE = 8_000_000
"""Bytes of a figure as the front end is sent it."""


@dataclass
class Shown:
    """The figures of a run, by the display that each stands in; and how many were not kept."""

    figures: dict[object, tuple[str, str | bytes]] = field(default_factory=dict)
    left: int = 0

    def note(self, content: Mapping[str, Any]) -> None:
        """Take in what a message of the kernel shows, as it is now: a program may go on changing it."""
        data = content.get("data", {})
        found = _form(data)
        if found is None:
            return
        kind, suffix = found
        place = content.get("transient", {}).get("display_id") or len(self.figures) + self.left
        figure = data[kind] if isinstance(data[kind], str | bytes) else msgspec.json.encode(data[kind])
        if len(figure) > LARGEST_FIGURE or (len(self.figures) >= MOST_FIGURES and place not in self.figures):
            self.left += 1
            return
        self.figures[place] = (suffix, figure)

    def keep(self, folder: Path) -> tuple[FigureSpool, ...]:
        """Write the figures to the spool, without secrets; those that cannot be written are counted as left."""
        kept = []
        for number, (suffix, data) in enumerate(self.figures.values(), 1):
            try:
                kept.append(_write(folder / f"figure-{number}{suffix}", suffix, _content(suffix, data)))
            except (OSError, ValueError):
                self.left += 1
        return tuple(kept)


def not_kept(count: int, where: str) -> Iterator[Finding]:
    """A finding on figures that a run showed and that are not among its artifacts."""
    if count:
        yield Finding(
            code="figures-not-kept",
            severity=Severity.INFO,
            where=where,
            seen=f"{count} figures were not kept; a run keeps {MOST_FIGURES} of {LARGEST_FIGURE // 1_000_000} MB each",
            remedy="Show fewer or smaller ones in the run's cell, or make room on the disk",
        )


def _form(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """The kind of the best form of what is shown, and the suffix of its file; None where it is no figure."""
    return next(((kind, suffix) for form, suffix in FORMS for kind in data if form.fullmatch(kind)), None)


def _write(path: Path, suffix: str, content: bytes) -> FigureSpool:
    """Write a figure, readable by its owner only, to where the writer takes it from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    return FigureSpool(name=path.name, path=str(path), digest=digest(content), picture=picture_of(suffix, content))


def _content(suffix: str, data: str | bytes) -> bytes:
    if suffix.endswith(".json"):
        return msgspec.json.encode(_redacted(msgspec.json.decode(data)))
    if isinstance(data, bytes):
        return data
    return redact(data).encode() if suffix == ".svg" else base64.b64decode(data)


def _redacted(value: Any) -> Any:
    """A value of JSON without secrets in its texts."""
    match value:
        case str():
            return redact(value)
        case list():
            return [_redacted(item) for item in value]
        case dict():
            return {redact(name): _redacted(item) for name, item in value.items()}
        case _:
            return value
