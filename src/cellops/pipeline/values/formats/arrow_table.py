"""Tables of Arrow, in Arrow's file format."""

from pathlib import Path
from typing import Any

from cellops.pipeline.values.formats.types import of_library

SUFFIX = "arrow"


def accepts(value: object) -> bool:
    """Whether a value is exactly a table of Arrow; it cannot be changed, so it shares memory with nothing."""
    return of_library(value, "pyarrow", "Table")


def write(value: Any, path: Path) -> None:
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, value.schema) as writer:
        writer.write_table(value)


def read(path: Path) -> Any:
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as source:
        return pa.ipc.open_file(source).read_all()
