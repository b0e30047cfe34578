"""Arrays of numbers, times and texts, in numpy's own format (NEP 1), which keeps their order in memory."""

from pathlib import Path
from typing import Any

from cellops.pipeline.values.formats.types import of_library

SUFFIX = "npy"
PLAIN = frozenset("biufcmMSU")
"""Kinds of dtype whose items hold no objects."""


def accepts(value: object) -> bool:
    """Whether a value is exactly an array, not of a subclass, of items without fields and objects."""
    if not of_library(value, "numpy", "ndarray"):
        return False
    dtype = value.dtype  # type: ignore[attr-defined]
    return dtype.kind in PLAIN and dtype.metadata is None and value.flags.writeable  # type: ignore[attr-defined]


def write(value: Any, path: Path) -> None:
    import numpy as np

    with path.open("wb") as file:
        np.save(file, value, allow_pickle=False)


def read(path: Path) -> Any:
    import numpy as np

    return np.load(path, allow_pickle=False)
