"""What a server answered to one request, and how it waits for the log: as few pieces of memory as can be.

What waits is in no cache. To let go of an array for each part of thousands of requests takes longer than to write them,
and it holds up the requests that come meanwhile, as does the collector, which would look through all of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from cellops.data.matrix import Matrix

PACKED = (np.dtype(np.int64), np.dtype(np.float64))
"""The types of labels that are packed: as long as the numbers beside them."""


class Answered(msgspec.Struct, frozen=True, gc=False):
    """One request with its answer."""

    prediction_id: str
    """The server's own id; with the number of a row it is that row's."""
    request_id: str
    """The client's id where it sent one, which it may have used before."""
    time: int
    """When the rows happened, in nanoseconds since the epoch, UTC."""
    received: int
    """When the request came, in the same unit."""
    protocol: str
    package: str
    """Digest of the package that answered."""
    columns: Mapping[str, npt.NDArray[Any]]
    labels: npt.NDArray[Any]
    probabilities: npt.NDArray[np.float64] | None
    handled: npt.NDArray[Any] | None = None
    """What the server did to each row besides answering it, in words; None where nothing was done."""
    packages: npt.NDArray[Any] | None = None
    """Digest of the package that answered each row, where they are not all of the same."""
    size: int = 0
    """Bytes of the request's body."""

    def packed(self) -> "Answered | Packed":
        """As it waits: in one piece where it is one row of numbers with which nothing special was done."""
        columns, labels, chances = self.columns, self.labels, self.probabilities
        if type(columns) is not Matrix or len(labels) != 1 or labels.dtype not in PACKED:
            return self
        if self.handled is not None or self.packages is not None:
            return self
        return Packed(
            self.prediction_id,
            self.request_id,
            self.time,
            self.received,
            self.protocol,
            self.package,
            columns.places,
            labels.dtype,
            None if chances is None else chances.shape[1],
            # Rows of what a model gave by columns are no piece of memory themselves.
            columns.array.tobytes() + labels.tobytes() + (b"" if chances is None else chances.tobytes()),
        )


class Packed(msgspec.Struct, frozen=True, gc=False):
    """The same of one row of numbers."""

    prediction_id: str
    request_id: str
    time: int
    received: int
    protocol: str
    package: str
    places: Mapping[str, int]
    """The column of each input."""
    label: "np.dtype[Any]"
    """The type of the label."""
    classes: int | None
    """How many probabilities there are; None where the model gives none."""
    content: bytes
    """The inputs, the label and the probabilities, one after the other."""


Held = Answered | Packed


def unpacked(entries: Sequence[Held]) -> Sequence[Answered]:
    """The rows of some requests in their order: one for all of them where they are packed alike, else one for each."""
    first = entries[0]
    packed = [entry for entry in entries if type(entry) is Packed]
    if type(first) is Packed and len(packed) == len(entries):
        places, label, classes = first.places, first.label, first.classes
        if all(each.places is places and each.label == label and each.classes == classes for each in packed):
            return [_answered(first, b"".join([each.content for each in packed]))]
    return [_answered(entry, entry.content) if isinstance(entry, Packed) else entry for entry in entries]


def _answered(packed: Packed, content: bytes) -> Answered:
    """What some content says that is laid out as that of this one."""
    parts = [("inputs", np.float64, len(packed.places)), ("label", packed.label)]
    parts += [] if packed.classes is None else [("chances", np.float64, packed.classes)]
    rows = np.frombuffer(content, np.dtype(parts))
    return Answered(
        packed.prediction_id,
        packed.request_id,
        packed.time,
        packed.received,
        packed.protocol,
        packed.package,
        Matrix(packed.places, rows["inputs"]),
        rows["label"],
        None if packed.classes is None else rows["chances"],
    )
