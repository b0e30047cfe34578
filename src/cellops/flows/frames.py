"""Tables of a notebook by their names."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from cellops.capture.content.fingerprint import is_columnar


def is_frame(value: object) -> bool:
    """Whether a value is a table with names of columns: of pandas, polars or Arrow."""
    return is_columnar(value) and hasattr(value, "columns")


def likely(name: str, namespace: Mapping[str, Any]) -> str:
    """What to do about a table that is not there: the name that was meant, or the cell that was not run."""
    frames = [known for known, value in namespace.items() if not known.startswith("_") and is_frame(value)]
    near = get_close_matches(name, frames, n=1) or frames[:1]
    return f"Did you mean {near[0]}?" if near else "Run the cell that makes it first"
