"""Single values that cannot be changed, as JSON."""

import json
from pathlib import Path
from typing import Any

SUFFIX = "json"
LARGEST = 2**53
"""Integers from here on are not all told apart by other readers of JSON."""


def accepts(value: object) -> bool:
    """Whether a value is a text, a number, a truth value or None, of exactly these types."""
    return value is None or type(value) in {bool, float, str} or (type(value) is int and abs(value) < LARGEST)


def write(value: Any, path: Path) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
