"""The shape of every record: frozen, typed, keyword-only, read and written as JSON with validation."""

from pathlib import Path
from typing import Any, Self

import msgspec

Value = str | int | float | bool | None
"""A JSON scalar: what a cell of a table, a parameter or a label can be."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record. Unknown fields of a newer version are ignored, so older readers keep working."""

    def to_json(self) -> bytes:
        return msgspec.json.encode(self)

    def to_pretty_json(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self, order="deterministic"), indent=2) + b"\n"

    @classmethod
    def from_json(cls, data: bytes | str) -> Self:
        """Read a record, refusing what does not fit its types with `msgspec.ValidationError`."""
        return msgspec.json.decode(data, type=cls)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        return cls.from_json(path.read_bytes())

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and scalars, as JSON would hold them."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    def replace(self, **changes: object) -> Self:
        return msgspec.structs.replace(self, **changes)
