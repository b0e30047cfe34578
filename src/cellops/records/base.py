"""The shape of every record: frozen, typed, keyword-only, read and written as JSON with validation."""

from pathlib import Path
from typing import Any, Literal, Self

import msgspec

Value = str | int | float | bool | None
"""A JSON scalar: what a cell of a table, a parameter or a label can be."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record. Unknown fields of a newer version are ignored, so older readers keep working."""

    def to_json(self) -> bytes:
        return _encode(self)

    def to_pretty_json(self) -> bytes:
        return pretty_json(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> Self:
        """Read a record; `msgspec.DecodeError` for what is no JSON, its `ValidationError` for what does not fit."""
        try:
            return msgspec.json.decode(data, type=cls)
        except UnicodeDecodeError as error:
            raise msgspec.DecodeError(str(error)) from error

    @classmethod
    def from_file(cls, path: Path) -> Self:
        return cls.from_json(path.read_bytes())

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and scalars, as JSON would hold them."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    def replace(self, **changes: object) -> Self:
        return msgspec.structs.replace(self, **changes)


def pretty_json(value: Record | dict[str, float] | tuple[Record, ...]) -> bytes:
    """A record, or what one holds, as JSON for people; equal ones give the same bytes."""
    return msgspec.json.format(_encode(value, order="deterministic"), indent=2) + b"\n"


def _encode(
    record: Record | dict[str, float] | tuple[Record, ...], order: Literal["deterministic"] | None = None
) -> bytes:
    """A record as JSON; half a surrogate pair, as a file name that is not UTF-8 has it, is written as an escape."""
    # In an order the encoder takes no keys but texts, and there are numbers for keys.
    value = record if order is None else msgspec.to_builtins(record, str_keys=True, order=order)
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {_without_surrogates(key): _without_surrogates(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_without_surrogates(inner) for inner in value]
        case _:
            return value
