"""What is shown of the profile of a table."""

from enum import StrEnum


class SummaryKind(StrEnum):
    """What a column holds, told more finely than a contract needs it."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    STRING = "string"
    DATETIME = "datetime"
    TEXT = "text"
    NESTED = "nested"
    OTHER = "other"
    """Bytes, durations, times of day: counted, and not looked into."""
    MIXED = "mixed"
    EMPTY = "empty"
    """No value at all."""
