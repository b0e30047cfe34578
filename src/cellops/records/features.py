"""What is kept of features."""

from cellops.records.base import Record, Value


class FeatureSample(Record, frozen=True, kw_only=True):
    """Rows with their features, to be computed again wherever these are used."""

    features: str
    """The name of the set."""
    digest: str
    """SHA-256 of its source."""
    types: dict[str, str]
    """Column name to the dtype of pandas that it had."""
    inputs: dict[str, list[Value]]
    """Column name to values, one per row; missing is None, times are ISO 8601."""
    computed: dict[str, list[Value]]
    """The same of the features."""
