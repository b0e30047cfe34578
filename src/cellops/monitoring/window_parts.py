"""The windows of a table that is read in chunks: many wait side by side, pressed, until the last chunk is read."""

import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, overload

from cellops.monitoring.labelled_rows import LabelledRows, most_of_each
from cellops.monitoring.window_part import WindowPart

TOGETHER = 8
"""Parts that wait as they are, of all windows together."""
MOST_WAITING = 64 << 20
"""Bytes of pressed parts, beside the largest of each window, from which the parts of a window become one."""
CODEC = "zstd"


class _Pressed(NamedTuple):
    """A part of a window without its labelled rows, in about a fifth of its memory."""

    content: bytes
    size: int
    """Bytes that it has when it is not pressed."""


class WindowParts(Sequence[WindowPart]):
    """Windows in the order of time, each made whole only when it is asked for; their parts come in any order.

    What memory holds grows with the windows and the columns, and not with the rows. Labelled rows stay beside the
    pressed parts, since of those of earlier windows fewer are kept with each window that comes.
    """

    def __init__(self) -> None:
        self._starts: dict[str, str] = {}
        self._fresh: dict[str, list[WindowPart]] = {}
        self._pressed: dict[str, list[_Pressed]] = {}
        self._labelled: dict[str, LabelledRows] = {}

    def add(self, part: WindowPart) -> None:
        """Take a part of a window, of whatever rows."""
        self._starts[part.label] = part.start or ""
        self._fresh.setdefault(part.label, []).append(part)
        if sum(map(len, self._fresh.values())) >= TOGETHER:
            self._press()

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, place: int) -> WindowPart: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[WindowPart]: ...

    def __getitem__(self, place: int | slice) -> WindowPart | Sequence[WindowPart]:
        labels = sorted(self._starts, key=self._starts.__getitem__)
        if isinstance(place, slice):
            return [self._whole(label) for label in labels[place]]
        return self._whole(labels[place])

    def _whole(self, label: str) -> WindowPart:
        self._press()
        part = WindowPart.merged(map(_unpressed, self._pressed[label]))
        return replace(part, labelled=self._labelled.get(label))

    def _press(self) -> None:
        """Leave no part as it is; the labelled rows of all windows shrink to what so many windows may have."""
        most = most_of_each(len(self._starts))
        for label, parts in self._fresh.items():
            whole = WindowPart.merged(parts, most)
            self._pressed.setdefault(label, []).append(_pressed(replace(whole, labelled=None)))
            if whole.labelled is not None:
                known = self._labelled.get(label)
                held = [whole.labelled] if known is None else [known, whole.labelled]
                self._labelled[label] = LabelledRows.merged(held, most)
        self._fresh.clear()
        self._labelled = {label: rows.thinned(most) for label, rows in self._labelled.items()}
        if sum(map(_beside_the_largest, self._pressed.values())) > MOST_WAITING:
            self._pressed = {label: _as_one(parts) for label, parts in self._pressed.items()}


def _beside_the_largest(parts: list[_Pressed]) -> int:
    sizes = [len(part.content) for part in parts]
    return sum(sizes) - max(sizes)


def _as_one(parts: list[_Pressed]) -> list[_Pressed]:
    return parts if len(parts) == 1 else [_pressed(WindowPart.merged(map(_unpressed, parts)))]


def _pressed(part: WindowPart) -> _Pressed:
    import pyarrow as pa

    content = pickle.dumps(part, protocol=pickle.HIGHEST_PROTOCOL)
    return _Pressed(pa.compress(content, codec=CODEC, asbytes=True), len(content))


def _unpressed(pressed: _Pressed) -> WindowPart:
    import pyarrow as pa

    content = pa.decompress(pressed.content, decompressed_size=pressed.size, codec=CODEC, asbytes=True)
    part: WindowPart = pickle.loads(content)  # noqa: S301 - made a moment ago by this process, and never outside of it
    return part
