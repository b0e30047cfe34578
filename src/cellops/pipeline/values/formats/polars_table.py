"""Frames of polars, in its own use of Arrow's file format."""

from pathlib import Path
from typing import Any

from cellops.pipeline.values.formats.types import of_library

SUFFIX = "polars.arrow"
OBJECT = "Object"


def accepts(value: object) -> bool:
    """Whether a value is exactly a frame of polars whose columns hold no objects of Python."""
    if not of_library(value, "polars", "DataFrame"):
        return False
    return not any(OBJECT in str(kind) for kind in value.dtypes)  # type: ignore[attr-defined]


def write(value: Any, path: Path) -> None:
    value.write_ipc(path)


def read(path: Path) -> Any:
    import polars as pl

    return pl.read_ipc(path.read_bytes())
