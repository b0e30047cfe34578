"""A value that a step has handed on."""

from cellops.records.base import Record


class StoredValue(Record, frozen=True, kw_only=True):
    """A file of the store of values, with what stands in it."""

    names: tuple[str, ...]
    """The names of the notebook whose values it holds: several where they share objects."""
    format: str
    """`scalar`, `numpy`, `pandas`, `arrow`, `polars` or `pickle`."""
    digest: str
    """SHA-256 of the file, as hexadecimal digits."""
    size: int
    """Bytes of the file."""
