from cellops.records.base import Record
from cellops.records.gate import Champion
from cellops.records.run import RunSummary


class Promoted(Record, frozen=True, kw_only=True):
    """A run whose model has become the champion of a registered model."""

    run: RunSummary
    champion: Champion
    before: Champion | None = None
    """What was the champion until then; the same version where nothing had to be done."""
